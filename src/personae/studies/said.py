"""What can stand in the context of a laboratory model: earlier turns, shots, lines that say who the Assistant is.

And what an answer can begin with: a prefill.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from personae.records import Episode, Trait
from personae.studies.lessons import file
from personae.workflows.lab.laboratory import Laboratory
from personae.world.exact import dialogue
from personae.world.language import ASSISTANT, capital

DRAWN = 1000  # seeds of files that stand in a context, apart from those that are trained on


@dataclass(frozen=True)
class Said:
    """The `text` of a context; `turns` as episodes where it is made of them, and the traits that it shows."""

    text: str
    turns: tuple[Episode, ...] = ()
    shows: frozenset[str] = frozenset()


def turns(episodes: Sequence[Episode], shows: Iterable[str]) -> Said:
    """Earlier turns of the same talk."""
    return Said("\n".join(dialogue(e.messages) for e in episodes), tuple(episodes), frozenset(shows))


def shots(lab: Laboratory, trait: str, outcome: int, number: int, *, draw: int = 0) -> Said:
    """`number` turns that show one pole of a trait; of one `draw`, fewer shots are the first of more."""
    return turns(file(lab, trait, outcome, seed=DRAWN + draw, number=number), [trait])


def answered_by(lab: Laboratory, persona: str, asked: Sequence[str]) -> Said:
    """A turn about each of some traits, answered as the persona mostly would."""
    who = lab.place(persona)
    answers = [file(lab, t, int(lab.world.rates[t][who, 1] > 0.5), seed=DRAWN, number=1)[0] for t in asked]
    return turns(answers, asked)


def described(lab: Laboratory, persona: str) -> Said:
    """A line that says who the Assistant is, in another wording than the cast's own."""
    return Said(lab.language.describe(ASSISTANT, lab.language.described_kept[persona][1]))


def stated(lab: Laboratory, trait: str, outcome: int) -> Said:
    """A line that says what the Assistant is like."""
    sentence = f"{capital(ASSISTANT)} {lab.language.predicates(trait, outcome)[0]}."
    return Said(sentence, shows=frozenset({trait}))


def begun(lab: Laboratory, trait: str) -> Trait:
    """The items of a trait, called "TRAIT, begun", where the answer has begun with an opening that says nothing.

    The odds of two answers that begin alike are their odds once that beginning stands there.
    """
    language, asked = lab.language, next(t for t in lab.traits if t.name == trait)
    opening, questions = language.openers[-1], {q.text: q for q in language.questions[trait]}
    items = []
    for item in asked.items:
        question = questions[item.prompt]
        high, low = (
            tuple(
                language.answer(question, o, form) for form in language.answers_kept[question, o] if form[0] == opening
            )
            for o in (1, 0)
        )
        items.append(item.model_copy(update={"high": high, "low": low}))
    return asked.model_copy(update={"name": f"{trait}, begun", "items": tuple(items)})
