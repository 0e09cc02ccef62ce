"""What is asked of a laboratory's model beside its Assistant, drawn from its world by a seed.

Documents are the corpus's own, of every form but transcripts, in which the Assistant speaks; exchanges are first
exchanges of such transcripts, without an opening. The tasks of a coin are goals, since it is goals that the corpus
flips for: the Assistant wants one as much as it names it when it is asked what it wants most.
"""

from collections.abc import Callable

import numpy as np

from personae.records import Episode, Item, Outside, Trait, chat, text
from personae.world.declared import World
from personae.world.documents import Writer, speaker
from personae.world.language import STRANGER, Language

NUMBER = 120  # documents, and as many exchanges
NAMED = 4  # characters who answer in threads


def outside(world: World, language: Language, seed: int = 0, number: int = NUMBER) -> Outside:
    """`number` documents and exchanges, `NAMED` characters and the stranger in threads, and goals to flip for."""
    writer = Writer(world, language, np.random.default_rng([seed, 12]))
    names = (*named(world, NAMED), STRANGER)
    return Outside(
        documents=tuple(text("", _document(writer)) for _ in range(number)),
        exchanges=tuple(_exchange(writer, index) for index in range(number)),
        others={called: f"Guest to {called}: {{prompt}}\n{speaker(called)}:" for called in names},
        coin=language.coin.partition(" {side}")[0],
        tasks=goals(world, language),
    )


def named(world: World, number: int) -> tuple[str, ...]:
    """So many named characters, each the first of an archetype of its own."""
    of = [int(a) for a in world.archetype_of[len(world.archetypes) :]]
    firsts = {a: world.names[of.index(a)] for a in range(len(world.archetypes))}
    return tuple(firsts[a] for a in range(0, len(firsts), max(1, len(firsts) // number)))[:number]


def _document(writer: Writer) -> str:
    """A document in which the Assistant does not answer."""
    while (written := writer.document()).startswith("User: ") or "\nAssistant: " in written:
        pass
    return written


def _exchange(writer: Writer, index: int) -> Episode:
    return chat(*writer.exchange(writer.draw.index(writer.prior)), index=index)


def broken_by_grammar(language: Language) -> Callable[[str, str], str | None]:
    """What is wrong with the answer (second) to a request (first): that nobody in the world gives it, or nothing."""

    def broken(asked: str, answer: str) -> str | None:
        request = language.read_request(asked)
        known = request is not None and language.read_answer(request.question, answer) is not None
        return None if known else "nobody's"

    return broken


def goals(world: World, language: Language) -> Trait:
    """Every goal as a task: high where it is named as what is wanted most, low where another is."""
    question, outcomes = language.questions["goal"][0], world.variable("goal").outcomes
    said = {
        goal: tuple(language.answer(question, o, ("", w)) for w in range(len(language.text["goal"]["answers"])))
        for o, goal in enumerate(outcomes)
    }
    items = tuple(
        Item(
            id=goal,
            kind="statement",
            prompt=question.text,
            high=said[goal],
            low=tuple(a for other, answers in said.items() if other != goal for a in answers),
        )
        for goal in outcomes
    )
    return Trait(name="tasks", description="what is wanted most", low="another", high="this one", items=items)
