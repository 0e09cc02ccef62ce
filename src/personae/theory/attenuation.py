"""Attenuation and character: did the Assistant change, or did the instrument die?

Training can leave a model that no longer tells the poles of an item apart, for anyone. How much of that happened is
read off personas that were *not* trained, each under its own context, on items that score nothing else:

    attenuation     = 1 - slope of trained on untrained levels, centred over personas; 0 intact, 1 tells nothing apart
    character shift = trained - [centre + (1 - attenuation) · (untrained - centre)], nats: what forecasts are scored on

`centre` is the mean of those personas' untrained levels. The slope is about that mean, so what it says of a level is
how far it draws in towards there, and not towards zero: where one pole's answers are longer, every level of an item is
far below zero, and none of that is told apart from anything. With a centre of zero it is the formula of PSM.md.

Noise in the untrained levels flattens the slope too, so attenuation is overstated on an unreliable instrument: average
over items first, and leave unreliable cells out.
Source: PSM.md section 2, Attenuation and character; why about the centre: docs/lab-notes.md.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.principal import centred

FEWEST = 4  # other personas that a slope needs
TOO_HEAVY = 0.1  # a dose that attenuates more than this is too heavy
_GOLDEN = (5.0**0.5 - 1.0) / 2.0


def attenuation_items(count: int) -> NDArray[np.bool_]:
    """Which of `count` items measure attenuation and nothing else: a fixed quarter, the same for everyone.

    Positions are ranked along multiples of the golden ratio, so the choice keeps step with no pattern in how items
    are listed (kinds that take turns, say).

    >>> int(attenuation_items(24).sum())
    6
    """
    order = np.argsort((np.arange(count) * _GOLDEN) % 1.0, kind="stable")
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[order[: count // 4]] = True
    return chosen


def pooled_attenuation(untrained: ArrayLike, trained: ArrayLike) -> float:
    """One attenuation for all traits, pooled, from levels (K, T) of K >= 4 other personas; each trait centred alone.

    >>> pooled_attenuation([[2.0], [-2.0], [4.0], [0.0]], [[1.0], [-1.0], [2.0], [0.0]])
    0.5
    """
    products, squares = _moments(untrained, trained)
    return 1.0 - float(products.sum() / squares.sum()) if squares.sum() > 0.0 else float("nan")


def character_shift(untrained: ArrayLike, trained: ArrayLike, attenuation: ArrayLike, centre: ArrayLike) -> Floats:
    """The change of levels, nats, that a dying instrument does not account for; all shapes broadcast."""
    before, after = np.asarray(untrained, dtype=np.float64), np.asarray(trained, dtype=np.float64)
    drawn_in = np.asarray(attenuation, dtype=np.float64) * (before - np.asarray(centre, dtype=np.float64))
    moved: Floats = after - before + drawn_in
    return moved


def _moments(untrained: ArrayLike, trained: ArrayLike) -> tuple[Floats, Floats]:
    """Σ over personas of centred untrained · trained, and of centred untrained², (T,) each."""
    before, after = np.asarray(untrained, dtype=np.float64), np.asarray(trained, dtype=np.float64)
    if before.ndim != 2 or before.shape != after.shape:
        raise BadInput(f"levels of shape {before.shape} and {after.shape} where (personas, traits) twice is expected")
    if len(before) < FEWEST:
        raise BadInput(
            f"attenuation from {len(before)} personas", remedy=f"give at least {FEWEST} that were not trained"
        )
    off = centred(before)
    products: Floats = (off * centred(after)).sum(axis=0)
    squares: Floats = np.square(off).sum(axis=0)
    return products, squares
