"""How sure: 95 % intervals by the bootstrap, every draw from the generator that is passed in.

Two sources of doubt, kept apart:
- a *measured* level is a mean over items; answers to one question are not independent, so whole questions are drawn;
- a *forecast* rests on the episodes it saw, the cast it considered and the items it was read on, and on a dose that it
  can only guess at; and training does not follow the theory to the letter. Its interval is *predictive*: where the
  shift that one will measure lies. Each draw resamples episodes with replacement, reweights the personas (the same
  before and after training), resamples items, draws the dose from a log-normal about the dose given, and adds a normal
  departure to each trait. How wide the last two are, and how far personas are reweighted, is a `Doubt`.
The neutral context is no sample from a population of characters, so it keeps its share of the prior.
Of a file in several blocks, how many of a draw's episodes fall into each block is drawn first, and then which of the
block's: a multinomial in two steps, so the law is the same, and no more than a block is in memory.
Intervals are percentile intervals.
Source: Efron & Tibshirani, An Introduction to the Bootstrap, ch. 13-14; Rubin, The Bayesian bootstrap, 1981.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import BadInput
from personae.records import Blocks
from personae.records.results import Estimate, Floats
from personae.theory.predictive import forecast_shift, mix
from personae.theory.selection import in_blocks, mean_evidence, posterior
from personae.theory.simplex import log_of, normalised, softmax

ENDS = (2.5, 97.5)  # percentiles of a 95 % interval
MOST_KNOWN = 0.95  # the least share of draws of a ratio that must be known
BLOCK = 200_000  # numbers held at once while mixing draws: what a processor's cache holds


@dataclass(frozen=True)
class Doubt:
    """What a forecast does not know of the training to come, beside the episodes and items that it was read on.

    `spread` is the standard deviation of the log of the dose; `residual` (nats) that of a measured shift about the
    forecast at the right dose; `cast` that of a persona's prior weight, over its mean. A cast that is a sample of all
    who might speak has `cast` 1 (Rubin's bootstrap, Exponential(1) weights); one that names everybody there is has 0.
    """

    spread: float = 0.0
    residual: float = 0.0
    cast: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no standard deviation, and a cast in more doubt than a sample is."""
        if not all(np.isfinite(part) and part >= 0.0 for part in astuple(self)) or self.cast > 1.0:
            raise BadInput(f"{self} is no doubt", remedy="give finite numbers, zero or more, and a cast up to one")


SAMPLED = Doubt()  # of the episodes, the items and the cast alone


def percentile_interval(draws: Floats) -> tuple[float, float]:
    """Ends of the central 95 % of `draws` (D,)."""
    low, high = np.percentile(draws, ENDS)
    return float(low), float(high)


def clustered_mean_interval(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    draws: int = 2000,
) -> Estimate:
    """The mean of `values` (I,) and its interval, drawing whole `clusters` (I,) of them (None: each its own).

    With a single cluster the spread is unknown and the ends are NaN.
    """
    v = np.asarray(values, dtype=np.float64)
    return clustered_ratio_interval(v, np.ones_like(v), clusters, rng=rng, draws=draws)


def clustered_ratio_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    draws: int = 2000,
) -> Estimate:
    """Σ numerator / Σ denominator, each (I,), and its interval, drawing whole `clusters` (I,).

    Where more than one draw in twenty has nothing below the line, the spread is unknown and the ends are NaN; fewer
    are left out.
    """
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    if top.ndim != 1 or top.shape != bottom.shape or not top.size:
        raise BadInput(
            f"an interval needs one number for each item, not arrays of shape {top.shape} and {bottom.shape}"
        )
    if clusters is not None:
        member = _members(clusters, top.size)
        top = np.bincount(member, weights=top).astype(np.float64)
        bottom = np.bincount(member, weights=bottom).astype(np.float64)
    whole = bottom.sum()
    mean = float(top.sum() / whole) if whole else np.nan
    if len(top) < 2:
        return Estimate(mean, np.nan, np.nan)
    drawn = rng.integers(len(top), size=(draws, len(top)))
    above, below = top[drawn].sum(axis=1), bottom[drawn].sum(axis=1)
    known = below != 0.0
    if known.mean() < MOST_KNOWN:
        return Estimate(mean, np.nan, np.nan)
    return Estimate(mean, *percentile_interval(above[known] / below[known]))


def _members(clusters: ArrayLike, count: int) -> NDArray[np.intp]:
    """(I,) the number of the cluster each of `count` values belongs to."""
    labels = np.asarray(clusters)
    if labels.shape != (count,):
        raise BadInput(f"cluster labels of shape {labels.shape} for {count} values")
    return np.unique(labels, return_inverse=True)[1]


