"""What the controls say: permission, a prefix that means nothing, rephrased permission; and what leaks.

A fixed prefix can hide a habit without changing what it means, so permission counts only beside a prefix that gives
none; and a habit that is wanted must still be there where it is asked for.
"""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from personae.records import Estimate, Profile
from personae.report.blocks import Aside, Badge, Block, Fold, Prose, Section, Statement, Text
from personae.report.content import Grid
from personae.report.figures import figure, matrix
from personae.report.lab_content import Arm, LabReport
from personae.report.numbers import from_to, percent, probability, signed
from personae.report.parts import sentence
from personae.report.tables import Table, grid_table

_QUARTER, _MOST = 0.25, 0.75  # shares of the broad shift that count as "little is left" and "most is left"
_NOTHING = 0.05  # a share below this is said to be nothing
_SMALL = 0.2  # nats: a shift, or shifts by root mean square, too small to divide by


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
    own = "unknown" if arm.retention is None else _with_ends(arm.retention)
    left = _share_words(share(arm, trait, full), _is_none(arm, trait, full))
    leak = ""
    if trained is not None and trained in arm.measured.traits and trained in arm.base.traits:
        before, after = arm.base.traits[trained].mean, arm.measured.traits[trained].mean
        leak = from_to(probability(before), probability(after))
    return (arm.name, signed(shift(arm, trait)), left, own, leak)


def share(arm: Arm, trait: str, full: float) -> float | None:
    """The arm's shift as a share of the unasked one; None where that is too small to divide by."""
    return None if abs(full) < _SMALL else shift(arm, trait) / full


def _with_ends(found: Estimate) -> str:
    """A probability with its interval, where that is wide enough to be told from a point."""
    mean, low, high = percent(found.mean), percent(found.low), percent(found.high)
    return mean if low == high else f"{mean} ({low} to {high})"


def _is_none(arm: Arm, trait: str, full: float) -> bool:
    """Whether little is left, and that little not told from nothing: both levels err, as if independently."""
    left = share(arm, trait, full)
    error = math.hypot(_half(arm.measured, trait), _half(arm.base, trait))
    return left is not None and left <= _QUARTER and abs(shift(arm, trait)) <= error


def _half(profile: Profile, trait: str) -> float:
    level = profile.traits[trait]
    return (level.high - level.low) / 2


def _share_words(value: float | None, none: bool) -> str:
    """How much is left, in a word, and the share."""
    if value is None:
        return "undefined"
    number = percent(value)
    return f"none ({number})" if none or value < 0.0 else number


def _verdict(arm: Arm, report: LabReport, full: float) -> Markup:
    head, left = report.headline, share(arm, report.headline.trait, full)
    if left is None:
        return Markup("<b>{}</b>: the unasked lesson itself hardly moved {}, so nothing can be said.").format(
            arm.name, head.trait
        )
    much = "little" if left <= _QUARTER else "most" if left >= _MOST else "part"
    permitted = next((share(one, head.trait, full) for one in report.arms if one.name == head.permitted), None)
    if arm.name == head.permitted:
        says = {
            "little": "With permission, little of the broad shift is left. This is what the theory expects.",
            "part": "With permission, part of the broad shift is left: permission helps less than the theory expects.",
            "most": "With permission, most of the broad shift is still there. This speaks against the theory.",
        }
    elif permitted is None or permitted > _QUARTER:  # what did not work is not explained
        says = {much: "Permission itself leaves more than a quarter of the shift, so this does not say why it works."}
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
    return Markup("<b>{}.</b> {} {} {}").format(
        arm.name, sentence(arm.says), says[much], _left_words(left, _is_none(arm, head.trait, full))
    )


def _left_words(left: float, none: bool) -> str:
    number = percent(left)
    if none:
        return f"Nothing of the unasked shift is left ({number}, within error of none)."
    if left < 0.0:
        return f"Nothing of the unasked shift is left; what there is goes the other way ({number})."
    return f"{number} of the unasked shift is left."


