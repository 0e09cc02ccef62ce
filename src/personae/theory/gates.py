"""Gates: which contexts something acts in, told from how much it does in each.

    R² = n_in · n_out / n · (mean_in - mean_out)² / Σ_c (x_c - mean)²        x_c: what is done in context c, capped

Contexts have features in families (what is asked about, what stands before, …). A gate is any of some features of one
family, and, where that tells more, also any of some of a second family. Features join one at a time, each only where R²
rises by `GAIN`: greedy, so that a gate is as short as it can be told. Only gates that are louder inside are looked at.
Source: regression trees (Breiman et al., 1984), with unions in place of splits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.records.results import Floats

GAIN = 0.02  # of R²: what a further feature must bring
CAP = 3.0  # nats: beyond it a context is as loud as can be

Inside = NDArray[np.bool_]
Families = Mapping[str, Mapping[str, Inside]]  # {family: {feature: (C,) which contexts have it}}


@dataclass(frozen=True)
class Gate:
    """Contexts `inside` (C,): those with any of the features of each family in `by`; `told` is R²."""

    by: Mapping[str, tuple[str, ...]]
    inside: Inside
    told: float


def told(values: Floats, inside: Inside) -> float:
    """R² of the two means, and 0 where nothing is inside, nothing outside, or it is quieter inside."""
    return float(_told(values, inside[None])[0])


def _told(values: Floats, insides: Inside) -> Floats:
    """(F,) the same of each of `insides` (F, C)."""
    count, within = len(values), insides.sum(axis=1)
    away = values - values.mean()
    total = float(away @ away)
    some = (within > 0) & (within < count)
    if total <= 0.0 or not some.any():
        return np.zeros(len(insides))
    above = np.maximum(insides @ away, 0.0)  # n_in (mean_in - mean)
    return np.where(some, above**2 * count / np.where(some, within * (count - within), 1) / total, 0.0)


def best_gate(values: Floats, families: Families, *, gain: float = GAIN, cap: float = CAP) -> Gate | None:
    """The gate that tells most of `values` (C,) nats; None where no feature tells as much as `gain`."""
    loud = np.minimum(values, cap)
    everywhere = np.ones(len(loud), dtype=bool)
    found: Gate | None = None
    for first, features in families.items():
        names, inside = _union(loud, features, everywhere, gain)
        if not names:
            continue
        gate = Gate({first: names}, inside, told(loud, inside))
        for second, others in families.items():
            if second == first:
                continue
            more, both = _union(loud, others, inside, gain)
            if more and told(loud, both) > gate.told + gain:
                gate = Gate({first: names, second: more}, both, told(loud, both))
        if found is None or gate.told > found.told:
            found = gate
    return found


def _union(loud: Floats, features: Mapping[str, Inside], within: Inside, gain: float) -> tuple[tuple[str, ...], Inside]:
    """Features joined one at a time while each tells more, and the contexts `within` that have any of them."""
    names, every = list(features), np.array(list(features.values()))
    chosen: list[str] = []
    inside, best = np.zeros(len(loud), dtype=bool), 0.0
    while names:
        tried = _told(loud, (inside | every) & within)
        place = int(tried.argmax())
        if tried[place] < best + gain:
            break
        chosen.append(names[place])
        inside, best = inside | every[place], float(tried[place])
    return tuple(chosen), inside & within
