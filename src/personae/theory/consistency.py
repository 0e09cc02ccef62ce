"""Agreement: does an instrument say the same twice, and do two instruments say the same?

All of it is about the differences between K personas, since that is what a profile, a forecast and an attenuation read:

    split half   r between persona means over two random halves of the items, mean over draws, stepped up to the full
                 length: 2 r / (1 + |r|)
    retest       r between persona means of two readings that differ in wording alone
    agreement    r between persona means of two instruments; 1 is reached only where both are reliable

Source: Spearman, British Journal of Psychology 3, 1910; Brown, the same, 1910 (the step up from a half).
"""

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.scores import pearson

HALVES = 200  # draws of two halves


def split_half(levels: ArrayLike, *, seed: int = 0) -> float:
    """Split-half reliability of the mean over items of `levels` (K, I); NaN where no persona differs from another.

    Draws in which a half is flat are left out.
    """
    table: Floats = np.asarray(levels, dtype=np.float64)
    if table.ndim != 2 or len(table) < 3 or table.shape[1] < 2:
        raise BadInput(
            f"two halves of levels of shape {table.shape}", remedy="give three personas and two items, or more"
        )
    rng, items = np.random.default_rng(seed), table.shape[1]
    drawn = [rng.permutation(items) for _ in range(HALVES)]
    found = np.array([agreement(table[:, d[: items // 2]], table[:, d[items // 2 :]]) for d in drawn])
    if np.isnan(found).all():
        return float("nan")
    r = float(np.nanmean(found))
    return 2.0 * r / (1.0 + abs(r))


def agreement(one: ArrayLike, other: ArrayLike) -> float:
    """Pearson correlation over personas of the means of (K, I) and (K, J) levels; NaN where either is flat.

    >>> round(agreement([[0.0, 2.0], [3.0, 1.0], [4.0, 4.0]], [[2.0], [4.0], [8.0]]), 2)
    1.0
    """
    means = [np.asarray(table, dtype=np.float64).mean(axis=1) for table in (one, other)]
    if len(means[0]) != len(means[1]):
        raise BadInput(
            f"levels of {len(means[0])} and of {len(means[1])} personas", remedy="give the same personas twice"
        )
    return float(pearson(*means))
