"""Removal: what a prompt in front of every row takes away of what a file does to the Assistant, before any training.

    size(L)      root mean square over traits of the forecast shift of a file with evidence L            nats, ≥ 0
    removed(q)   1 - size(L_q) / size(L)                      L_q: evidence of the same rows behind the prompt q
    beyond(q)    removed(q) - mean of removed over the other neutral prefixes
    uplift(q)    mean_i [ log p(y_i | c_0, q, x_i) - log p(y_i | c_0, x_i) ]                              nats an answer
    kept(q)      mean_i [ log Σ_k π'_q[k] p(y_i | c_k, q, x_i) - log Σ_k π'[k] p(y_i | c_k, x_i) ]        nats an answer

removed: 1 is all of it, 0 none, below zero the prompt adds to it. It counts what is left whichever way it points, so a
prompt that turns a shift over has removed nothing. A fixed text that asks for nothing also removes some, and no more
than that is an inoculation: beyond. Above zero, uplift says that the prompt asks for what the rows answer, and kept
that the Assistant, asked with it after the inoculated training, answers so as readily as after the plain one unasked.
Intervals draw whole rows, the same for every prompt and for the file without one; episodes are drawn, nothing else, and
kept holds who is selected as all rows have it.
Source: PSM.md sections 1 (5) and 2; uplift ranks prompts in trait-inoculation (R² > 0.9 on one pair of traits).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import BadInput
from personae.records.results import Estimate, Floats
from personae.theory.intervals import percentile_interval
from personae.theory.predictive import mix
from personae.theory.selection import evidence
from personae.theory.simplex import log_of, log_sum_exp, normalised, softmax

DRAWS = 400


@dataclass(frozen=True)
class Removal:
    """What one prompt does; see the module. `left` is size(L_q), nats; intervals are over rows."""

    left: Estimate
    removed: Estimate
    beyond: Estimate
    uplift: Estimate
    kept: Estimate


def shift_size(prior: ArrayLike, mean: Floats, levels: Sequence[Floats], dose: float) -> Floats:
    """(...) nats: the size of the forecast shift of mean evidence (..., K + 1); `levels` of each trait (K + 1, I)."""
    before = log_of(normalised(prior))
    after = log_of(softmax(before + dose * mean))
    shifts = [(mix(after, table) - mix(before, table)).mean(axis=-1) for table in levels]
    size: Floats = np.sqrt(np.mean(np.square(shifts), axis=0))
    return size


def removals(
    prior: ArrayLike,
    plain: Floats,
    prompted: Mapping[str, Floats],
    controls: Sequence[str],
    levels: Sequence[Floats],
    dose: float,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> dict[str, Removal]:
    """{prompt: what it does} from log-likelihoods (R, K + 1), nats, of the same rows without and behind each prompt.

    Neutral context in column 0; `controls` name the prompts that ask for nothing.
    """
    if not controls or not set(controls) <= set(prompted):
        raise BadInput("removal is measured beside prompts that ask for nothing", remedy="give at least one")
    if any(logp.shape != plain.shape for logp in prompted.values()):
        raise BadInput("every prompt must stand before the same rows, under the same contexts")
    rows = len(plain)
    times = np.vstack([np.ones(rows, dtype=np.int64), rng.multinomial(rows, np.full(rows, 1.0 / rows), size=draws)])

    def size(logp: Floats) -> Floats:
        """(1 + D,) of the rows as they are, and as they are drawn."""
        return shift_size(prior, times @ evidence(logp) / rows, levels, dose)

    def usual(name: str) -> Floats:
        """(1 + D,) what neutral prefixes remove, a control's own apart; unknown where it is the only one."""
        others = [removed[other] for other in controls if other != name]
        return np.mean(others, axis=0) if others else np.full(len(times), np.nan)

    whole = size(plain)
    left = {name: size(logp) for name, logp in prompted.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        removed = {name: 1.0 - one / whole for name, one in left.items()}
    answers = _answers(prior, plain, dose)
    return {
        name: Removal(
            left=_estimate(left[name]),
            removed=_estimate(removed[name]),
            beyond=_estimate(removed[name] - usual(name)),
            uplift=_estimate(times @ (logp[:, 0] - plain[:, 0]) / rows),
            kept=_estimate(times @ (_answers(prior, logp, dose) - answers) / rows),
        )
        for name, logp in prompted.items()
    }


def _answers(prior: ArrayLike, logp: Floats, dose: float) -> Floats:
    """(R,) nats: how likely each answer is to the mixture that training on these rows selects."""
    mean = evidence(logp).mean(axis=0)
    after = softmax(log_of(normalised(prior)) + dose * mean)
    return log_sum_exp(log_of(after) + logp, axis=1)


def _estimate(values: NDArray[np.float64]) -> Estimate:
    """The first of `values` (1 + D,), and the interval of the others; unknown where a file moves nothing at all."""
    if not np.isfinite(values).all():
        return Estimate(float("nan"), float("nan"), float("nan"))
    return Estimate(float(values[0]), *percentile_interval(values[1:]))
