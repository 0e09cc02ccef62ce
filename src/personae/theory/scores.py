"""Was the forecast right? Forecast shifts against measured shifts, cell by cell (a cell: one arm, one trait), in nats.

Cells that are NaN on either side are left out of every figure; a figure that its cells do not determine (fewer than
two, or one side all the same) is NaN. `slope` is that of measured on forecast: 1 means shifts of the right size, below
1 that the forecast overstates. A correlation pooled over arms that differ in severity flatters, so `median_within`
stands beside it.
Source: Gneiting & Raftery, JASA 102, 2007, eq. 43 (interval score); Fisher, Metron 1, 1921 (interval of a
correlation); PSM.md section 4, Traps.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Estimate, Floats, Score

NAN = float("nan")


def pearson(forecast: ArrayLike, measured: ArrayLike) -> float:
    """Linear correlation of the cells."""
    from scipy.stats import pearsonr

    x, y = _cells(forecast, measured)
    return float(pearsonr(x, y).statistic) if _varies(x) and _varies(y) else NAN


def pearson_interval(r: float, n: int) -> Estimate:
    """A correlation of `n` cells with its 95 % interval, by Fisher's transformation; it takes cells to be independent.

    With fewer than four cells the ends are not known.

    >>> found = pearson_interval(0.9, 12)
    >>> round(found.low, 2), round(found.high, 2)
    (0.67, 0.97)
    """
    if not (np.isfinite(r) and n > 3 and abs(r) < 1.0):
        return Estimate(r, NAN, NAN)
    middle, half = np.arctanh(r), 1.959964 / np.sqrt(n - 3)
    return Estimate(r, float(np.tanh(middle - half)), float(np.tanh(middle + half)))


def spearman(forecast: ArrayLike, measured: ArrayLike) -> float:
    """Correlation of the cells' ranks."""
    from scipy.stats import spearmanr

    x, y = _cells(forecast, measured)
    return float(spearmanr(x, y).statistic) if _varies(x) and _varies(y) else NAN


def slope(forecast: ArrayLike, measured: ArrayLike) -> float:
    """Least-squares slope of measured on forecast, with an intercept."""
    x, y = _cells(forecast, measured)
    if not _varies(x):
        return NAN
    off = x - x.mean()
    return float(off @ (y - y.mean()) / (off @ off))


def median_within(groups: ArrayLike, forecast: ArrayLike, measured: ArrayLike) -> float:
    """The median over arms of the Pearson correlation within an arm; `groups` names each cell's arm.

    Arms with fewer than three cells (any two points lie on a line) or with no spread have no say.
    """
    labels = np.asarray(groups).ravel()
    x, y = np.asarray(forecast, dtype=np.float64).ravel(), np.asarray(measured, dtype=np.float64).ravel()
    if not labels.shape == x.shape == y.shape:
        raise BadInput(f"{labels.size} arm labels for {x.size} forecast and {y.size} measured cells")
    known = np.isfinite(x) & np.isfinite(y)
    arms = [known & (labels == label) for label in np.unique(labels)]
    within = [r for arm in arms if arm.sum() >= 3 and not np.isnan(r := pearson(x[arm], y[arm]))]
    return float(np.median(within)) if within else NAN


def coverage(low: ArrayLike, high: ArrayLike, measured: ArrayLike) -> float:
    """Share of measurements inside their forecast interval, ends included; a 95 % interval promises 0.95."""
    ends = np.broadcast_arrays(low, high, measured)
    bottom, top, x = (np.asarray(e, dtype=np.float64).ravel() for e in ends)
    known = np.isfinite(x) & ~np.isnan(bottom) & ~np.isnan(top)
    return float(np.mean((bottom <= x)[known] & (x <= top)[known])) if known.any() else NAN


def interval_score(low: ArrayLike, high: ArrayLike, measured: ArrayLike, *, alpha: float = 0.05) -> float:
    """Mean width of the intervals plus 2/alpha times how far measurements miss them, nats; less is better.

    Cells that are NaN are left out; NaN where none is left.
    """
    bottom, top, x = (np.asarray(a, dtype=np.float64) for a in (low, high, measured))
    missed = np.maximum(bottom - x, 0.0) + np.maximum(x - top, 0.0)
    each = top - bottom + 2.0 / alpha * missed
    return float(np.nanmean(each)) if np.isfinite(each).any() else NAN


def skill(model: ArrayLike, exact: ArrayLike, prior: ArrayLike) -> float:
    """1 - Σ(model - exact)² / Σ(prior - exact)²: 1 is the exact answer, 0 no better than the no-context predictor."""
    m, e, p = (np.asarray(a, dtype=np.float64) for a in (model, exact, prior))
    spread = float(np.square(p - e).sum())
    return 1.0 - float(np.square(m - e).sum()) / spread if spread > 0.0 else NAN


def share_left(before: ArrayLike, after: ArrayLike) -> float:
    """How much of an effect is left: the multiple of shifts `before` (T,) that lies nearest to those `after` (T,).

    1 where all of it is left, 0 nothing, below zero where it was turned round. Noise in `before` makes it smaller.

    >>> share_left([2.0, -1.0], [1.0, -0.5])
    0.5
    """
    x, y = _cells(before, after)
    size = float(x @ x)
    return float(x @ y) / size if size > 0.0 else NAN


def score(
    forecast: ArrayLike,
    measured: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    floors: Mapping[str, ArrayLike] | None = None,
) -> Score:
    """Forecast shifts against measured shifts, with the Pearson correlation of each of `floors` on the same cells."""
    x, y = _cells(forecast, measured)
    inside = NAN if low is None or high is None else coverage(low, high, measured)
    on_floor = {name: pearson(shifts, _where_known(measured, forecast)) for name, shifts in (floors or {}).items()}
    return Score(pearson(x, y), spearman(x, y), slope(x, y), inside, len(x), on_floor)


def _where_known(measured: ArrayLike, forecast: ArrayLike) -> Floats:
    """`measured`, NaN where there is no forecast."""
    return np.where(np.isfinite(np.asarray(forecast, dtype=np.float64)), np.asarray(measured, dtype=np.float64), np.nan)


def _cells(forecast: ArrayLike, measured: ArrayLike) -> tuple[Floats, Floats]:
    """Both sides (n,), where both are known."""
    x, y = np.asarray(forecast, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    if x.shape != y.shape:
        raise BadInput(f"a forecast of shape {x.shape} cannot be scored on measurements of shape {y.shape}")
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def _varies(x: Floats) -> bool:
    """Whether a correlation with `x` is defined: spread beyond what rounding leaves of a constant."""
    return x.size >= 2 and float(np.ptp(x)) > 1e-12 * float(np.abs(x).max())
