"""What training did: every trait before, as forecast and as measured, file by file; and how good the forecast was."""

from collections.abc import Callable, Mapping

import numpy as np
from markupsafe import Markup

from personae.report.blocks import Block, Fold, Section, Statement
from personae.report.content import Grid, ScatterPoint, TraitRow
from personae.report.figures import figure, forecast_scatter, matrix, trait_shifts
from personae.report.lab_content import Arm, LabReport
from personae.report.numbers import percent, plain
from personae.report.parts import forecast_verdict, level_rows, sentence
from personae.report.tables import grid_table, score_table, shift_table


def traits_section(report: LabReport) -> Section:
    """One fold for each file, all traits in it."""
    opened = (report.headline.unasked, report.headline.permitted)
    folds = []
    for arm in report.arms:
        rows = level_rows(report.traits, arm.forecast, exact=arm.exact, measured=arm.measured, trained=arm.trained)
        drawn = figure(_draw_traits(rows, arm.name))
        numbers = Fold("The numbers, with intervals", (shift_table(rows),))
        folds.append(Fold(arm.name, (drawn, numbers), sentence(arm.says), arm.name in opened))
    return Section(
        "Before, forecast, measured",
        (
            (
                "One row for each trait. The tick is the Assistant before the lesson. Above: the forecast, and a "
                "cross for the answer of exact inference in the declared world. Below: what was measured after "
                "training. The bands are 95 % intervals. The traits that the file trains outright come first and "
                "are marked; no forecast is scored on those."
            ),
        ),
        tuple(folds),
    )


def _draw_traits(rows: list[TraitRow], name: str) -> Callable[[int], str]:
    return lambda width: trait_shifts(rows, title=f"Every trait before and after {name}", width=width)


def score_section(report: LabReport) -> Section:
    """The scatter, the scores beside their floors, and all raw shifts as a heat map."""
    base, exact = report.score_base, report.score_exact
    badge, verdict = forecast_verdict(base, None, "untrained cells (a file and a trait)")
    caption = Markup(
        "One mark for each file and untrained trait; measured is the change of character, without what the instrument "
        "lost. Pearson {}, slope {}, {} of {} inside their interval."
    )
    scatter = figure(
        lambda width: forecast_scatter(_cells(report, exact=False), width=width),
        caption.format(plain(base.pearson), plain(base.slope), percent(base.coverage), base.n),
    )
    other = figure(
        lambda width: forecast_scatter(_cells(report, exact=True), title="Exact against measured shift", width=width),
        caption.format(plain(exact.pearson), plain(exact.slope), percent(exact.coverage), exact.n),
    )
    raw, character = _grid(report, _raw), _grid(report, lambda arm: arm.moved)
    heat = figure(
        lambda width: matrix(raw, title="Raw shift of every trait after every file", width=width),
        "Raw shift in nats, what the instrument lost included. Framed: the trait that the file trains. Orange is up, "
        "blue is down.",
    )
    blocks: tuple[Block, ...] = (
        Statement(verdict),
        badge,
        scatter,
        Fold("The numbers, with what the files train", (grid_table(character, "file", "Change of character, nats"),)),
        score_table({"the untrained model alone": base, "exact inference": exact}),
        Fold("The same with exact inference in the declared world", (other,)),
        Fold("All raw shifts, file by file", (heat,), opened=True),
        Fold("The numbers of the raw shifts", (grid_table(raw, "file", "Raw shift, nats"),)),
    )
    words = (
        (
            "The forecast was made from the untrained model alone. A floor is a forecast that knows nothing of "
            "characters: here, that there is only one direction, from good to evil. A correlation is worth as much as "
            "its distance from the floor."
        ),
    )
    return Section("Was the forecast right?", words, blocks)


def _cells(report: LabReport, *, exact: bool) -> list[ScatterPoint]:
    cells = []
    for arm in report.arms:
        for trait, t in (arm.exact if exact else arm.forecast).traits.items():
            if trait in arm.moved and trait not in arm.trained:
                cells.append(ScatterPoint(arm.name, trait, t.shift, arm.moved[trait]))
    return cells


def _raw(arm: Arm) -> dict[str, float]:
    """{trait: its level after less its level before}, nats."""
    before, after = arm.base.traits, arm.measured.traits
    return {trait: after[trait].mean - before[trait].mean for trait in after if trait in before}


def _grid(report: LabReport, shifts: Callable[[Arm], Mapping[str, float]]) -> Grid:
    """The `shifts` of every arm, of all measured traits; marked: what the file trains."""
    traits = [t.name for t in report.traits if any(t.name in arm.measured.traits for arm in report.arms)]
    values = np.full((len(report.arms), len(traits)), np.nan)
    for i, arm in enumerate(report.arms):
        found = shifts(arm)
        values[i] = [found.get(trait, np.nan) for trait in traits]
    marked = frozenset((i, j) for i, arm in enumerate(report.arms) for j, t in enumerate(traits) if t in arm.trained)
    return Grid(tuple(arm.name for arm in report.arms), tuple(traits), values, marked)
