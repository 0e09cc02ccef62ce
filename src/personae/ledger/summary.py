"""What the ledger says as a whole: every scored forecast, coverage by model and by trait, and the calibration curve.

Everything is counted over cells: one trait of one score. All figures are of the cells in view, so that asking for one
model or trait changes them alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from personae.errors import BadInput
from personae.ledger.scoring import Cells, cells
from personae.ledger.store import Book, Kept
from personae.records.results import Floats
from personae.report.content import CalibrationPoint, ScatterPoint
from personae.report.ledger_content import LedgerReport, Promise, ScoredForecast
from personae.theory import central_quantile, departures, held, interval_score, median_within, pit, share_interval
from personae.theory.calibration import RECORDED

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
TENTHS = np.linspace(0.0, 1.0, 11)


def summary(book: Book, models: Sequence[str] = (), traits: Sequence[str] = ()) -> LedgerReport:
    """The whole ledger, or what it holds of `models` and `traits`; `BadInput` for one that none of its scores is of.

    Where there is no score at all, nothing is said of the names.
    """
    _check(models, {kept.forecast.model for kept in book.scored}, "model")
    _check(traits, {t for kept in book.scored for t in kept.score.measured}, "trait")
    sealed = sum(not models or forecast.model in models for forecast in book.forecasts)
    view = [kept for kept in book.scored if not models or kept.forecast.model in models]
    pairs = [(kept, _seen(kept, traits)) for kept in sorted(view, key=_by_model_and_time)]
    pairs = [(kept, seen) for kept, seen in pairs if seen.traits]
    only = ", ".join([*models, *traits])
    if not pairs:
        return LedgerReport(sealed, only=only)
    table = _table(pairs)
    known = table.known
    return LedgerReport(
        sealed=sealed,
        scored=tuple(_line(*pair) for pair in pairs),
        overall=_promise("all", table),
        within=median_within(table.score, table.forecast, table.measured),
        spread=_spread(table.departure[known]),
        curve=tuple(_point(table.departure[known], table.source[known], level) for level in LEVELS),
        pit=tuple(float(share) for share in _tenths(table.departure[known])),
        by_model=_promises(table, table.model),
        by_trait=_promises(table, table.trait),
        cells=tuple(dot for pair in pairs for dot in _dots(*pair)),
        only=only,
    )


def _check(asked: Sequence[str], there: set[str], what: str) -> None:
    if there and (unknown := [name for name in asked if name not in there]):
        raise BadInput(f"no scored forecast has the {what} {unknown[0]!r}", remedy=f"one of {', '.join(sorted(there))}")


def _seen(kept: Kept, traits: Sequence[str]) -> Cells:
    """The cells of one score that are in view."""
    shown = {t: f for t, f in kept.forecast.traits.items() if not traits or t in traits}
    return cells(shown, kept.score.measured, kept.score.left_out)


def _by_model_and_time(kept: Kept) -> tuple[str, str, float]:
    return kept.forecast.model, kept.forecast.data, kept.score.scored_at


# -- the cells of all scores -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Table:
    """Every cell, (C,) each: numbers in nats, and whose they are; `score` counts the scores from 0."""

    forecast: Floats
    low: Floats
    high: Floats
    measured: Floats
    departure: Floats
    digest: NDArray[np.str_]
    source: NDArray[np.str_]  # model and data, whose forecasts go wrong together
    model: NDArray[np.str_]
    trait: NDArray[np.str_]
    score: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(C,) where there is an interval to hold what was measured."""
        found: NDArray[np.bool_] = ~np.isnan(self.departure)
        return found

    def of(self, chosen: NDArray[np.bool_]) -> "_Table":
        """The cells that are `chosen` (C,)."""
        return replace(self, **{name: column[chosen] for name, column in vars(self).items()})


def _table(pairs: Sequence[tuple[Kept, Cells]]) -> _Table:
    sizes = [len(c.traits) for _, c in pairs]
    low, high, forecast, measured = (
        np.concatenate([getattr(c, side) for _, c in pairs]) for side in ("low", "high", "forecast", "measured")
    )
    return _Table(
        forecast=forecast,
        low=low,
        high=high,
        measured=measured,
        departure=departures(low, high, measured),
        digest=np.repeat([kept.forecast.digest for kept, _ in pairs], sizes),
        source=np.repeat([f"{kept.forecast.model_digest} {kept.forecast.data_digest}" for kept, _ in pairs], sizes),
        model=np.repeat([kept.forecast.model for kept, _ in pairs], sizes),
        trait=np.array([t for _, c in pairs for t in c.traits]),
        score=np.repeat(np.arange(len(pairs)), sizes),
    )


def _promises(table: _Table, labels: NDArray[np.str_]) -> tuple[Promise, ...]:
    """One for each label, in alphabetical order."""
    return tuple(_promise(str(name), table.of(labels == name)) for name in np.unique(labels))


def _promise(name: str, table: _Table) -> Promise:
    """How the recorded intervals of these cells did."""
    seen = table.of(table.known)
    return Promise(
        name=name,
        forecasts=len(np.unique(table.digest)),
        n=len(seen.departure),
        held=share_interval(held(seen.departure, RECORDED), seen.source),
        width=_width(seen.low, seen.high),
        interval_score=interval_score(seen.low, seen.high, seen.measured),
    )


def _line(kept: Kept, seen: Cells) -> ScoredForecast:
    """One score, on the cells in view."""
    found, forecast = seen.score(), kept.forecast
    return ScoredForecast(
        model=forecast.model,
        data=forecast.data,
        against=forecast.against,
        digest=forecast.digest,
        sealed_at=forecast.sealed_at,
        scored_at=kept.score.scored_at,
        ahead=kept.ahead,
        n=found.n,
        pearson=found.pearson,
        slope=found.slope,
        coverage=found.coverage,
        width=_width(seen.low, seen.high),
        interval_score=seen.interval_score(),
    )


def _dots(kept: Kept, seen: Cells) -> list[ScatterPoint]:
    """One for each cell of a score."""
    arm, data = kept.forecast.model, kept.forecast.data
    each = zip(seen.traits, seen.forecast, seen.measured, strict=True)
    return [ScatterPoint(arm, f"{data}: {trait}", float(expected), float(found)) for trait, expected, found in each]


# -- the promise -----------------------------------------------------------------------------------------------------
def _point(departure: Floats, source: NDArray[np.str_], stated: float) -> CalibrationPoint:
    return CalibrationPoint(stated, share_interval(held(departure, stated), source), len(departure))


def _tenths(departure: Floats) -> Floats:
    """(10,) shares of the measurements in each tenth of their forecast distribution."""
    counts, _ = np.histogram(pit(departure), bins=TENTHS)
    shares: Floats = counts / max(len(departure), 1)
    return shares


def _spread(departure: Floats) -> float:
    """Root mean square of the standard errors; of intervals that have a width."""
    finite = departure[np.isfinite(departure)]
    return float(central_quantile(RECORDED) * np.sqrt(np.square(finite).mean())) if finite.size else float("nan")


def _width(low: Floats, high: Floats) -> float:
    return float(np.nanmean(high - low)) if np.isfinite(high - low).any() else float("nan")
