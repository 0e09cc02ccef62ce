"""Is the cast one axis? The principal direction of personas in trait space.

Rows are personas, columns traits, entries levels (log-odds, nats), centred over personas. A cast whose variance lies in
one direction (good against evil) makes every forecast look right, so this share is reported beside every figure.
Source: PSM.md section 2, "one direction", and section 4.
"""

import numpy as np
from numpy.typing import ArrayLike

from personae.records.results import Floats


def direction_shares(log_odds: ArrayLike) -> Floats:
    """Share of the variance of `log_odds` (K, T) over personas in each principal direction, largest first; NaN: none.

    >>> direction_shares([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).round(12).tolist()
    [0.9, 0.1]
    """
    variances = np.square(np.linalg.svd(centred(log_odds), compute_uv=False))
    total = float(variances.sum())
    return variances / total if total > 0.0 else np.full_like(variances, np.nan)


def first_direction_share(log_odds: ArrayLike) -> float:
    """Share of the variance of `log_odds` (K, T), centred over personas, that the first principal direction holds."""
    return float(direction_shares(log_odds)[0])


def first_direction(log_odds: ArrayLike) -> Floats:
    """The first principal direction (T,): unit length, its largest entry positive (a direction itself has no sign)."""
    _, _, rows = np.linalg.svd(centred(log_odds), full_matrices=False)
    axis: Floats = rows[0]
    return axis * (1.0 if axis[np.argmax(np.abs(axis))] > 0.0 else -1.0)


def centred(log_odds: ArrayLike) -> Floats:
    """`log_odds` (K, T) less the mean over personas."""
    table = np.asarray(log_odds, dtype=np.float64)
    middle: Floats = table - table.mean(axis=0)
    return middle
