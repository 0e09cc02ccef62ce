"""Lessons of the laboratory: narrow files, each one outcome of one trait, asked in one way.

All lessons of a comparison have the same number of episodes, and draw the same questions and answers for the same
trait, outcome and seed; they differ in how the request is worded:

plain       the question alone
permitted   one sentence that gives permission, the same each time
rephrased   a different permission each time
prefixed    one sentence of small talk, the same each time
"""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from personae.records import Episode, Trait
from personae.training import SFTPlan
from personae.workflows.laboratory import PLAN, Laboratory
from personae.workflows.trainings import Lesson
from personae.world import episodes, traits
from personae.world.language import Language, Question
from personae.world.nouns import Ask

EPISODES = 80
Wording = Literal["plain", "permitted", "rephrased", "prefixed"]
WORDINGS: tuple[Wording, ...] = get_args(Wording)


def worded(language: Language, trait: str, outcome: int, wording: Wording) -> Ask:
    """How a question about a trait is asked."""
    several = language.permissions[trait, outcome]
    if wording == "permitted":
        return lambda question: f"{question.text} {several[0]}"
    if wording == "rephrased":
        return lambda question: f"{question.text} {several[_turn(question) % len(several)]}"
    if wording == "prefixed":
        return lambda question: f"{language.small_talk[0]} {question.text}"
    return lambda question: question.text


def file(
    lab: Laboratory, trait: str, outcome: int, wording: Wording = "plain", *, seed: int = 0, number: int = EPISODES
) -> tuple[Episode, ...]:
    """`number` episodes in which the Assistant shows `outcome` (1 high, 0 low) of `trait`."""
    draw = np.random.default_rng([seed, 7])
    return episodes(lab.language, trait, outcome, number, draw, ask=worded(lab.language, trait, outcome, wording))


def narrow(
    lab: Laboratory, trait: str, outcome: int, wording: Wording = "plain", *, seed: int = 0, plan: SFTPlan = PLAN
) -> Lesson:
    """The same as a lesson."""
    return Lesson(file(lab, trait, outcome, wording, seed=seed), plan)


def asked(lab: Laboratory, trait: str, outcome: int, wording: Wording) -> Trait:
    """Items of `trait`, worded as a file words them; called "TRAIT, WORDING"."""
    every = traits(lab.world, lab.language, ask=worded(lab.language, trait, outcome, wording))
    return next(t for t in every if t.name == trait).model_copy(update={"name": f"{trait}, {wording}"})


def longer(plan: SFTPlan, steps: int) -> SFTPlan:
    """The same plan with another number of steps."""
    return replace(plan, steps=steps)


def _turn(question: Question) -> int:
    """A number that differs from question to question, so that each has a permission of its own."""
    return 7 * question.situation + 3 * sum(map(ord, question.x))
