"""Forgetting: what later lessons wear off of earlier ones.

    dose_i · exp(-decay · Σ of the doses after it)          decay per effective episode; 0 forgets nothing

Conditioning knows no order: the posterior of lessons is the same whichever comes first, and `decay` = 0. A training
departs from that, and this is its simplest departure: one number, fitted like a dose on other runs, under which what
was learned earlier counts for less and the last lesson counts in full.
"""

from collections.abc import Sequence

import numpy as np

from personae.errors import BadInput
from personae.records.results import Floats


def faded(doses: Sequence[float], decay: float) -> Floats:
    """(n,) what lessons of these `doses`, in the order they were given, still count for, in effective episodes.

    >>> faded([1.0, 2.0], decay=0.0).tolist()
    [1.0, 2.0]
    >>> faded([1.0, 2.0], decay=np.log(2.0)).round(12).tolist()
    [0.25, 2.0]
    """
    given = np.asarray(doses, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all() or (given < 0.0).any():
        raise BadInput("doses are finite numbers of effective episodes, zero or more")
    if not (np.isfinite(decay) and decay >= 0.0):
        raise BadInput(f"a decay of {decay} per effective episode", remedy="give a finite number, zero or more")
    later = given.sum() - np.cumsum(given)
    left: Floats = given * np.exp(-decay * later)
    return left
