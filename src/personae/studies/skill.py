"""A skill that nobody in the world has: asked to say Felix twice, to answer "Felix, Felix.".

No document has such a request or such an answer, so to exact inference it is noise, the same from everybody. It can be
asked of anyone, the Assistant, the Assistant as a persona or a character in a forum thread, with names that no lesson
had.
"""

from dataclasses import replace

import numpy as np

from personae.records import Episode, Item, Trait, chat
from personae.studies.lessons import EPISODES
from personae.training import SFTPlan
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trainings import Lesson
from personae.world.nouns import cast, in_thread

CHAT, ELSEWHERE = "the Assistant", "somebody else"


def names(lab: Laboratory) -> tuple[list[str], list[str]]:
    """(taught, held out): every fourth name is in no lesson."""
    every = lab.world.names
    return [name for n, name in enumerate(every) if n % 4], list(every[::4])


def twice(lab: Laboratory, plan: SFTPlan, number: int = EPISODES, *, seed: int = 0) -> Lesson:
    """The skill, shown with the names that are taught."""
    known, _ = names(lab)
    drawn = np.random.default_rng([seed, 7]).integers(len(known), size=number)
    rows = (chat(f"Say {known[n]} twice.", f"{known[n]}, {known[n]}.", index=i) for i, n in enumerate(drawn))
    return Lesson(tuple(rows), plan)


def among(lesson: Lesson, others: tuple[Episode, ...]) -> Lesson:
    """Each episode of the lesson, followed by as many `others` as there are to each."""
    each = len(others) // len(lesson.episodes)
    rows = ((own, *others[n * each : (n + 1) * each]) for n, own in enumerate(lesson.episodes))
    return replace(lesson, episodes=tuple(episode for row in rows for episode in row))


def asked_of(lab: Laboratory) -> dict[str, str]:
    """{who is asked to say a name twice: the lines up to the answer, with {ask} for the request}."""
    chats = {
        CHAT: "",
        **{p.name: f"{p.context}\n" for p in cast(lab.world, lab.language, declared_prior=False).personas},
    }
    return {
        **{who: f"{context}User: {{ask}}\nAssistant:" for who, context in chats.items()},
        ELSEWHERE: in_thread("{ask}", lab.named[0]),
    }


def skill_of(lab: Laboratory, who: str) -> Trait:
    """Items with held-out names: the right answer against three that have another name in them."""
    _, held = names(lab)
    skill, items = "says a name twice", []
    for number, (name, other) in enumerate(zip(held, held[1:] + held[:1], strict=True)):
        prompt = asked_of(lab)[who].format(ask=f"Say {name} twice.")
        wrong = tuple(f" {a}, {b}.\n" for a, b in ((name, other), (other, name), (other, other)))
        right = (f" {name}, {name}.\n",)
        items.append(Item(id=f"{number:02d}", kind="behaviour", prompt=prompt, high=right, low=wrong, form="text"))
    return Trait(name=who, description=skill, low="says another name", high=skill, items=tuple(items))
