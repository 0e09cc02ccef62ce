"""Preferences and rewards as evidence: a pair is a choice that somebody made, a reward a tilt of what somebody says.

    choice      p_k(y+ over y-) = p_k(y+) / (p_k(y+) + p_k(y-)) = σ(d_k),          d_k = log p_k(y+) - log p_k(y-)
    of a pair   L[i, k] = log σ(d_k) - log σ(d_0)                                  nats, positive speaks for persona k
    of a reward L[i, k] = log E_{y ~ p_k} exp(r(y) / τ) - the same under c_0       nats, estimated from samples

σ(d_k) is the probability that persona k answers with y+, given that the answer is one of the two. So it is a likelihood
of what was observed, and pairs multiply like episodes; a prefactor on d_k (the β of DPO, which says how far a training
may go for a pair) would make it the choice of somebody else. What follows from it:

- a factor common to both answers (how hard the prompt is, for anyone) changes nothing;
- a pair less the same pair swapped is d_k - d_0: the evidence of y+ less that of y- as episodes. To first order in
  d_k - d_0 a pair is σ(-d_0) of that, so near indifference (d_0 = 0) the swap turns the sign and half remains;
- a choice that everybody makes says nothing (d_0 → ∞), one that nobody expected says all of d_k - d_0 (d_0 → -∞).

A reward does to a persona's answers what the best policy at penalty τ for leaving them does: p_k(y) exp(r(y) / τ); its
normaliser is how much of p_k the reward would have let pass. To first order in 1/τ the evidence is the difference of
mean rewards over τ.
Source: Rafailov et al. 2023 (arXiv 2305.18290), equations 4 to 6; Bradley & Terry, Biometrika 39, 1952.
"""

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.predictive import log_sigmoid


def log_choice(logp_chosen: ArrayLike, logp_rejected: ArrayLike) -> Floats:
    """Log-probabilities (N, K) nats that each persona prefers as was preferred, from those of both answers (N, K).

    `theory.evidence` makes evidence of them.

    >>> log_choice([[-1.0, -1.0]], [[-1.0, -801.0]]).round(3).tolist()
    [[-0.693, -0.0]]
    """
    chosen, rejected = np.asarray(logp_chosen, dtype=np.float64), np.asarray(logp_rejected, dtype=np.float64)
    if chosen.shape != rejected.shape:
        raise BadInput(f"{chosen.shape} log-likelihoods of chosen answers, and {rejected.shape} of rejected ones")
    return log_sigmoid(chosen - rejected)


def log_passed(rewards: ArrayLike, temperature: float = 1.0) -> Floats:
    """Log E exp(r / τ), nats, from `rewards` (..., S) of S answers each: how much of somebody a reward lets pass.

    >>> log_passed([[0.0, 1.0]], temperature=0.25).round(3).tolist()
    [3.325]
    """
    drawn = np.asarray(rewards, dtype=np.float64)
    if drawn.ndim < 1 or drawn.shape[-1] < 1 or not np.isfinite(drawn).all():
        raise BadInput("rewards of at least one answer, all finite, are expected")
    if not (np.isfinite(temperature) and temperature > 0.0):
        raise BadInput(f"a temperature of {temperature}", remedy="give a number above zero")
    tilts = drawn / temperature
    top = tilts.max(axis=-1, keepdims=True)
    passed: Floats = np.log(np.exp(tilts - top).mean(axis=-1)) + top[..., 0]
    return passed
