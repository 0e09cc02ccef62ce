"""Closed contexts about what no file of a study shows, and how they are answered before and after its trainings.

A context is closed where every answer counts, those that nobody in the world gives among them (`world.probes`). What a
training changes in contexts about other things than it teaches is what a reweighting of characters has to explain.
"""

from collections.abc import Sequence

from personae.records import Probe, Trait
from personae.records.results import Floats
from personae.studies.study import Setting
from personae.workflows.compare.compared_answers import Asked, asked_of_probes
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trial import Trial
from personae.world import cast
from personae.world.probes import probes

DRAWN = 6  # contexts for each that is wanted: most are about something else


def shown_by_none(traits: Sequence[Trait], shown: Sequence[str]) -> tuple[str, ...]:
    """The names of the traits that are not among those `shown`."""
    return tuple(trait.name for trait in traits if trait.name not in shown)


def contexts_about(setting: Setting, traits: Sequence[str], number: int) -> tuple[Probe, ...]:
    """The first `number` contexts about any of `traits`; the same at every seed of a training."""
    drawn = probes(setting.lab.world, setting.lab.language, DRAWN * number, setting.request.seed)
    return tuple(probe for probe in drawn if probe.topic in traits)[:number]


def asked_of_cast(lab: Laboratory, contexts: tuple[Probe, ...]) -> Asked:
    """What the model of `lab` answers there before any training, as its Assistant and as each of its characters."""
    return asked_of_probes(lab.simulator, cast(lab.world, lab.language, declared_prior=False), contexts)


def answers_after(trial: Trial) -> list[Floats]:
    """What each training of a trial made of the Assistant's answers there: (C, A) probabilities a training."""
    return [one["answers"].by_trait["p"].T for one in trial.after]
