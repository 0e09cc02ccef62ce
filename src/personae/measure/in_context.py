"""Rows in context: what rows do to the untrained model as earlier turns of its chat, with no training.

    shift[i] = level of item i behind four rows of the file - the same behind the control's rows          nats

Like training, rows in context are evidence of who answers; they also show how, in wording and length, which no cast
tells. The items of a trait stand behind different rows by turns, so that its mean is over many draws of rows at the
price of one. All items of a turn share one beginning, which is read once. Rows are spread evenly over the file; of a
matched pair both sides show the same ones. System texts are not shown: in a chat they go on acting on what follows, and
training takes them for a reason (docs/lab-notes.md). Whether all this foretells training, and in what share, is
measured (docs/forecasts.md).
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from personae.measure.levels import levels_of
from personae.records import Episode, Message, Progress, Simulator, Trait, shifted
from personae.records.places import evenly
from personae.records.results import Floats
from personae.simulator.dialogue import UNBOUNDED

ROWS, TURNS = 4, 8  # rows shown at once, and how many such beginnings there are
LONGEST = 1500  # characters of a row
LOOKED_AT = 16  # rows that are looked at for every one that is shown
ROLES = ("system", "user", "assistant")  # a row with another in it is not shown


def beginnings(
    simulator: Simulator, *sides: Sequence[Episode], without: Collection[int] = ()
) -> list[list[tuple[Message, ...]]]:
    """For each of `sides` the beginnings, as many on each: the turns of `ROWS` rows of it, one after another.

    Two sides are shown by the same places, which takes files whose rows answer each other. Empty where no row is a
    short dialogue on all sides; of fewer rows than `TURNS` beginnings take there are as many as they fill. Where a row
    that would be shown is one of `without`, the nearest that is not shown stands in its place, so that all others stay.
    """
    places = _spread(simulator, sides, without)
    turns = max(1, min(TURNS, len(places) // ROWS)) if places else 0
    groups = [places[turn : turn + turns * ROWS : turns] for turn in range(turns)]
    return [[tuple(m for place in group for m in _said(rows[place])) for group in groups] for rows in sides]


def _spread(simulator: Simulator, sides: Sequence[Sequence[Episode]], without: Collection[int]) -> list[int]:
    """Up to `ROWS` · `TURNS` places, spread evenly over those looked at whose rows can be shown."""
    most, gone = ROWS * TURNS, set(without)
    looked = evenly(min(map(len, sides)), most * LOOKED_AT)
    fit = [place for place in looked if all(_fits(simulator, side[place]) for side in sides)]
    chosen = [fit[n] for n in evenly(len(fit), most)]
    spare = sorted(set(fit) - gone - set(chosen))
    kept = []
    for place in chosen:
        if place not in gone:
            kept.append(place)
        elif spare:
            nearest = min(spare, key=lambda other: abs(other - place))
            spare.remove(nearest)
            kept.append(nearest)
    return kept


def _fits(simulator: Simulator, row: Episode) -> bool:
    """Whether it is a dialogue of people and the Assistant, so short that `ROWS` fill no more than half a window."""
    if row.form != "chat" or any(m.role not in ROLES for m in row.messages):
        return False
    if sum(len(m.content) for m in row.messages) > LONGEST:
        return False
    return 2 * ROWS * _filled(simulator, row) <= 1.0


def _filled(simulator: Simulator, row: Episode) -> float:
    """The part of the model's window that it takes; 0 of a simulator that has none."""
    dialogue, window = getattr(simulator, "dialogue", None), getattr(simulator, "window", None)
    if dialogue is None or window is None:
        return 0.0
    return len(dialogue.encode(row, "", window=UNBOUNDED).ids) / float(window)


def _said(row: Episode) -> Iterator[Message]:
    """Its turns without a system text."""
    return (m for m in row.messages if m.role != "system")


def levels_behind(
    simulator: Simulator,
    traits: Sequence[Trait],
    begin: Sequence[Sequence[Message]],
    progress: Progress | None = None,
) -> dict[str, Floats]:
    """{trait: (I,)} nats: the untrained Assistant's level of item i behind beginning i modulo their number.

    An item that is no chat, or too long to stand behind them, has no earlier turns, and its level is that without them.
    """
    asked = [
        (number % len(begin), answer)
        for trait in traits
        for number, item in enumerate(trait.items)
        for answer in _behind(simulator, item.episodes(), tuple(begin[number % len(begin)]))
    ]
    logp, done = np.empty((len(asked), 1)), 0
    for turn in range(len(begin)):  # a call for each, so that what it begins with is read once
        at = [place for place, (behind, _) in enumerate(asked) if behind == turn]
        if not at:
            continue
        answers = [asked[place][1] for place in at]
        logp[at] = simulator.log_likelihood(answers, [""], shifted(progress, done, len(asked))).logp
        done += len(at)
    return {name: table[0] for name, table in levels_of(traits, logp).items()}


def _behind(simulator: Simulator, answers: Sequence[Episode], turns: tuple[Message, ...]) -> Sequence[Episode]:
    """An item's `answers` behind earlier `turns`; as they are where they are no chats, or where one finds no room."""
    if any(answer.form != "chat" for answer in answers):
        return answers
    behind = [answer.model_copy(update={"messages": turns + answer.messages}) for answer in answers]
    return behind if all(_filled(simulator, one) <= 1.0 for one in behind) else answers
