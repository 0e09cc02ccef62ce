"""The page of `personae ledger`: were the forecasts right, and do their intervals keep their promise?

For whoever is to rely on the next forecast: what the past ones came to, first in two pictures, then forecast by
forecast. Nothing is computed here.
"""

from markupsafe import Markup

from personae.report.blocks import Block, Fold, Number, Numbers, Points, Section, Statement
from personae.report.figures import calibration_curve, figure, forecast_scatter
from personae.report.ledger_content import LedgerReport
from personae.report.ledger_tables import curve_table, promise_table, promise_verdict, scored_table
from personae.report.numbers import plain, two_figures
from personae.report.page import page

_CURVE = (
    "How often intervals held what was measured. On the broken diagonal they keep their promise; below it they were "
    "too sure, above it too cautious. A forecast records its 95 % interval; at every other level its interval is that "
    "of the normal distribution with the same ends."
)
_CELLS = (
    "One mark for each trait of each scored forecast, a look for each model. On the broken diagonal, what was measured "
    "is what was forecast; on the horizontal line nothing moved. Traits that a file itself trains are left out."
)
_LIMITS = (
    "Cells of one forecast go wrong together, so the interval about a share counts a forecast for less than its cells.",
    (
        "The interval score (nats, less is better) is the width of the interval and 40 times what a measurement lies "
        "outside of it; of two forecasts that hold as much, the sharper has the lower."
    ),
    (
        "A forecast marked “with the score” entered the ledger when it was scored. A run or a study seals its own "
        "before it trains; that any other was made before the training rests on the word of whoever scored it."
    ),
    "A correlation over forecasts that differ in severity flatters; the figure above is the median within one.",
)


def ledger_page(report: LedgerReport) -> str:
    """The whole page as one HTML file; of a ledger in which something is scored."""
    number = len(report.scored)
    ahead = sum(s.ahead for s in report.scored)
    many = f"{number} scores of forecasts" if number > 1 else "One score of a forecast"
    lead = Markup("{}, {} of them sealed before they were scored.{}").format(
        many, "all" if ahead == number else ahead or "none", f" Only: {report.only}." if report.only else ""
    )
    sections = (_promise_section(report), _scored_section(report), _groups_section(report), _limits_section())
    return page("Were the forecasts right?", lead, sections)


def _promise_section(report: LedgerReport) -> Section:
    blocks: list[Block] = []
    if report.overall is not None:
        badge, says = promise_verdict(report.overall)
        blocks += [Statement(says), badge]
    if report.overall is not None and report.overall.n:
        blocks.append(figure(lambda width: calibration_curve(report.curve, width=width), _CURVE))
    blocks += [
        figure(lambda width: forecast_scatter(report.cells, width=width), _CELLS),
        Numbers(_numbers(report)),
        Fold("The calibration curve in numbers", (curve_table(report.curve),)),
    ]
    return Section("What came of them", (), tuple(blocks))


def _numbers(report: LedgerReport) -> tuple[Number, ...]:
    found = [
        Number(plain(report.within), "correlation of forecast and measured shift, the median within a forecast"),
        Number(
            two_figures(report.spread),
            "times as far off as the intervals promise, root mean square",
            "1 is as promised",
        ),
    ]
    if report.overall is not None:
        width = f"of which {two_figures(report.overall.width)} is the width of the intervals"
        found.append(Number(two_figures(report.overall.interval_score), "nats of interval score, the mean", width))
    return tuple(found)


def _scored_section(report: LedgerReport) -> Section:
    return Section("Every scored forecast", (), (scored_table(report.scored),))


def _groups_section(report: LedgerReport) -> Section:
    tables = (promise_table("model", report.by_model), promise_table("trait", report.by_trait))
    return Section("By model and by trait", (), tables)


def _limits_section() -> Section:
    return Section("How to read it", (), (Points(_LIMITS),))