def posterior_draws(
    prior: ArrayLike,
    matrix: ArrayLike | Blocks,
    dose: float,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    doubt: Doubt = SAMPLED,
    less: Blocks | None = None,
) -> tuple[Floats, Floats]:
    """Log-weights before and after, (D, K + 1) each: resampled episodes, reweighted personas, drawn doses.

    Neutral in column 0. `less` are the rows of a control whose mean was taken off the matrix: drawn anew as well.
    Doses and a control have generators of their own, so one stream gives the same episodes at any `doubt`.
    """
    own, theirs = rng.spawn(2)
    means = _resampled_means(in_blocks(matrix), rng, draws)
    if less is not None:
        means = means - (_resampled_means(less, theirs, draws) - mean_evidence(less))
    before = log_of(_reweighted(normalised(prior, size=means.shape[1]), doubt.cast, rng, draws))
    doses = dose * np.exp(doubt.spread * own.standard_normal(draws))
    return before, log_of(softmax(before + doses[:, None] * means))


def _reweighted(prior: Floats, cast: float, rng: np.random.Generator, draws: int) -> Floats:
    """(D, K + 1) priors whose personas' weights scatter by `cast` about theirs; neutral keeps its share."""
    shape = (draws, len(prior) - 1)
    by = rng.gamma(1.0 / cast**2, size=shape) if cast > 0.0 else np.ones(shape)
    neutral, personas = prior[0], prior[1:] * by
    if neutral < 1.0:
        personas *= (1.0 - neutral) / personas.sum(axis=1, keepdims=True)
    return np.column_stack([np.full(draws, neutral), personas])


def _resampled_means(blocks: Blocks, rng: np.random.Generator, draws: int) -> Floats:
    """(D, K + 1) means over as many episodes as there are, drawn with replacement; see the module for several blocks.

    Of one block the numbers are those of drawing from all of it at once.
    """
    ahead, left = blocks.rows, np.full(draws, blocks.rows)  # episodes not yet read; of each draw, not yet drawn
    total: Floats = np.zeros(())
    for block in blocks:
        here = left if len(block) == ahead else rng.binomial(left, len(block) / ahead)
        total = total + np.stack([_drawn_sum(block, number, rng) for number in here])
        ahead, left = ahead - len(block), left - here
    return total / blocks.rows


def _drawn_sum(scores: Floats, number: int, rng: np.random.Generator) -> Floats:
    """(K + 1,) the sum over `number` episodes drawn with replacement."""
    count = len(scores)
    times = np.bincount(rng.integers(count, size=number), minlength=count)
    total: Floats = times @ scores
    return total


def shift_draws(
    before: Floats,
    after: Floats,
    levels: ArrayLike,
    *,
    rng: np.random.Generator,
    beside: ArrayLike = 0.0,
) -> Floats:
    """Forecast shift (D,) nats under each draw of log-weights (D, K + 1), on resampled items of `levels` (K + 1, I).

    `beside` (I,) nats is added to the shift of every item.
    """
    table = np.asarray(levels, dtype=np.float64)
    blocks = max(1, -(-before.shape[0] * table.size // BLOCK))
    pairs = zip(np.array_split(before, blocks), np.array_split(after, blocks), strict=True)
    change = np.concatenate([mix(b, table) - mix(a, table) for a, b in pairs]) + beside  # (D, I)
    items = table.shape[1]
    times = rng.multinomial(items, np.full(items, 1.0 / items), size=len(change))  # (D, I)
    shifts: Floats = (change * times).sum(axis=1) / times.sum(axis=1)
    return shifts


def forecast_intervals(
    prior: ArrayLike,
    matrix: ArrayLike | Blocks,
    levels: Mapping[str, Floats],
    dose: float,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    doubt: Doubt = SAMPLED,
    less: Blocks | None = None,
    beside: Mapping[str, Floats] | None = None,
) -> dict[str, Estimate]:
    """Forecast shift (nats) of every trait with the interval in which a measured shift lies 95 times in a hundred.

    `levels[trait]` (K + 1, I_t); `less` as in `posterior_draws`. Traits share the draws of who speaks and of the dose;
    departures are each trait's own. `beside[trait]` (I_t,) nats is what another reading adds to the shift of each item.
    """
    also = beside or {trait: np.zeros(table.shape[-1]) for trait, table in levels.items()}
    weights = posterior(prior, matrix, dose)
    (own,) = rng.spawn(1)
    before, after = posterior_draws(prior, matrix, dose, rng=rng, draws=draws, doubt=doubt, less=less)
    found = {}
    for trait, table in levels.items():
        shifts = shift_draws(before, after, table, rng=rng, beside=also[trait])
        shifts = shifts + doubt.residual * own.standard_normal(draws)
        mean = forecast_shift(prior, weights, table) + float(also[trait].mean())
        found[trait] = Estimate(mean, *percentile_interval(shifts))
    return found
