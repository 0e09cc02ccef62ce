"""The page of `personae archetype`: who the Assistant became after documents about a role model, and what stayed.

Everything stands beside the same training on neutral documents. Nothing is computed here but changes of unit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from personae.records import Archetype, Cast, Compared, Estimate, Rows, Trait, TraitLevel
from personae.report.blocks import Block, Card, Cards, Facts, Fold, Number, Numbers, Points, Section
from personae.report.content import Fact, Hidden
from personae.report.figures import compared_rows, figure, posterior_bars
from personae.report.numbers import percent, plain, signed
from personae.report.page import page
from personae.report.parts import kinds
from personae.report.tables import Table

FEW = 8  # personas in a table


@dataclass(frozen=True)
class Influence:
    """What trainings did: `weights` {arm: {persona: weight of who answers}}, `levels` {arm: {trait: level}}.

    `shifts` {trait: nats} are of character, after the archetype's documents less after the neutral ones; `attenuation`
    {arm: share of the instrument that was lost}.
    """

    weights: Mapping[str, Mapping[str, float]]
    levels: Mapping[str, Mapping[str, TraitLevel]]
    shifts: Mapping[str, Estimate]
    attenuation: Mapping[str, float]


@dataclass(frozen=True)
class ArchetypeReport:
    """All that the page shows; `persona` is who the archetype is in the `cast`, `data` the later file, if any.

    `shown` are some documents (form, text); `tokens` those of the documents and of the neutral ones; `left` how much of
    the shifts the later training left.
    """

    archetype: Archetype
    persona: str
    model: str
    cast: Cast
    traits: tuple[Trait, ...]
    before: Influence
    midtrained: Influence
    then: Influence | None
    left: Estimate | None
    data: str | None
    kept: int
    tried: int
    tokens: tuple[int, int]
    shown: tuple[tuple[str, str], ...]
    hidden: tuple[Hidden, ...]
    plan: Any


def archetype_page(report: ArchetypeReport) -> str:
    """The whole page as one HTML file."""
    lead = Markup(
        "A model read {} documents about {}, and another read as many tokens of neutral ones. Who speaks in the "
        "Assistant’s turn of <code>{}</code> afterwards, and how?"
    ).format(report.kept, report.archetype.name, report.model)
    sections = (_short(report), _who(report), _changed(report), _left(report), _documents(report), _limits(report))
    return page(f"{report.archetype.name} as a role model", lead, [s for s in sections if s is not None])


def weights_of(report: ArchetypeReport) -> dict[str, float]:
    """{when: weight of the archetype among who answers}: before, after its documents, after neutral ones, and later."""
    found = {
        "before": report.before.weights["untrained"][report.persona],
        "after": report.midtrained.weights["archetype"][report.persona],
        "control": report.midtrained.weights["control"][report.persona],
    }
    if report.then is not None:
        found["later"] = report.then.weights["archetype"][report.persona]
        found["later control"] = report.then.weights["control"][report.persona]
    return found


def _short(report: ArchetypeReport) -> Section:
    weights = weights_of(report)
    top = max(report.midtrained.shifts, key=lambda t: abs(report.midtrained.shifts[t].mean))
    shift = report.midtrained.shifts[top]
    numbers = [
        Number(
            percent(weights["after"]),
            f"weight of “{report.persona}” among who answers",
            f"before: {percent(weights['before'])}; after neutral documents: {percent(weights['control'])}",
        ),
        Number(signed(shift.mean), f"nats of {top}: the largest change", _span(shift)),
    ]
    if report.left is not None:
        numbers.append(Number(percent(report.left.mean), f"of the change is left after {report.data}", _spoken(report)))
    clear = [t for t, s in report.midtrained.shifts.items() if s.low * s.high > 0.0]
    words = f"For {len(clear)} of {len(report.midtrained.shifts)} traits the interval of the change excludes “none”" + (
        f": {', '.join(clear)}." if clear else "."
    )
    return Section("In short", (words,), (Numbers(tuple(numbers)),))


def _spoken(report: ArchetypeReport) -> str:
    if report.left is None:
        return ""
    if math.isnan(report.left.low):
        return "of too few traits for an interval"
    return f"95 % interval {percent(report.left.low)} to {percent(report.left.high)}"


def _who(report: ArchetypeReport) -> Section:
    before, after = report.before.weights["untrained"], report.midtrained.weights["archetype"]
    names = tuple(before)
    drawn = figure(
        lambda width: posterior_bars(
            names,
            kinds(report.cast),
            np.array([before[n] for n in names]),
            np.array([after[n] for n in names]),
            width=width,
        ),
        "Hollow: before. Filled: after the documents. Beside each kind, the sum of its characters.",
    )
    words = (
        (
            "Which mixture of characters, as the untrained model plays them, answers most like the Assistant? Before "
            "the documents that is its prior."
        ),
    )
    return Section("Who answers", words, (drawn, Fold("The numbers, persona by persona", (persona_table(report),))))


def persona_table(report: ArchetypeReport, most: int | None = None) -> Table:
    """Weights of who answers, the largest changes first."""
    before, middle = report.before.weights["untrained"], report.midtrained.weights
    order = sorted(before, key=lambda n: -abs(middle["archetype"][n] - before[n]))[:most]
    columns, cells = ["persona", "before", "after", "after neutral"], [before, middle["archetype"], middle["control"]]
    if report.then is not None:
        columns.append("and later")
        cells.append(report.then.weights["archetype"])
    rows = tuple((name, *(percent(each[name], 1) for each in cells)) for name in order)
    return Table(tuple(columns), rows, "Who answers", frozenset(range(1, len(columns))))


def _changed(report: ArchetypeReport) -> Section:
    rows = Rows("What the documents changed", "nats", _rows(report.midtrained.shifts, ""))
    caption = "Character after the documents, less after the neutral ones. To the right: more of the high answer."
    drawn = figure(lambda width: compared_rows(rows, width=width), caption)
    return Section("What changed", (), (drawn, Fold("The numbers, trait by trait", (trait_table(report),))))


def _rows(shifts: Mapping[str, Estimate], group: str) -> tuple[Compared, ...]:
    order = sorted(shifts, key=lambda t: -shifts[t].mean)
    return tuple(Compared(trait, shifts[trait], group=group) for trait in order)


def trait_table(report: ArchetypeReport) -> Table:
    """Levels before, after, after neutral documents, and the change of character, nats; and what it is later."""
    start, middle = report.before.levels["untrained"], report.midtrained
    columns = ["trait", "before", "after", "after neutral", "change", "95 % interval"]
    if report.then is not None:
        columns.append("change, later")
    rows = []
    for trait, shift in middle.shifts.items():
        levels = (start[trait], middle.levels["archetype"][trait], middle.levels["control"][trait])
        row = [trait, *(signed(level.mean) for level in levels), signed(shift.mean), _span(shift)]
        rows.append((*row, *([signed(report.then.shifts[trait].mean)] if report.then is not None else [])))
    return Table(tuple(columns), tuple(rows), "Levels and changes in nats", frozenset(range(1, len(columns))))


def _left(report: ArchetypeReport) -> Section | None:
    if report.then is None or report.left is None:
        return None
    order = sorted(report.midtrained.shifts, key=lambda t: -report.midtrained.shifts[t].mean)
    pairs = ((t, when) for t in order for when in ("after the documents", f"after {report.data} too"))
    both = {"after the documents": report.midtrained.shifts, f"after {report.data} too": report.then.shifts}
    rows = Rows("What is left", "nats", tuple(Compared(when, both[when][t], group=t) for t, when in pairs))
    words = (
        Markup(
            "The same post-training on <code>{}</code> followed the documents, the neutral documents and nothing at "
            "all. Of the change <b>{}</b> is left ({})."
        ).format(report.data, percent(report.left.mean), _spoken(report)),
    )
    return Section("What is left", words, (figure(lambda width: compared_rows(rows, width=width)),))


def _documents(report: ArchetypeReport) -> Section:
    cards = Cards(tuple(Card(form, (("It reads", text),)) for form, text in report.shown))
    facts = Facts(
        (
            Fact("documents", f"{report.kept}, of {report.tried} that were written"),
            Fact("tokens", f"{report.tokens[0]}, and {report.tokens[1]} of neutral documents"),
            Fact("training", f"{report.plan.tuning}, {report.plan.steps} steps of {report.plan.batch}"),
            Fact("learning rate", f"{report.plan.rate:g}"),
            *(Fact(f"attenuation, {arm}", plain(lost)) for arm, lost in report.midtrained.attenuation.items()),
        )
    )
    words = (report.archetype.description,)
    return Section("The documents", words, (cards, facts))


def _limits(report: ArchetypeReport) -> Section:
    points = [
        "Who answers is told by the characters of this cast. Whoever is not on it cannot be found.",
        "A document speaks for the archetype by the model’s own reckoning; read some before you train on many.",
    ]
    if report.hidden:
        names = ", ".join(f"{h.trait} ({plain(h.reliability)})" for h in report.hidden)
        points.append(f"Left out, since this model cannot show it (reliability below a half): {names}.")
    blocks: tuple[Block, ...] = (Points(tuple(points)),)
    return Section("What this page does not claim", (), blocks)


def _span(found: Estimate) -> str:
    return f"{signed(found.low)} to {signed(found.high)}"
