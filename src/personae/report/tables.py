"""Tables: records become rows of text, and rows become HTML or lines for a terminal. The same table, two readers.

A cell is text already; numbers are written by `numbers`, so that a page and a terminal never disagree. In HTML every
cell is escaped; for the terminal, escape sequences and hidden characters are removed.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from markupsafe import Markup

from personae.records import Estimate, Forecast, Posterior, Profile, Score
from personae.records.places import evenly
from personae.report.content import DosePath, Grid, TraitRow
from personae.report.numbers import from_to, percent, plain, probability, signed, two_figures
from personae.report.untrusted import esc, for_terminal

_DOSES = 5  # of a path, from its first to its last


@dataclass(frozen=True)
class Table:
    """Column names and rows of text; `numeric` columns (by position) are set to the right.

    A table of sentences `stacks`: where there is little room, each row becomes a paragraph with the names in it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: frozenset[int] = frozenset()
    stacks: bool = False
    form: ClassVar[str] = "table"


def to_html(table: Table) -> Markup:
    """The table as HTML in a box of its own, which scrolls where the page is narrower than the table."""
    head = "".join(f'<th scope="col"{_side(table, j)}>{esc(name)}</th>' for j, name in enumerate(table.columns))
    body = "".join(f"<tr>{''.join(_cell(table, j, cell) for j, cell in enumerate(row))}</tr>" for row in table.rows)
    caption = f"<caption>{esc(table.caption)}</caption>" if table.caption else ""
    name = esc(table.caption or ", ".join(table.columns))
    stacked = ' class="stacks"' if table.stacks else ""
    inside = f"<table{stacked}>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return Markup(f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">{inside}</div>')


def _side(table: Table, column: int) -> str:
    return ' class="n"' if column in table.numeric else ""


def _cell(table: Table, column: int, cell: str) -> str:
    if column == 0:
        return f'<th scope="row"{_side(table, 0)}>{esc(cell)}</th>'
    name = f' data-name="{esc(table.columns[column])}"' if table.stacks else ""
    return f"<td{_side(table, column)}{name}>{esc(cell)}</td>"


def to_terminal(table: Table, width: int = 100, *, colour: bool = False) -> str:
    """The table as lines of at most `width` columns; nothing in a cell can act on the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", expand=False)
    drawn.title = Text(for_terminal(table.caption), style="bold") if table.caption else None
    for j, name in enumerate(table.columns):
        drawn.add_column(Text(for_terminal(name)), justify="right" if j in table.numeric else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(for_terminal(cell)) for cell in row))
    paper = io.StringIO()
    console = Console(
        file=paper, width=width, force_terminal=colour, no_color=not colour, highlight=False, markup=False
    )
    console.print(drawn)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines()).strip("\n") + "\n"


def posterior_table(posterior: Posterior, most: int = 12, ties: Mapping[str, tuple[str, ...]] | None = None) -> Table:
    """Who the Assistant is before and after, the largest changes of probability first.

    `ties` {persona: others} adds a column of those that the precision of the scores does not tell apart.
    """
    order = sorted(range(len(posterior.names)), key=lambda k: -abs(posterior.weights[k] - posterior.prior[k]))
    rows: tuple[tuple[str, ...], ...] = tuple(
        (
            posterior.names[k],
            percent(float(posterior.prior[k]), 1),
            percent(float(posterior.weights[k]), 1),
            signed(100.0 * float(posterior.weights[k] - posterior.prior[k]), 1),
        )
        for k in order[:most]
    )
    columns: tuple[str, ...] = ("persona", "before", "after", "points")
    if ties:
        rows = tuple((*row, ", ".join(ties.get(row[0], ()))) for row in rows)
        columns = (*columns, "not told apart from")
    return Table(columns, rows, "Who the Assistant is", frozenset({1, 2, 3}))


def dose_table(path: DosePath, names: Sequence[str]) -> Table:
    """A row for each persona that ever holds a hundredth, a column for some of the doses."""
    some = evenly(len(path.doses), _DOSES)
    held = [k for k in np.argsort(-path.weights[-1], kind="stable") if path.weights[:, k].max() >= 0.01]
    rows = tuple((names[k], *(percent(float(path.weights[i, k]), 1) for i in some)) for k in held)
    columns = ("persona", *(f"dose {two_figures(float(path.doses[i]))}" for i in some))
    return Table(columns, rows, "Who the Assistant is as the dose grows", frozenset(range(1, len(columns))))


def forecast_table(forecast: Forecast) -> Table:
    """Every trait's forecast shift with its interval, the largest first; nats, and as a probability."""
    order = sorted(forecast.traits.items(), key=lambda pair: -abs(pair[1].shift))
    rows = tuple(
        (
            trait,
            from_to(probability(t.base), probability(t.mean)),
            signed(t.shift),
            f"{signed(t.low - t.base)} to {signed(t.high - t.base)}",
        )
        for trait, t in order
    )
    columns = ("trait", "chance of the high answer", "shift, nats", "95 % interval")
    return Table(columns, rows, "What else would change", frozenset({1, 2, 3}), stacks=True)


