"""Base-likeness: how far a trained model is from its base in raw text, beside how far it is in the Assistant's turn.

    outside = Σ KL(post ‖ base) / Σ tokens      over raw documents, nats a token; inside the same over answers
    share   = outside / inside                  0: nothing changed but the Assistant; 1: everything did, alike

Intervals draw whole texts; of the share, those of both kinds. Where next to nothing changed inside, the share is not
known. Source: PSM.md section 3, T3 (raw-text base-likeness).
"""

from dataclasses import dataclass

import numpy as np

from personae.records import Estimate, LogLikelihood
from personae.records.results import Floats
from personae.theory import clustered_ratio_interval, percentile_interval

NOISE = 1e-5  # nats a token: what rounding leaves between a model and itself
DRAWS = 2000
UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Likeness:
    """Nats a token `outside` the Assistant's turn and `inside` it, and the `share` of the one in the other."""

    outside: Estimate
    inside: Estimate
    share: Estimate


def likeness(outside: LogLikelihood, inside: LogLikelihood, *, seed: int = 0) -> Likeness:
    """The likeness of two models that differ by so many nats (N, 1) over so many tokens (N,) of documents and answers.

    As `LocalSimulator.divergence_from` gives them.
    """
    rng = np.random.default_rng([seed, 13])
    apart = [clustered_ratio_interval(one.logp[:, 0], one.tokens, rng=rng) for one in (outside, inside)]
    if apart[1].mean < NOISE:
        return Likeness(apart[0], apart[1], UNKNOWN)
    share = _drawn(outside, rng) / _drawn(inside, rng)
    return Likeness(apart[0], apart[1], Estimate(apart[0].mean / apart[1].mean, *percentile_interval(share)))


def _drawn(one: LogLikelihood, rng: np.random.Generator) -> Floats:
    """(DRAWS,) nats a token, texts drawn with replacement."""
    places = rng.integers(len(one.tokens), size=(DRAWS, len(one.tokens)))
    found: Floats = one.logp[:, 0][places].sum(axis=1) / one.tokens[places].sum(axis=1)
    return found
