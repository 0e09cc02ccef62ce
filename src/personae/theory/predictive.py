"""The posterior predictive: what a mixture of personas will do.

A *level* is a log-odds, log p(high) - log p(low), nats, positive towards the high pole. A mixture says "high" with
probability Σ_k w_k · p_k(high), p_k the two-way normalised sigmoid(level_k); its level is the logit of that. The mixing
is done within each item, then items are averaged: the average of the personas' levels is another (and wrong) thing.

    level[i] = log Σ_k w_k σ(level[k, i]) - log Σ_k w_k σ(-level[k, i])

Source: PSM.md section 2, Forecast.
"""

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.simplex import log_of, log_sum_exp, normalised


def log_sigmoid(levels: ArrayLike) -> Floats:
    """Log p(high), nats, of log-odds `levels`; exact in both tails.

    >>> float(log_sigmoid(-800.0))
    -800.0
    """
    logs: Floats = -np.logaddexp(0.0, -np.asarray(levels, dtype=np.float64))
    return logs


def poles(levels: ArrayLike) -> Floats:
    """(..., 2) probabilities of the high and the low pole at log-odds `levels` (...), nats.

    >>> poles([0.0]).tolist()
    [[0.5, 0.5]]
    """
    table = np.asarray(levels, dtype=np.float64)
    both: Floats = np.exp(np.stack([log_sigmoid(table), log_sigmoid(-table)], axis=-1))
    return both


def mixture_levels(weights: ArrayLike, levels: ArrayLike) -> Floats:
    """Level (I,) of each item in the mixture `weights` (K,) of personas whose levels are (K, I), nats.

    >>> float(mixture_levels([0.5, 0.5], [[60.0], [-60.0]])[0])
    0.0
    """
    table = _table(levels)
    return mix(log_of(normalised(weights, size=len(table))), table)


def mix(log_weights: Floats, levels: Floats) -> Floats:
    """Level (..., I) of mixtures with `log_weights` (..., K), that add up to one, of personas with `levels` (K, I)."""
    spread = log_weights[..., :, None]
    high = log_sum_exp(spread + log_sigmoid(levels), axis=-2)
    low = log_sum_exp(spread + log_sigmoid(-levels), axis=-2)
    return high - low


def level(levels: ArrayLike) -> float:
    """The level of a trait: the mean over its items (I,), nats."""
    return float(np.mean(np.asarray(levels, dtype=np.float64)))


def probability(levels: ArrayLike) -> float:
    """The mean over items (I,) of the probability of the high pole, of the two."""
    return float(np.mean(np.exp(log_sigmoid(levels))))


def forecast_shift(prior: ArrayLike, weights: ArrayLike, levels: ArrayLike) -> float:
    """Change of a trait's level, nats, from the mixture `prior` to `weights` (K,) of personas with `levels` (K, I).

    >>> round(forecast_shift([1, 0], [0, 1], [[-2.0, 0.0], [1.0, 1.0]]), 12)
    2.0
    """
    return level(mixture_levels(weights, levels) - mixture_levels(prior, levels))


def _table(levels: ArrayLike) -> Floats:
    table = np.asarray(levels, dtype=np.float64)
    if table.ndim != 2 or table.size == 0:
        raise BadInput(f"levels of shape {table.shape} where (personas, items) are expected")
    if np.isnan(table).any():
        k, i = np.argwhere(np.isnan(table))[0]
        raise BadInput(f"the level of item {i} under persona {k} is not a number")
    return table