CANNOT = "this model cannot show it"


def profile_table(
    profile: Profile,
    bar: float | None = None,
    shipped: Mapping[str, float] | None = None,
    shipped_items: Mapping[str, int] | None = None,
) -> Table:
    """Every trait's measured level, nats, with interval, items and reliability.

    `shipped` {trait: reliability} stands beside the measured one, with the number of items that it is of, where
    `shipped_items` has it; below `bar` a trait is marked as one that the model cannot show.
    """
    rows: tuple[tuple[str, ...], ...] = tuple(
        (
            trait,
            signed(t.mean),
            f"{signed(t.low)} to {signed(t.high)}",
            str(t.n),
            "" if t.reliability is None else plain(t.reliability),
        )
        for trait, t in profile.traits.items()
    )
    columns: tuple[str, ...] = ("trait", "level, nats", "95 % interval", "items", "reliability")
    if shipped:
        of = {trait: f" of {n}" for trait, n in (shipped_items or {}).items()}
        beside = {trait: plain(value) + of.get(trait, "") for trait, value in shipped.items()}
        rows = tuple((*row, beside.get(row[0], "")) for row in rows)
        columns = (*columns, "as shipped")
    low = [bar is not None and not (t.reliability or 0.0) >= bar for t in profile.traits.values()]
    if any(low):
        rows = tuple((*row, CANNOT if unseen else "") for row, unseen in zip(rows, low, strict=True))
        columns = (*columns, "")
    return Table(columns, rows, f"Traits of {profile.subject}", frozenset(range(1, 6 if shipped else 5)))


def shift_table(
    rows: Sequence[TraitRow], *, shifts: bool = False, parts: Mapping[str, Mapping[str, float]] | None = None
) -> Table:
    """The numbers behind a `trait_shifts` figure, nats; with `shifts` there is no level to start from.

    `parts` {part: {trait: nats}} of the forecast have a column each.
    """
    columns: list[tuple[str, list[str]]] = [
        ("trait", [row.trait + (" (trained)" if row.trained else "") for row in rows]),
        ("before", [] if shifts else [signed(row.base) for row in rows]),
        ("forecast", [_estimate(row.forecast) for row in rows]),
        *((part, [signed(by[row.trait]) for row in rows]) for part, by in (parts or {}).items()),
        ("exact", ["" if row.exact is None else signed(row.exact) for row in rows]),
        ("measured", [_estimate(row.measured) for row in rows]),
    ]
    told = [(name, cells) for name, cells in columns if any(cells)]
    body = tuple(zip(*(cells for _, cells in told), strict=True))
    caption = ("Change in log-odds" if shifts else "Log-odds") + " of the high answer, nats, with 95 % intervals"
    return Table(tuple(n for n, _ in told), body, caption, frozenset(range(1, len(told))), stacks=True)


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return f"{signed(estimate.mean)} [{signed(estimate.low)}, {signed(estimate.high)}]"


def grid_table(grid: Grid, corner: str, caption: str) -> Table:
    """A heat map's numbers, for who reads no colours."""
    rows = tuple((name, *map(signed, row)) for name, row in zip(grid.rows, grid.values.tolist(), strict=True))
    return Table((corner, *grid.columns), rows, caption, frozenset(range(1, len(grid.columns) + 1)))


def score_table(scores: Mapping[str, Score]) -> Table:
    """Scores of named forecasts, and below them the floors: what costs nothing to say and must be beaten."""
    rows = [
        (name, plain(s.pearson), plain(s.spearman), plain(s.slope), percent(s.coverage), str(s.n))
        for name, s in scores.items()
    ]
    floors: dict[str, float] = {}
    for forecast, score in scores.items():
        for name, value in score.floors.items():
            other = floors.get(name, value) != value  # a floor of another basis has another number
            floors[f"{name}, {forecast}" if other else name] = value
    rows += [(f"floor: {name}", plain(value), "", "", "", "") for name, value in floors.items()]
    columns = ("forecast by", "Pearson", "Spearman", "slope", "inside the interval", "cells")
    return Table(columns, tuple(rows), "Forecast against measured shift", frozenset(range(1, 6)), stacks=True)
