"""Reliability: can this model show this trait at all?

Levels (K, I) of K personas on I items are taken apart by two-way random effects, one measurement a cell:

    level[k, i] = grand mean + persona_k + item_i + (persona × item)_ki
    reliability = var(persona) / ( var(persona) + var(persona × item) / I  [+ seed variance] )

Items that are hard for everyone (var(item)) cost nothing: personas are compared on the same items. Below 0.5 a cell is
shown as "this model cannot show it" and left out before any forecast is looked at.
Source: PSM.md section 2, Reliability of a cell; Cronbach et al., generalizability theory (p × i design), 1972.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats

RELIABLE = 0.5  # a cell below this is left out


@dataclass(frozen=True)
class VarianceComponents:
    """Variances (nats²) of persona, item and persona × item (noise included); estimates below zero are zero."""

    persona: float
    item: float
    interaction: float


def variance_components(levels: ArrayLike) -> VarianceComponents:
    """Variance components of `levels` (K, I), K and I at least two, by equating mean squares to their expectations."""
    table = np.asarray(levels, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise BadInput(
            f"reliability from levels of shape {table.shape}", remedy="give two personas and two items, or more"
        )
    k, i = table.shape
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    rest = np.square(table - rows - columns + table.mean()).sum() / ((k - 1) * (i - 1))
    between_personas = i * rows.var(ddof=1)
    between_items = k * columns.var(ddof=1)
    return VarianceComponents(
        persona=max(float(between_personas - rest) / i, 0.0),
        item=max(float(between_items - rest) / k, 0.0),
        interaction=float(rest),
    )


def cell_reliability(levels: ArrayLike, *, between_seeds: float = 0.0) -> float:
    """Reliability, 0 to 1, of the mean over items of `levels` (K, I); 0 where no persona differs from another.

    For trained profiles add `between_seeds` (nats²), the variance between seeds of what is reported (`seed_variance`).

    >>> cell_reliability([[0.0, 1.0], [2.0, 3.0]])
    1.0
    """
    found = variance_components(levels)
    noise = found.interaction / np.shape(levels)[1] + between_seeds
    return found.persona / (found.persona + noise) if found.persona > 0.0 else 0.0


def seed_variance(levels: ArrayLike) -> float:
    """Variance (nats²) between seeds of one training's level: `levels` (S, K) of S >= 2 seeds, pooled over K subjects.

    Of a mean over S seeds, the variance is this divided by S.
    """
    table: Floats = np.asarray(levels, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2:
        raise BadInput(f"seed variance from levels of shape {table.shape}", remedy="train with two seeds or more")
    return float(table.var(axis=0, ddof=1).mean())
