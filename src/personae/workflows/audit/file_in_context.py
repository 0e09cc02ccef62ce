"""The second reading of a forecast: what the rows of a file, and its control's, do as earlier turns, untrained.

It is taken where a dose has a share of it (`doses.yaml`), on the items and traits of the forecast, and kept as levels.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from personae.measure.in_context import LONGEST, ROWS, TURNS, beginnings, levels_behind
from personae.measure.quarter import scoring
from personae.predictors import Basis
from personae.records import Levels, Message
from personae.records.places import evenly
from personae.records.results import Floats
from personae.workflows.audit.file_question import Question
from personae.workflows.kept.levels_file import read_levels, write_levels
from personae.workflows.watch import Watch

IN_CONTEXT = "in-context.parquet"
SIDES = ("data", "control")  # the contexts in that file
SYSTEM = (
    " They are shown without their system texts, so what such a text takes away by asking for what the rows show is in "
    "the cast's part alone."
)


def in_context(
    question: Question, basis: Basis, file: Path, watch: Watch, without: Collection[int] = ()
) -> dict[str, Floats]:
    """{trait: (I,)} nats of the question's rows in context, on `basis`; kept in `file`, or read from there.

    With no control it is the shift from the untrained model without any rows. Empty where the dose has no share of it,
    or no row can be shown. The rows `without` are not shown (of a matched control neither are their partners).
    """
    if not question.dose.share or not basis.base:
        return {}
    if not file.exists():
        sides = _beginnings(question, without)
        if not all(sides):
            return {}
        traits = [scoring(t) for t in question.traits if t.name in basis.base]
        found = []
        for side, turns in zip(SIDES, sides):
            with watch(f"rows in context: {side}", "answers") as progress:
                found.append(levels_behind(question.simulator, traits, turns, progress))
        by_trait = {t.name: np.stack([levels[t.name] for levels in found]) for t in traits}
        write_levels(file, Levels(SIDES[: len(found)], by_trait))
    kept = read_levels(file)
    ours = kept.row(SIDES[0])
    theirs = kept.row(SIDES[1]) if SIDES[1] in kept.contexts else basis.base
    return {t: ours[t] - theirs[t] for t in basis.base}


def is_shown(question: Question, places: Collection[int]) -> bool:
    """Whether any row of the file at `places` is one of those shown."""
    return _beginnings(question, places) != _beginnings(question, ())


def _beginnings(question: Question, without: Collection[int]) -> list[list[tuple[Message, ...]]]:
    pair, model = question.pair, question.simulator
    if pair.control is not None and pair.matched:
        return beginnings(model, pair.episodes, pair.control, without=without)
    theirs = () if pair.control is None else beginnings(model, pair.control)
    return [*beginnings(model, pair.episodes, without=without), *theirs]


def share_of(shifts: Mapping[str, Floats], share: float) -> dict[str, Floats] | None:
    """What the forecast counts of `shifts` {trait: (I,)}; None where there are none."""
    return {t: share * items for t, items in shifts.items()} or None


def in_context_note(question: Question, shifts: Mapping[str, Floats]) -> str:
    """In words: that rows were shown, and what counts of it, or that none could be; empty where none were to be."""
    share, pair = question.dose.share, question.pair
    if not share:
        return ""
    if not shifts:
        rows = "no rows" if pair.control is None else "no rows, or none of the control,"
        return (
            f"Of the file {rows} could be shown in context (dialogues of up to {LONGEST} characters), so the forecast "
            "is the cast's alone."
        )
    less = " (with no control, what any earlier turns do is in it)" if pair.control is None else ", less the control's"
    return (
        f"The forecast has two parts: who answers, by the cast, and {share:.2g} of what rows of the file do as earlier "
        f"turns of the untrained model, up to {ROWS} at a time{less}.{SYSTEM * _has_system(question)}"
    )


def _has_system(question: Question) -> bool:
    """Whether some row of the file or its control has a system text, as far as rows are looked at."""
    sides = (question.pair.episodes, question.pair.control or ())
    some = (rows[place] for rows in sides for place in evenly(len(rows), ROWS * TURNS))
    return any(turn.role == "system" for row in some for turn in row.messages)
