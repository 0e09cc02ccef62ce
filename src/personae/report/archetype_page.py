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
from personae.report.blocks import Aside, Block, Card, Cards, Facts, Fold, Number, Numbers, Points, Section
from personae.report.content import Fact, Hidden
from personae.report.figures import compared_rows, figure, posterior_bars
from personae.report.numbers import percent, plain, signed
from personae.report.page import page
from personae.report.parts import HEAVY, kinds
from personae.report.tables import Table

FEW = 8  # personas in a table


@dataclass(frozen=True)
class Influence:
    """What trainings did: `weights` {arm: {persona: weight of who answers}}, `levels` {arm: {trait: level}}.

    `shifts` {trait: nats} are of character, after the archetype's documents less after the neutral ones; `attenuation`
    {arm: share of the instrument that was lost}.
    """

    weights: Mapping[str, Mapping[str, Estimate]]
    levels: Mapping[str, Mapping[str, TraitLevel]]
    shifts: Mapping[str, Estimate]
    attenuation: Mapping[str, float]


@dataclass(frozen=True)
class ArchetypeReport:
    """All that the page shows; `persona` is who the archetype is in the `cast`, `data` the later file, if any.

    `shown` are some documents (form, text), `weighed` where the model itself chose which to keep; `tokens` those of the
    documents and of the neutral ones; `left` how much of the shifts the later training left, NaN where they are within
    their noise. Of each kind there were `seeds` trainings; `too_heavy`: one kind took more of the instrument away than
    leaves shifts of character. `coherence` {arm: its least} has the untrained model's first, and is empty where it was
    not measured; `incoherent` says that training broke the model, and is None where it did not.
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
    weighed: bool
    hidden: tuple[Hidden, ...]
    plan: Any
    seeds: int
    too_heavy: bool
    coherence: Mapping[str, float]
    incoherent: str | None


def archetype_page(report: ArchetypeReport) -> str:
    """The whole page as one HTML file."""
    lead = Markup(
        "A model read {} documents about {}, and another read as many tokens of neutral ones. Who speaks in the "
        "Assistant’s turn of <code>{}</code> afterwards, and how?"
    ).format(report.kept, report.archetype.name, report.model)
    sections = (_short(report), _who(report), _changed(report), _left(report), _documents(report), _limits(report))
    return page(f"{report.archetype.name} as a role model", lead, [s for s in sections if s is not None])


def weights_of(report: ArchetypeReport) -> dict[str, Estimate]:
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
            percent(weights["after"].mean),
            f"weight of “{report.persona}” among who answers",
            f"95 % interval {_shares(weights['after'])}; before: {percent(weights['before'].mean)}; "
            f"after neutral documents: {percent(weights['control'].mean)}",
        ),
        Number(signed(shift.mean), f"nats of {top}: the largest change", _span(shift)),
    ]
    if report.left is not None and math.isfinite(report.left.mean):
        numbers.append(
            Number(percent(report.left.mean), f"of the change is left after {report.data}", _spoken(report.left))
        )
    clear = [t for t, s in report.midtrained.shifts.items() if s.low * s.high > 0.0]
    words = f"For {len(clear)} of {len(report.midtrained.shifts)} traits the interval of the change excludes “none”" + (
        f": {', '.join(clear)}." if clear else "."
    )
    unread = (report.incoherent,) if report.incoherent else ()
    return Section("In short", (words,), (*map(Aside, unread), Numbers(tuple(numbers)), *map(Aside, cautions(report))))


def cautions(report: ArchetypeReport) -> list[str]:
    """What intervals and shifts leave out, of a model that can be read at all; none where that is nothing."""
    found = [HEAVY] if report.too_heavy else []
    if report.seeds == 1:
        found.append("One training of each kind: how another seed would do is in no interval (try --seeds 3).")
    return found


def left_words(report: ArchetypeReport) -> str:
    """How much of the change the later training left, or that it cannot be told; nothing where there was none."""
    if report.left is None:
        return ""
    if math.isnan(report.left.mean):
        return f"The change is within its own noise, so what {report.data} left of it cannot be told."
    return f"After {report.data}, {percent(report.left.mean)} of the change is left ({_spoken(report.left)})."


def _spoken(left: Estimate) -> str:
    if math.isnan(left.low):
        return "of too few traits for an interval"
    return f"95 % interval over traits {_shares(left)}"


def _shares(found: Estimate) -> str:
    return f"{percent(found.low)} to {percent(found.high)}"


def _who(report: ArchetypeReport) -> Section:
    before, after = report.before.weights["untrained"], report.midtrained.weights["archetype"]
    names = tuple(before)
    drawn = figure(
        lambda width: posterior_bars(
            names,
            kinds(report.cast),
            np.array([before[n].mean for n in names]),
            np.array([after[n].mean for n in names]),
            width=width,
        ),
        "Hollow: before. Filled: after the documents. Beside each kind, the sum of its characters.",
    )
    words = (
        (
            "Which mixture of characters, as the untrained model plays them, answers most like the Assistant? Before "
            "and after are read alike, off its own answers; the prior of an audit is read off the neutral context."
        ),
    )
    return Section("Who answers", words, (drawn, Fold("The numbers, persona by persona", (persona_table(report),))))


def persona_table(report: ArchetypeReport, most: int | None = None) -> Table:
    """Weights of who answers, the largest changes first."""
    before, middle = report.before.weights["untrained"], report.midtrained.weights
    order = sorted(before, key=lambda n: -abs(middle["archetype"][n].mean - before[n].mean))[:most]
    columns, cells = ["persona", "before", "after", "after neutral"], [before, middle["archetype"], middle["control"]]
    if report.then is not None:
        columns.append("and later")
        cells.append(report.then.weights["archetype"])
    rows = tuple((name, *(percent(each[name].mean, 1) for each in cells)) for name in order)
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
            "all. {}"
        ).format(report.data, left_words(report)),
    )
    return Section("What is left", words, (figure(lambda width: compared_rows(rows, width=width)),))


def _documents(report: ArchetypeReport) -> Section:
    cards = Cards(tuple(Card(form, (("It reads", text),)) for form, text in report.shown))
    facts = Facts(
        (
            Fact("documents", f"{report.kept}, of {report.tried} that were written"),
            Fact("tokens", f"{report.tokens[0]}, and {report.tokens[1]} of neutral documents"),
            Fact("training", f"{report.plan.tuning}, {report.plan.steps} steps of {report.plan.batch}"),
            Fact("trainings of each kind", str(report.seeds)),
            Fact("learning rate", f"{report.plan.rate:g}"),
            *(Fact(f"attenuation, {arm}", plain(lost)) for arm, lost in report.midtrained.attenuation.items()),
            *(Fact(f"coherence, {arm}", plain(own, 3)) for arm, own in report.coherence.items()),
        )
    )
    words = (report.archetype.description,)
    return Section("The documents", words, (cards, facts))


def _limits(report: ArchetypeReport) -> Section:
    points = ["Who answers is told by the characters of this cast. Whoever is not on it cannot be found."]
    if report.weighed:
        points.append(
            "A document speaks for the archetype by the model’s own reckoning; read some before you train on many."
        )
    if report.hidden:
        names = ", ".join(f"{h.trait} ({plain(h.reliability)})" for h in report.hidden)
        points.append(f"Left out, since this model cannot show it (reliability below a half): {names}.")
    blocks: tuple[Block, ...] = (Points(tuple(points)),)
    return Section("What this page does not claim", (), blocks)


def _span(found: Estimate) -> str:
    return f"{signed(found.low)} to {signed(found.high)}"
