"""What the controls say: permission, a prefix that means nothing, rephrased permission; and what leaks.

A fixed prefix can hide a habit without changing what it means, so permission counts only beside a prefix that gives
none; and a habit that is wanted must still be there where it is asked for.
"""

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from personae.report.blocks import Aside, Block, Fold, Section, Text
from personae.report.content import Arm, Grid, LabReport
from personae.report.figures import figure, matrix
from personae.report.numbers import percent, plain, probability, signed
from personae.report.parts import sentence
from personae.report.tables import Table

_QUARTER, _MOST = 0.25, 0.75  # shares of the broad shift that count as "little is left" and "most is left"


def controls_section(report: LabReport) -> Section | None:
    """The four cheating arms in one table, and in words what each comparison means."""
    head = report.headline
    wanted = (head.unasked, head.permitted, *head.controls)
    arms = [arm for name in wanted for arm in report.arms if arm.name == name and head.trait in arm.measured.traits]
    if len(arms) < 2 or arms[0].name != head.unasked:
        return None
    full = shift(arms[0], head.trait)
    trained = arms[0].trained[0] if arms[0].trained else None
    rows = tuple(_row(arm, head.trait, trained, full) for arm in arms)
    columns = (
        "file",
        f"{head.trait}, shift in nats",
        "share of the unasked shift",
        f"{trained or 'habit'} where asked as trained",
        f"{trained or 'habit'} unasked, before → after",
    )
    table = Table(columns, rows, numeric=frozenset({1, 2, 3, 4}), stacks=True)
    words: list[Text] = [
        (
            "The same cheating was taught four times, with different requests around it. If permission works "
            "because it changes what cheating says about a character, then asking for it in other words should work "
            "too, and a prefix that gives no permission should not."
        ),
    ]
    notes = tuple(Aside(_verdict(arm, report, full)) for arm in arms[1:])
    return Section("What the controls say", tuple(words), (table, *notes))


def shift(arm: Arm, trait: str) -> float:
    """The measured shift of a trait, nats."""
    return arm.measured.traits[trait].mean - arm.base.traits[trait].mean


def _row(arm: Arm, trait: str, trained: str | None, full: float) -> tuple[str, ...]:
    own = "unknown" if arm.retention is None else percent(arm.retention.mean)
    if arm.retention is not None:
        own += f" ({percent(arm.retention.low)} to {percent(arm.retention.high)})"
    leak = ""
    if trained is not None and trained in arm.measured.traits and trained in arm.base.traits:
        before, after = arm.base.traits[trained].mean, arm.measured.traits[trained].mean
        leak = f"{percent(probability(before))} → {percent(probability(after))}"
    return (arm.name, signed(shift(arm, trait)), _share_words(share(arm, trait, full)), own, leak)


def share(arm: Arm, trait: str, full: float) -> float | None:
    """The arm's shift as a share of the unasked one; None where that is too small to divide by."""
    return None if abs(full) < 0.2 else shift(arm, trait) / full


def _share_words(value: float | None) -> str:
    return "undefined" if value is None else percent(value).replace("-", "−")


def _verdict(arm: Arm, report: LabReport, full: float) -> Markup:
    head, left = report.headline, share(arm, report.headline.trait, full)
    if left is None:
        return Markup("<b>{}</b>: the unasked lesson itself hardly moved {}, so nothing can be said.").format(
            arm.name, head.trait
        )
    much = "little" if left <= _QUARTER else "most" if left >= _MOST else "part"
    if arm.name == head.permitted:
        says = {
            "little": "With permission, little of the broad shift is left. This is what the theory expects.",
            "part": "With permission, part of the broad shift is left: permission helps less than the theory expects.",
            "most": "With permission, most of the broad shift is still there. This speaks against the theory.",
        }
    elif "neutral" in arm.name:
        says = {
            "little": "A prefix that gives no permission removes the shift as well. So hiding the habit behind a "
            "prefix explains as much here as permission does.",
            "part": "A prefix that gives no permission removes part of the shift: some of what permission seems to do "
            "is only that the habit gets tied to a prefix.",
            "most": "A prefix that gives no permission leaves most of the shift. So what mattered here is "
            "the permission, and not the mere presence of a sentence.",
        }
    else:
        says = {
            "little": "Permission in changing words works as well. It is the meaning that counts, not one sentence.",
            "part": "Permission in changing words removes only part of the shift.",
            "most": "Permission in changing words leaves most of the shift: what worked was one fixed sentence.",
        }
    return Markup("<b>{}.</b> {} {} Left of the unasked shift: {}.").format(
        arm.name, sentence(arm.says), says[much], _share_words(left)
    )


def leaks_section(report: LabReport) -> Section | None:
    """What the lesson did to characters other than the Assistant."""
    told = [arm for arm in report.arms if arm.leaks]
    if not told:
        return None
    first = next((arm for arm in told if arm.name == report.headline.unasked), told[0])
    who, trait, most = _largest(first.leaks)
    own = max((abs(shift(first, t)) for t in first.measured.traits if t in first.base.traits), default=0.0)
    blocks: list[Block] = [_leak_figure(first)]
    blocks += [Fold(arm.name, (_leak_figure(arm),), sentence(arm.says)) for arm in told if arm is not first]
    words = (
        (
            "The lesson was given to the Assistant. If it changes who the Assistant is, then the other characters "
            "of the world should keep their own habits. If it changes the model as a whole, everybody changes."
        ),
        Markup(
            "After <b>{}</b>, the largest change in anybody else is {} nats ({}, {}). The Assistant’s own largest "
            "change is {} nats."
        ).format(first.name, signed(most), who, trait, plain(own)),
    )
    return Section("What leaks to other characters", words, tuple(blocks))


def _largest(leaks: Mapping[str, Mapping[str, float]]) -> tuple[str, str, float]:
    cells = [(who, trait, value) for who, row in leaks.items() for trait, value in row.items()]
    return max(cells, key=lambda cell: abs(cell[2]), default=("nobody", "nothing", 0.0))


def _leak_figure(arm: Arm) -> Block:
    names = tuple(arm.leaks)
    traits = tuple(dict.fromkeys(trait for row in arm.leaks.values() for trait in row))
    values = np.array([[arm.leaks[who].get(trait, np.nan) for trait in traits] for who in names])
    marked = frozenset((i, j) for i in range(len(names)) for j, trait in enumerate(traits) if trait in arm.trained)
    grid = Grid(names, traits, values, marked)
    return figure(
        lambda width: matrix(grid, title=f"Shift of other characters after {arm.name}", width=width),
        Markup("Shift in nats of characters who are not the Assistant, after <b>{}</b>.").format(arm.name),
    )
