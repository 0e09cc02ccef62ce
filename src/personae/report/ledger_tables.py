"""The ledger as tables and sentences: the same numbers for its page and for a terminal. Nothing is computed."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import fill
from typing import Literal

from personae.records import Estimate
from personae.report.blocks import Badge
from personae.report.content import CalibrationPoint
from personae.report.ledger_content import LedgerReport, Promise, ScoredForecast
from personae.report.numbers import percent, plain, two_figures
from personae.report.tables import Table, to_terminal

_STATED = 0.95  # what a recorded interval promises
_COLUMNS = 100  # of a terminal


def empty_words(report: LedgerReport) -> str:
    """One line where nothing has been scored."""
    if report.only:
        found = f"Nothing scored is about {report.only}"
    elif report.sealed:
        many = "One forecast is" if report.sealed == 1 else f"{report.sealed} forecasts are"
        found = f"{many} sealed, and none is scored yet"
    else:
        return "The ledger is empty: `personae run` seals a forecast before training and scores it after."
    return f"{found}: `personae score FORECAST PROFILE` scores one after training."


def ledger_words(report: LedgerReport) -> str:
    """The ledger for a terminal: the verdict, every scored forecast, models, traits, and the calibration curve."""
    tables = (
        scored_table(report.scored, brief=True),
        promise_table("model", report.by_model),
        promise_table("trait", report.by_trait),
        curve_table(report.curve),
    )
    off = f"Measurements lie {two_figures(report.spread)} times as far off as the intervals promise, root mean square."
    after = [
        f"Correlation within a forecast, the median: {plain(report.within)}. {off}",
        "A forecast records its 95 % interval; at other levels it has that of the normal distribution with these ends.",
    ]
    if not all(s.ahead for s in report.scored):
        after.append("* Not sealed ahead: it entered the ledger with a score.")
    before = [] if report.overall is None else [fill(promise_verdict(report.overall)[1], _COLUMNS) + "\n"]
    return "\n".join((*before, *map(to_terminal, tables), *(fill(words, _COLUMNS) for words in after)))


def promise_verdict(overall: Promise) -> tuple[Badge, str]:
    """Whether the 95 % intervals kept their promise: the verdict, and a sentence with its numbers.

    They did where the interval about the share that held includes 95 %.
    """
    held, cells = overall.held, f"{round(overall.held.mean * overall.n) if overall.n else 0} of {overall.n}"
    if not math.isfinite(held.mean):
        return Badge("Cannot be told", "open"), "No forecast in view has an interval."
    found = f"{cells} measurements, {percent(held.mean)}, lie inside the interval that promised 95\u00a0%"
    many = "one forecast" if overall.forecasts == 1 else f"{overall.forecasts} forecasts"
    about = f"; as far as {many} can tell, that is {_span(held)}"
    tone: Literal["whole", "half", "none"]
    if held.high < _STATED:
        verdict, tone, says = "Too sure", "none", "The intervals were too narrow"
    elif held.low > _STATED:
        verdict, tone, says = "Too cautious", "half", "The intervals were wider than they need be"
    else:
        verdict, tone, says = "Keeps its promise", "whole", "Nothing speaks against the intervals"
    return Badge(verdict, tone), f"{says}: {found}{about}."


def scored_table(scored: Sequence[ScoredForecast], *, brief: bool = False) -> Table:
    """Every scored forecast, by model and by data; `brief` leaves out the control and the day of the seal."""
    rows = tuple((*_which(s, brief), *_figures(s)) for s in scored)
    columns = ("model", "data", "scored") if brief else ("model", "data", "sealed", "scored")
    named = (*columns, "traits", "r", "slope", "inside", "score")
    caption = "Scored forecasts: share inside the 95 % interval, interval score in nats"
    return Table(named, rows, caption, frozenset(range(len(columns), len(named))), stacks=True)


def _which(s: ScoredForecast, brief: bool) -> tuple[str, ...]:
    if brief:
        return s.model, s.data, day(s.scored_at) + ("" if s.ahead else "*")
    data = s.data if s.against is None else f"{s.data} against {s.against}"
    return s.model, data, day(s.sealed_at) if s.ahead else "with the score", day(s.scored_at)


def _figures(s: ScoredForecast) -> tuple[str, ...]:
    return str(s.n), plain(s.pearson), plain(s.slope), percent(s.coverage), two_figures(s.interval_score)


def promise_table(what: str, promises: Sequence[Promise]) -> Table:
    """Coverage and interval score of each model or trait."""
    rows = tuple(
        (p.name, str(p.forecasts), str(p.n), percent(p.held.mean), _span(p.held), two_figures(p.width),
         two_figures(p.interval_score))
        for p in promises
    )  # fmt: skip
    columns = (what, "forecasts", "cells", "inside", "which may be", "width", "score")
    caption = f"By {what}: share inside the 95 % interval, mean width and interval score in nats"
    return Table(columns, rows, caption, frozenset(range(1, 7)))


def curve_table(curve: Sequence[CalibrationPoint]) -> Table:
    """The calibration curve in numbers."""
    rows = tuple((percent(p.stated), percent(p.held.mean), _span(p.held), str(p.n)) for p in curve)
    return Table(("promised", "held", "which may be", "cells"), rows, "Calibration", frozenset(range(4)))


def day(seconds: float) -> str:
    """A time since 1970 as a date, in Greenwich.

    >>> day(86400.0 * 365)
    '1971-01-01'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _span(estimate: Estimate) -> str:
    return f"{percent(estimate.low)} to {percent(estimate.high)}"
