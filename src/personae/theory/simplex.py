"""Weights over a cast: points on the simplex, handled in log space so that a weight of 1e-300 is still a weight.

Source: PSM.md section 2 ("w on the simplex").
"""

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats


def normalised(weights: ArrayLike, *, size: int | None = None) -> Floats:
    """`weights` (K,) scaled to add up to one.

    >>> normalised([1, 3]).tolist()
    [0.25, 0.75]
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 1 or (size is not None and len(w) != size):
        raise BadInput(f"weights of shape {w.shape} where ({'K' if size is None else size},) are expected")
    if not np.isfinite(w).all() or (w < 0.0).any() or not w.sum() > 0.0:
        raise BadInput("weights must be finite, none below zero, and not all zero")
    scaled: Floats = w / w.sum()
    return scaled


def log_of(weights: Floats) -> Floats:
    """Log w, with -inf (and no warning) where w is zero."""
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(weights)
    return logs


def softmax(log_weights: Floats) -> Floats:
    """Weights ∝ exp(log_weights) over the last axis; each row needs one entry that is finite.

    >>> softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    raised = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def log_sum_exp(logs: Floats, axis: int) -> Floats:
    """Log Σ exp(logs) over `axis`; -inf where all of them are.

    >>> round(float(log_sum_exp(np.array([-1000.0, -1000.0]), axis=0)), 3)
    -999.307
    """
    top = logs.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: Floats = np.log(np.exp(logs - top).sum(axis=axis)) + top.squeeze(axis)
    return total


def divergence(p: Floats, q: Floats) -> Floats:
    """KL(p ‖ q) = Σ p·log(p/q) over the last axis, nats; inf where p holds what q excludes, and never below zero.

    >>> float(divergence(np.array([1.0, 0.0]), np.array([0.25, 0.75])) / np.log(2))
    2.0
    """
    held = p > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(held, p * (np.log(p) - np.log(q)), 0.0)
    total: Floats = np.maximum(terms.sum(axis=-1), 0.0)  # where p is all but q, rounding goes below
    return total
