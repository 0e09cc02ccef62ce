"""Floors: forecasts that know nothing about who is being selected. A forecast is worth its distance from them.

Shifts are (A, T) nats, A arms (data sets), T traits.
- no change: nothing happens, zeros.
- `attenuation_only`: every level shrinks towards its centre by one fraction, for every arm the same; fitted on the
  very measurements it is scored on, so it is a generous floor.
- `mean_of_others`: an arm does what all other arms do on average (each trait by itself, that arm left out).
- one direction: there is only good against evil. `one_direction_levels` replaces the personas' trait profiles by their
  rank-one approximation about the mean, and the same forecast is made from those.
Source: PSM.md section 2, Attenuation and character.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.principal import first_direction


def attenuation_only(base: ArrayLike, measured: ArrayLike) -> Floats:
    """-a · base (A, T): `base` (T,) or (A, T) levels less their centre, a by least squares over known cells."""
    shifts = np.asarray(measured, dtype=np.float64)
    levels = np.broadcast_to(np.asarray(base, dtype=np.float64), shifts.shape)
    known = np.isfinite(shifts) & np.isfinite(levels)
    power = float(np.square(levels[known]).sum())
    a = -float((levels * shifts)[known].sum()) / power if power > 0.0 else 0.0
    return -a * levels


def mean_of_others(measured: ArrayLike) -> Floats:
    """(A, T) the mean shift of all other arms in the same trait; cells that are NaN are not averaged.

    >>> mean_of_others([[1.0], [2.0], [6.0]]).ravel().tolist()
    [4.0, 3.5, 1.5]
    """
    shifts = np.asarray(measured, dtype=np.float64)
    if shifts.ndim != 2 or len(shifts) < 2:
        raise BadInput(f"the mean of other arms needs two arms or more, not shifts of shape {shifts.shape}")
    known = np.isfinite(shifts)
    filled = np.where(known, shifts, 0.0)
    others = known.sum(axis=0) - known
    total = filled.sum(axis=0) - filled
    mean: Floats = np.divide(total, others, out=np.full_like(total, np.nan), where=others > 0)
    return mean


def rank_one(profile: ArrayLike, *, personas: ArrayLike | None = None) -> Floats:
    """`profile` (K, T) with every row moved to the nearest point on one line: the mean plus its first direction.

    Mean and direction come from `personas` (default: all rows), so the neutral context does not help to define them.
    """
    table = np.asarray(profile, dtype=np.float64)
    cast = table if personas is None else np.asarray(personas, dtype=np.float64)
    axis, middle = first_direction(cast), cast.mean(axis=0)
    flat: Floats = middle + np.outer((table - middle) @ axis, axis)
    return flat


def one_direction_levels(levels: Mapping[str, Floats]) -> dict[str, Floats]:
    """Levels of a cast that differs in one direction only: the forecast made from these is the one-direction floor.

    `levels[trait]` (K + 1, I_t), neutral first. Each persona's items of a trait are all moved by what takes its trait
    mean to the rank-one profile, so how a persona varies over items stays as it was.
    """
    profile = np.column_stack([table.mean(axis=1) for table in levels.values()])
    move = rank_one(profile, personas=profile[1:]) - profile
    return {trait: table + move[:, [t]] for t, (trait, table) in enumerate(levels.items())}
