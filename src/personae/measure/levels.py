"""Levels: the log-odds of every item's high pole over its low pole, under every context.

    level[k, i] = log Σ_high p(answer | c_k, x_i) - log Σ_low p(answer | c_k, x_i)      nats, above zero: the high pole

The log-probability of an answer is summed over its response span, end of turn included. Answers of one pole are
paraphrases, so their probabilities add up. Source: PSM.md section 2 (level of a trait).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from personae.records import Levels, Progress, Simulator, Trait
from personae.records.results import Floats

NOBODY = "assistant"  # the name of the row measured with no context at all: the Assistant as it is


def levels(
    simulator: Simulator, traits: Sequence[Trait], contexts: Mapping[str, str], progress: Progress | None = None
) -> Levels:
    """Levels of every item of `traits` under `contexts` {name: text}, in that order; (K, I_t) nats a trait."""
    episodes = [e for trait in traits for item in trait.items for e in item.episodes()]
    logp = simulator.log_likelihood(episodes, list(contexts.values()), progress).logp  # (answers, K)
    return Levels(tuple(contexts), levels_of(traits, logp))


def levels_of(traits: Sequence[Trait], logp: Floats) -> dict[str, Floats]:
    """{trait: (K, I)} of the log-probabilities (answers, K) of every item's answers, item by item, high ones first."""
    by_trait, start = {}, 0
    for trait in traits:
        rows = []
        for item in trait.items:
            high, low = len(item.high), len(item.low)
            answers = logp[start : start + high + low]
            rows.append(_total(answers[:high]) - _total(answers[high:]))
            start += high + low
        by_trait[trait.name] = np.stack(rows, axis=1)
    return by_trait


def _total(logp: Floats) -> Floats:
    """(K,) log of the summed probability of answers (A, K)."""
    total: Floats = np.logaddexp.reduce(logp, axis=0)
    return total
