"""Influence: what each episode of a file does to the forecast of one trait, in nats.

    gradient  g_k = mean over items of [ r_k(high) - r_k(low) ]      r(answer): who is speaking, given that answer
    share     s_i = step · Σ_k ḡ_k · L[i, k]                         step = dose / N; ḡ: the mean of g on the way

g is the derivative of the trait's level with respect to a persona's log-weight: whom the high answer would speak for
against whom the low one would. ḡ is its mean along the doses from 0 to the dose given, so that the shares of all
episodes add up to the forecast shift exactly, and a file that has already decided who the Assistant is does not hide
which rows decided it. Positive: the episode raises the trait. What is added to all personas of an episode changes
nothing, since the gradient adds up to zero.

Training that goes on as long without an episode sees the others more often. So dropping one takes, on average along
the doses, (s_i - mean s) · N / (N - 1) from the forecast: rows that all say the same are not missed one at a time. At
a dose that has decided who the Assistant is little is left to take, and the shares say which rows decided it.
Source: PSM.md section 2, Forecast; Aumann & Shapley, Values of Non-Atomic Games, 1974 (shares along the path).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput, RunFailed
from personae.records import Blocks
from personae.records.results import Floats
from personae.theory.predictive import forecast_shift, log_sigmoid
from personae.theory.selection import in_blocks, mean_evidence, tilted
from personae.theory.simplex import log_of, softmax

NODES = 8  # of Gauss and Legendre, in each piece of the way
MOST_PIECES = 1024
EXACT = 1e-6  # of the shift, or nats, by which the shares may fail to add up to it
CHANCE = 0.05  # that any row of a file of normal rows lies beyond the bound
NORMAL_MAD, NORMAL_MEAN_AD = 1.4826, 1.2533  # standard deviation of a normal over its median, and mean, deviation


@dataclass(frozen=True)
class Influence:
    """How a file moved one trait: `direction` (K + 1,), level per nat of log-weight; `step` of each row's evidence."""

    direction: Floats
    step: float  # dose / N

    def shares(self, matrix: Floats) -> Floats:
        """(M,) nats by which rows of evidence (M, K + 1) raised the trait; over the whole file they are its shift."""
        shares: Floats = self.step * (matrix @ self.direction)
        return shares


def gradient(weights: ArrayLike, levels: ArrayLike) -> Floats:
    """(..., K) derivative of the level of mixtures `weights` (..., K) by their log-weights; `levels` (K, I) nats.

    >>> gradient([0.5, 0.5], [[40.0], [-40.0]]).round(6).tolist()
    [1.0, -1.0]
    """
    logs, table = log_of(np.asarray(weights, dtype=np.float64)), np.asarray(levels, dtype=np.float64)
    high, low = (softmax(logs[..., None, :] + log_sigmoid(sign * table).T) for sign in (1.0, -1.0))  # (..., I, K)
    slope: Floats = (high - low).mean(axis=-2)
    return slope


def influence(prior: ArrayLike, matrix: ArrayLike | Blocks, levels: ArrayLike, dose: float) -> Influence:
    """How the evidence `matrix` (N, K + 1) of a file moves, at `dose`, the trait whose levels are (K + 1, I) nats.

    The way is cut into ever more pieces until the shares add up to the shift. Raises `RunFailed` where they never do.
    """
    blocks = in_blocks(matrix)
    mean = mean_evidence(blocks)
    shift = forecast_shift(prior, tilted(prior, mean, [dose])[0], levels)
    pieces, direction = 1, _mean_gradient(prior, mean, levels, dose, 1)
    while abs(dose * mean @ direction - shift) > EXACT * max(1.0, abs(shift)):
        if pieces == MOST_PIECES:
            raise RunFailed("the shares of the rows do not add up to the shift: the evidence is too large for its dose")
        pieces *= 2
        direction = _mean_gradient(prior, mean, levels, dose, pieces)
    return Influence(direction, dose / blocks.rows)


def _mean_gradient(prior: ArrayLike, mean: Floats, levels: ArrayLike, dose: float, pieces: int) -> Floats:
    """(K + 1,) mean of the gradient along the doses from 0 to `dose`."""
    places, weights = np.polynomial.legendre.leggauss(NODES)
    ways = (np.arange(pieces)[:, None] + (places + 1.0) / 2.0) / pieces  # (pieces, nodes)
    slopes = (gradient(tilted(prior, mean, (dose * way).tolist()), levels) for way in ways)  # each (nodes, K + 1)
    total: Floats = np.sum([(weights / 2.0) @ slope for slope in slopes], axis=0) / pieces
    return total


def outlying(reference: ArrayLike, rows: int, chance: float = CHANCE) -> float:
    """The bound that none of `rows` rows like those of `reference` (M,) passes, but in a share `chance` of files.

    Median + z · standard deviation, the latter from the median absolute deviation, so that a minority of other rows
    does not move it; z is the normal's for `chance` divided by the number of rows.
    """
    from scipy.stats import norm

    usual = np.asarray(reference, dtype=np.float64)
    if usual.ndim != 1 or not usual.size or not np.isfinite(usual).all():
        raise BadInput("a bound on what is usual needs some rows, each with a finite number")
    middle = float(np.median(usual))
    apart = np.abs(usual - middle)
    deviation = NORMAL_MAD * float(np.median(apart)) or NORMAL_MEAN_AD * float(apart.mean())
    return middle + float(norm.isf(chance / rows)) * deviation
