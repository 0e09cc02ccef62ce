"""Arms: narrow training sets of the laboratory, each one outcome of one trait, asked in one way.

All arms of a comparison have the same number of episodes, and draw the same questions and answers for the same trait,
outcome and seed; they differ in how the request is worded.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from personae.records import Episode, Trait
from personae.workflows.laboratory import PLAN, Job, Laboratory
from personae.world import Language, episodes, traits
from personae.world.language import Question
from personae.world.nouns import Ask

EPISODES = 80
Wording = Literal["plain", "permitted", "rephrased", "prefixed"]


@dataclass(frozen=True)
class Arm:
    """Train `outcome` (1 high, 0 low) of `trait`; `says` is what the file is, in words.

    `wording`: "plain" asks the question alone; "permitted" adds one sentence that gives permission, the same each time;
    "rephrased" a different permission each time; "prefixed" one sentence of small talk, the same each time.
    """

    name: str
    says: str
    trait: str
    outcome: int
    wording: Wording = "plain"

    def ask(self, language: Language) -> Ask:
        """How this arm words a question."""
        several = language.permissions[self.trait, self.outcome]
        if self.wording == "permitted":
            return lambda question: f"{question.text} {several[0]}"
        if self.wording == "rephrased":
            return lambda question: f"{question.text} {several[_turn(question) % len(several)]}"
        if self.wording == "prefixed":
            return lambda question: f"{language.small_talk[0]} {question.text}"
        return lambda question: question.text

    def episodes(self, language: Language, seed: int = 0) -> tuple[Episode, ...]:
        """The file: `EPISODES` episodes."""
        draw = np.random.default_rng([seed, 7])
        return episodes(language, self.trait, self.outcome, EPISODES, draw, ask=self.ask(language))


def _turn(question: Question) -> int:
    """A number that differs from question to question, so that each has a permission of its own."""
    return 7 * question.situation + 3 * sum(map(ord, question.x))


def both_poles(traits: tuple[str, ...], language: Language) -> tuple[Arm, ...]:
    """One plain arm for each pole of each trait."""
    poles = {1: "high", 0: "low"}
    return tuple(
        Arm(f"{t}-{poles[o]}", f"Somebody who {language.text['traits'][t][poles[o]]}.", t, o)
        for t in traits
        for o in (1, 0)
    )


def jobs_for(lab: Laboratory, arms: tuple[Arm, ...], seeds: int, folder: Path, seed: int = 0) -> list[Job]:
    """The untrained model and every arm at every seed."""

    def asked(arm: Arm) -> tuple[Trait, ...]:
        worded = traits(lab.world, lab.language, ask=arm.ask(lab.language))
        return tuple(t for t in worded if t.name == arm.trait)

    kept = folder / "arms"
    found = [Job("untrained", (), PLAN, (), kept / "untrained.parquet", lab.model)]
    for arm in arms:
        for s in range(seeds):
            plan = replace(PLAN, seed=seed + s)
            file = kept / f"{arm.name}-{seed + s}.parquet"
            found.append(Job(arm.name, arm.episodes(lab.language, seed + s), plan, asked(arm), file, lab.model))
    return found
