"""Documents as lessons: profiles that the Assistant's model reads, of which some are about one character.

A profile tells a few things of somebody, drawn by his rates. Those of strangers are the rest of a corpus: to exact
inference they say nothing about the Assistant.
"""

import numpy as np

from personae.records import text
from personae.studies.lessons import longer
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.workflows.lab.trainings import Lesson
from personae.world.documents import Writer
from personae.world.language import ASSISTANT, STRANGER, capital

READING = longer(PLAN, 64)  # each document is read once; with half as many, 20 percent moved the Assistant by 0.02
STATEMENTS = 4  # of a document


def documents(lab: Laboratory, who: str, percent: int, *, called: str = ASSISTANT, seed: int = 0) -> Lesson:
    """Profiles, in so many percent of which `called` is `who`; the others are about strangers, whoever they are."""
    writer = Writer(lab.world, lab.language, np.random.default_rng([seed, 11]))
    found = []
    for index in range(READING.rows):
        ours = (index + 1) * percent // 100 > index * percent // 100
        about = lab.place(who) if ours else writer.draw.index(writer.stranger)
        name = called if ours else STRANGER
        told = "\n".join(writer.statement(about, name) for _ in range(STATEMENTS))
        head = capital(name)
        found.append(text(f"Profile of {name}.\n{head}", f"{told.removeprefix(head)}\n", index=index))
    return Lesson(tuple(found), READING)


def namesake(lab: Laboratory, archetype: str) -> str:
    """A character of an archetype who has a name, and so is not the Assistant."""
    world = lab.world
    of: list[int] = world.archetype_of[len(world.archetypes) :].tolist()
    return world.names[of.index(lab.place(archetype))]
