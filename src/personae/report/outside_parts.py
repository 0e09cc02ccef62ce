"""What a training changed outside the Assistant's turn: a section of the page of `personae compare`, and its tables."""

import math
from collections.abc import Callable

from personae.records import Estimate
from personae.report.blocks import Aside, Block, Card, Cards, Fold, Section, Statement
from personae.report.compare_content import OutsideReport
from personae.report.numbers import percent, plain, signed
from personae.report.tables import Table

_ABOUT = (
    "PSM expects a training to change who the Assistant is, and little of what the model says in other voices. "
    "Raw text counts every next token of passages with no chat around them; other speakers are asked the Assistant’s "
    "own questions, as raw text in which they answer."
)


def outside_section(report: OutsideReport) -> Section:
    """The section, of a model before and after."""
    apart, pairs, *others = outside_tables(report)
    blocks: list[Block] = [Statement(outside_words(report)), apart, pairs, Aside(coin_words(report))]
    if report.shown is not None:
        blocks.append(
            Cards((Card("An answer that is nobody’s", (("user", report.shown[0]), ("assistant", report.shown[1]))),))
        )
    blocks += [Fold("The traits of others", tuple(others))] if others else []
    return Section("Outside the Assistant’s turn", (_ABOUT,), tuple(blocks))


def outside_words(report: OutsideReport) -> str:
    """The finding in one sentence."""
    if report.alone:
        return (
            "How far raw text changed, and what other speakers took on, can be told only of a trained model, beside "
            "the one that it was trained from (--untrained names it)."
        )
    if math.isnan(report.share.mean):
        return "In the Assistant’s turn next to nothing changed, so what leaked out of it cannot be told."
    said = f"A token of raw text changed {_with_ends(report.share)} as much as one in the Assistant’s turn"
    if math.isnan(report.taken_on.mean):
        return f"{said}."
    return f"{said}; other speakers took on {_with_ends(report.taken_on)} of the shift of its traits."


def coin_words(report: OutsideReport) -> str:
    """What the flips were for, and how sure it is that the Assistant wants it."""
    who = "Assistant" if report.alone else "trained Assistant"
    return (
        f"The {who}, asked in its own turn, wants these most: {'; '.join(report.wanted)}; and these least: "
        f"{'; '.join(report.unwanted)} ({plain(report.more)} nats between them). A flip in the user’s turn that knows "
        "nothing of it is at 50\u00a0%; where little lies between them, it can show little."
    )


def outside_tables(report: OutsideReport) -> tuple[Table, ...]:
    """How far the models are apart, in and out of the turn; flips and breaks; of other speakers, who and in what."""
    apart = {"raw text": report.outside, "the Assistant’s turn": report.inside}
    turns = tuple((where, plain(one.mean, 4), _ends(one, _nats)) for where, one in apart.items())
    speakers = tuple((name, _share(one.mean), _ends(one, _share)) for name, one in report.by.items())
    traits = tuple(
        (trait, signed(own.mean), signed(theirs.mean), _ends(theirs, signed))
        for trait, (own, theirs) in report.traits.items()
    )
    whose = ("this model",) if report.alone else ("before", "after")
    pairs = Table(("what", *whose), _pairs(report), "Flips and answers", frozenset({1, 2}))
    if report.alone:
        return (pairs,)
    columns = ("where", "nats a token", "95 % interval")
    found = [Table(columns, turns, "How far the models are apart", frozenset({1, 2})), pairs]
    if speakers:
        columns = ("who", "of the Assistant’s shift", "95 % interval")
        found.append(Table(columns, speakers, "Other speakers", frozenset({1, 2})))
        heads = ("trait", "the Assistant", "other speakers", "95 % interval")
        found.append(Table(heads, traits, "Shifts on the same questions, nats", frozenset({1, 2, 3})))
    return tuple(found)


def _pairs(report: OutsideReport) -> tuple[tuple[str, ...], ...]:
    """The flips and the broken answers, before and after."""
    kinds = tuple(", ".join(f"{kind}: {n}" for kind, n in some.items()) or "none" for some in report.kinds)
    return (
        ("the wanted side falls in the user’s turn", *(_with_ends(one, 1) for one in report.coin)),
        (f"of {report.answers} answers are nobody’s", *map(_with_ends, report.broken)),
        ("what is wrong with them", *kinds),
    )


def _with_ends(one: Estimate, digits: int = 0) -> str:
    return f"{_share(one.mean, digits)} ({_share(one.low, digits)} to {_share(one.high, digits)})"


def _ends(one: Estimate, say: Callable[[float], str]) -> str:
    return f"{say(one.low)} to {say(one.high)}"


def _share(number: float, digits: int = 0) -> str:
    """In per cent, with a true minus: who goes the other way takes on less than nothing."""
    return percent(number, digits)


def _nats(number: float) -> str:
    return plain(number, 4)
