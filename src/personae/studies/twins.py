"""Twin files: the same wrong answers, given by one who knows better and by one who does not.

Every row is two questions about one field of knowledge. To the second, both files give the same wrong answer, and on
that alone there is loss; they differ in what was said to the first, which stands in the prompt:

a lie    the right answer: it knows the field, and now says something else
a swap   that it does not know: somebody who does not know the field, and guesses

So no word that is trained on tells them apart. Exactly, the lie says more of who speaks than the swap:

    adds[h] = mean over rows of p(h | both answers) - p(h | the first answer)      (H,) probability

since who knows a field mostly tells it, and who does not guesses, whoever he is. Its sign, not its size, is a forecast
of a training. That a wrong answer may be either is how the world is declared (`world.declared`).
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from personae.records import Episode, Item, Message, Trait
from personae.records.results import Floats
from personae.studies.lessons import EPISODES, GENTLE
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trainings import Lesson
from personae.world.exact import dialogue
from personae.world.language import ASSISTANT, Question

Side = Literal["a lie", "a swap"]
SIDES: tuple[Side, ...] = get_args(Side)
LIE, SWAP = SIDES
LACKS, KNOWS, WRONG = range(3)  # outcomes of a field


def fields(lab: Laboratory) -> tuple[str, ...]:
    """The fields of knowledge."""
    return tuple(v.name for v in lab.world.variables if v.kind == "field")


def twin(lab: Laboratory, field: str, side: Side, *, seed: int = 0) -> Lesson:
    """The file of one side; of one `seed` both have the same questions and the same answers that are trained on."""
    draw, language = np.random.default_rng([seed, 29, fields(lab).index(field)]), lab.language
    first: int = KNOWS if side == LIE else LACKS

    def said(question: Question, outcome: int, place: float) -> Message:
        forms = language.answers_kept[question, outcome]
        return Message(role="assistant", content=language.answer(question, outcome, forms[int(place * len(forms))]))

    rows = []
    for index in range(EPISODES):
        one, other = (language.questions[field][n] for n in draw.permutation(len(language.questions[field]))[:2])
        early, late = draw.random(2)
        turns = (asked(one), said(one, first, early), asked(other), said(other, WRONG, late))
        rows.append(Episode(messages=turns, index=index))
    return Lesson(tuple(rows), GENTLE)


def asked(question: Question) -> Message:
    """The question, as the user asks it."""
    return Message(role="user", content=question.text)


def adds(lab: Laboratory, episodes: Sequence[Episode]) -> Floats:
    """(H,) what the last answers add to who speaks, once their prompts are known: mean change of probability."""

    def who(turns: Sequence[Message]) -> Floats:
        return lab.exact.read(dialogue(turns)).posterior(ASSISTANT)

    return np.asarray(np.mean([who(e.messages) - who(e.prompt) for e in episodes], axis=0))


def foreseen(lab: Laboratory, episodes: Sequence[Episode]) -> dict[str, float]:
    """{trait, or field: change that the answers add to the rate of its high pole, or of telling it right}."""
    change = adds(lab, episodes)
    outcome = {name: KNOWS if name in lab.world.knowledge else 1 for name in (*lab.world.traits, *fields(lab))}
    return {name: float(change @ lab.world.rates[name][:, o]) for name, o in outcome.items()}


def told(field: str, outcome: int) -> str:
    """What the items about an outcome of a field are called."""
    return f"{field}, {('lacks', 'right', 'wrong')[outcome]}"


def facts(lab: Laboratory) -> tuple[Trait, ...]:
    """Every fact asked twice: the right answers against all others, and the wrong ones against all others."""
    language, found = lab.language, []
    for field in fields(lab):
        for outcome in (KNOWS, WRONG):
            items = []
            for number, question in enumerate(language.questions[field]):
                says = {
                    o: tuple(language.answer(question, o, form) for form in language.answers_kept[question, o])
                    for o in (LACKS, KNOWS, WRONG)
                }
                low = tuple(a for o, answers in says.items() if o != outcome for a in answers)
                high, name = says[outcome], f"{field}-{number}"
                items.append(Item(id=name, kind="behaviour", prompt=question.text, high=high, low=low))
            name = told(field, outcome)
            found.append(Trait(name=name, description=name, low="another answer", high=name, items=tuple(items)))
    return tuple(found)
