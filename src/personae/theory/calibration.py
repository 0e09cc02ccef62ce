"""Do intervals keep their promise? Of those that promise to hold a measurement so often, the share that did.

A forecast records one central interval, the 95 % one. One normal distribution has its 2.5th and 97.5th percentiles at
the ends of that interval; it stands for the forecast at every other level. So a wider or narrower interval is the
recorded one stretched about its middle, and at 95 % it is the recorded one itself: nothing there is assumed.

    departure u = (measured - middle) / half-width        -1 and 1 at the recorded ends
    held at level p:  |u| <= z(p) / z(0.95)               z(p) the normal quantile of a central share p
    PIT = Φ(z(0.95) · u)                                  uniform on [0, 1] if forecasts are calibrated

Cells of one forecast go wrong together (they share its dose and its cast), so the doubt about a share counts how
alike they are: between one observation a forecast and one a cell.
Source: Dawid, JRSS A 147, 1984 (PIT); Gneiting, Balabdaoui & Raftery, JRSS B 69, 2007 (calibration); Wilson, JASA 22,
1927 (interval of a share); Korn & Graubard, Survey Methodology 24, 1998 (the same for clusters: effective number).
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import BadInput
from personae.records.results import Estimate, Floats

RECORDED = 0.95  # the level of the interval that a forecast records
NORMAL = NormalDist()


def central_quantile(stated: float) -> float:
    """Half the width, in standard deviations, of the normal distribution's central interval that holds `stated`.

    >>> round(central_quantile(0.95), 3), round(central_quantile(0.5), 3)
    (1.96, 0.674)
    """
    if not 0.0 < stated < 1.0:
        raise BadInput(f"no interval holds a share of {stated}", remedy="give a number between 0 and 1")
    return NORMAL.inv_cdf(0.5 + stated / 2.0)


def departures(low: ArrayLike, high: ArrayLike, measured: ArrayLike) -> Floats:
    """How far measurements lie from the middle of their intervals, in half-widths; NaN where anything is unknown.

    Positive where more was measured than forecast. An interval without width holds what lies on it, at 0, and nothing
    else: that lies infinitely far off.

    >>> departures([0.0, 0.0, 1.0], [2.0, 2.0, 1.0], [2.0, 0.5, 3.0]).tolist()
    [1.0, -0.5, inf]
    """
    bottom, top, x = (np.asarray(a, dtype=np.float64) for a in (low, high, measured))
    off, half = x - (bottom + top) / 2.0, (top - bottom) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where((half == 0.0) & (off == 0.0), 0.0, off / half)
    return found


def held(departure: ArrayLike, stated: float) -> NDArray[np.bool_]:
    """Whether the central interval that promises `stated` holds each measurement, ends included; never the unknown."""
    reach = central_quantile(stated) / central_quantile(RECORDED)
    inside: NDArray[np.bool_] = np.abs(np.asarray(departure, dtype=np.float64)) <= reach
    return inside


def pit(departure: ArrayLike) -> Floats:
    """Probability integral transform: the share of the forecast distribution below each measurement.

    >>> pit([0.0, 1.0]).round(3).tolist()
    [0.5, 0.975]
    """
    from scipy.special import ndtr

    found: Floats = ndtr(central_quantile(RECORDED) * np.asarray(departure, dtype=np.float64))
    return found


def share_interval(found: ArrayLike, clusters: ArrayLike) -> Estimate:
    """The share of `found` (n,) that is true and its 95 % interval, where members of one of `clusters` (n,) are alike.

    Wilson's interval at the effective number of observations p(1 - p) / var(p), the variance being that between
    clusters; never below their number nor above n. Where all agree that variance says nothing, and each cluster counts
    once. Of nothing, all is unknown.
    """
    hits, labels = np.asarray(found, dtype=np.float64), np.asarray(clusters)
    if hits.ndim != 1 or hits.shape != labels.shape:
        raise BadInput(f"cluster labels of shape {labels.shape} for {hits.shape} observations")
    if not hits.size:
        return Estimate(np.nan, np.nan, np.nan)
    share, member = float(hits.mean()), np.unique(labels, return_inverse=True)[1]
    sums: Floats = np.bincount(member, weights=hits - share).astype(np.float64)
    return _wilson(share, _effective(share, sums, hits.size))


def _effective(share: float, sums: Floats, n: int) -> float:
    """How many independent observations know the share as well; `sums` (G,) of departures from it in each cluster."""
    groups = len(sums)
    if groups < 2:
        return 1.0
    variance = groups / (groups - 1) * float(sums @ sums) / n**2
    alone = share * (1.0 - share)
    if alone == 0.0:
        return float(groups)
    return float(np.clip(alone / variance, groups, n)) if variance > 0.0 else float(n)


def _wilson(share: float, n: float) -> Estimate:
    z = central_quantile(0.95)
    middle = (share + z**2 / (2.0 * n)) / (1.0 + z**2 / n)
    half = z / (1.0 + z**2 / n) * np.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n**2))
    return Estimate(share, float(max(middle - half, 0.0)), float(min(middle + half, 1.0)))
