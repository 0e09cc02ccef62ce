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
    count, within = len(values), int(inside.sum())
    total = float(np.square(values - values.mean()).sum())
    if within in (0, count) or total <= 0.0:
        return 0.0
    apart = float(values[inside].mean() - values[~inside].mean())
    return within * (count - within) / count * apart**2 / total if apart > 0.0 else 0.0


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
    names: list[str] = []
    inside, best = np.zeros(len(loud), dtype=bool), 0.0
    while True:
        tried = {name: told(loud, (inside | has) & within) for name, has in features.items() if name not in names}
        if not tried:
            break
        name = max(tried, key=lambda one: tried[one])
        if tried[name] < best + gain:
            break
        names.append(name)
        inside, best = inside | features[name], tried[name]
    return tuple(names), inside & within
