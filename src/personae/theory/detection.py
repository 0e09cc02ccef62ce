"""How well a number tells two kinds of things apart: area under the ROC curve, and rates of alarm.

    AUROC = P(a positive scores higher than a negative) + ½ P(they score alike)

Its interval inverts the score test with Hanley and McNeil's variance, so that it has a width at 1 as well. Rates have
the exact binomial interval of Clopper and Pearson.
Sources: Hanley and McNeil (1982), Radiology 143:29; Newcombe (2006), Statistics in Medicine 25:559, method 5.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import binomtest, norm, rankdata

from personae.records.results import Estimate

Z = float(norm.ppf(0.975))


def auroc(positive: ArrayLike, negative: ArrayLike) -> Estimate:
    """Of scores (M,) of positives and (N,) of negatives; 95 % interval, each score independent.

    >>> auroc([2.0, 3.0], [0.0, 1.0]).mean
    1.0
    """
    high, low = np.asarray(positive, dtype=np.float64), np.asarray(negative, dtype=np.float64)
    m, n = len(high), len(low)
    ranks = rankdata(np.concatenate([high, low]))[:m]
    area = float((ranks.sum() - m * (m + 1) / 2.0) / (m * n))
    return Estimate(area, _limit(area, m, n, 0.0), _limit(area, m, n, 1.0))


def _limit(area: float, m: int, n: int, end: float) -> float:
    """The area between `area` and `end` that the data only just do not reject."""
    if area == end:
        return end
    near = min(max(area, 1e-9), 1.0 - 1e-9)  # at 0 and 1 the spread is none, which is a root too
    return float(brentq(lambda true: abs(area - true) - Z * _spread(true, m, n), near, end))


def _spread(area: float, m: int, n: int) -> float:
    """The standard error where the true area is this, Newcombe's mean of both sizes in place of each."""
    half = (m + n) / 2.0 - 1.0
    variance = area * (1.0 - area) * (1.0 + half * ((1.0 - area) / (2.0 - area) + area / (1.0 + area)))
    return float(np.sqrt(variance / (m * n)))


def rate(hits: int, trials: int) -> Estimate:
    """`hits` of so many `trials`; NaN of none.

    >>> round(rate(0, 100).high, 3)
    0.036
    """
    if trials == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    span = binomtest(hits, trials).proportion_ci(0.95, "exact")
    return Estimate(hits / trials, float(span.low), float(span.high))