def leaks_section(report: LabReport) -> Section | None:
    """What the lesson did to characters other than the Assistant."""
    told = [arm for arm in report.arms if arm.leaks]
    if not told:
        return None
    first = next((arm for arm in told if arm.name == report.headline.unasked), told[0])
    badge, verdict = _leak_verdict(_spill(first))
    spoken = Markup("After <b>{}</b>: {}").format(first.name, verdict)
    blocks: list[Block] = [Statement(spoken), badge, *_leak_figure(first)]
    for arm in told:
        if arm is not first:
            badge, verdict = _leak_verdict(_spill(arm))
            blocks.append(Fold(arm.name, (badge, Prose((verdict,)), *_leak_figure(arm)), sentence(arm.says)))
    words = (
        (
            "The lesson was given to the Assistant. If it changes who the Assistant is, then the other characters "
            "of the world should keep their own habits. If it changes the model as a whole, everybody changes."
        ),
    )
    return Section("What leaks to other characters", words, tuple(blocks))


@dataclass(frozen=True)
class _Spill:
    """How much of the Assistant's change others show, as shares of it: of the trained `habit`, and of the `rest`.

    None where the Assistant itself hardly changed. A share is the multiple of the Assistant's own shifts that lies
    nearest to the others' shifts, over all of them.
    """

    habit: float | None
    rest: float | None
    others: int


def _spill(arm: Arm) -> _Spill:
    return _Spill(_nearest(arm, trained=True), _nearest(arm, trained=False), len(arm.leaks))


def _nearest(arm: Arm, *, trained: bool) -> float | None:
    pairs = [
        (shift(arm, trait), value)
        for row in arm.leaks.values()
        for trait, value in row.items()
        if (trait in arm.trained) == trained and trait in arm.measured.traits and trait in arm.base.traits
    ]
    if not pairs or math.sqrt(sum(own * own for own, _ in pairs) / len(pairs)) < _SMALL:
        return None
    return sum(own * other for own, other in pairs) / sum(own * own for own, _ in pairs)


def _leak_verdict(spill: _Spill) -> tuple[Badge, str]:
    """What the leak means: whether the lesson changed who the Assistant is, or the model whoever speaks."""
    habit, rest = spill.habit, spill.rest
    told = "" if habit is None else f"The {spill.others} other characters took over {_part(habit)} of the trained habit"
    if rest is None:
        says = "the Assistant itself hardly changed, so what share of that others show cannot be told."
        return Badge("Cannot be told", "open"), f"{told}; beyond it {says}" if told else f"{says[:1].upper()}{says[1:]}"
    joint = f"{told}, and {_part(rest)}" if told else f"The {spill.others} other characters show {_part(rest)}"
    found = f"{joint} of what followed from it in the Assistant."
    if rest <= _QUARTER:
        leaked = habit is not None and habit > _QUARTER
        means = "The habit leaks, the character does not: " if leaked else "Nearly all of it stays with the Assistant: "
        return Badge("Stays with the Assistant", "whole"), f"{found} {means}it is the Assistant who became another."
    if rest < _MOST:
        means = "So the lesson changed who the Assistant is, and also, to that part, how the model answers as anybody."
        return Badge("Leaks in part", "half"), f"{found} {means}"
    means = "So the lesson changed the model as a whole and not only its Assistant, which speaks against the theory."
    return Badge("Everybody changes", "none"), f"{found} {means}"


def _part(share: float) -> str:
    return percent(share) if share >= _NOTHING else "nothing"


def _leak_figure(arm: Arm) -> tuple[Block, Block]:
    names = tuple(arm.leaks)
    traits = tuple(dict.fromkeys(trait for row in arm.leaks.values() for trait in row))
    values = np.array([[arm.leaks[who].get(trait, np.nan) for trait in traits] for who in names])
    marked = frozenset((i, j) for i in range(len(names)) for j, trait in enumerate(traits) if trait in arm.trained)
    grid = Grid(names, traits, values, marked)
    caption = Markup("Shift in nats of characters who are not the Assistant, after <b>{}</b>.").format(arm.name)
    spoken = f"Shift of other characters after {arm.name}"
    drawn = figure(lambda width: matrix(grid, title=spoken, width=width), caption)
    return drawn, Fold("The numbers", (grid_table(grid, "character", f"{spoken}, nats"),))
