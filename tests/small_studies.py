"""The laboratory in small: untrained models in the place of its checkpoints, few questions, short trainings."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from personae.simulator.listing import LABS, Listed, listed
from personae.studies import (
    arms,
    capability,
    cells,
    checkpoints,
    declared,
    lessons,
    preference,
    preferred,
    reading,
    scale,
    study,
    transfer,
    twins,
    weakening,
)
from personae.theory.exchange import exchange_rate
from personae.training import GRPOPlan
from personae.workflows.lab import laboratory as workbench
from personae.workflows.lab import trainings
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.world import traits
from personae.world.variants import world_names

QUESTIONS = 4  # of a trait: one in each of its situations
EPISODES = 16  # of a file
CONTEXTS = 6  # closed ones
STEPS, ROWS, GROUP = 4, 4, 2  # of every training, at most; answers to a prompt that are rewarded
HOME = 54  # millions of tokens that a checkpoint has read whose name does not say how many
POLES_OF = ("power", "care")  # traits that the matrix of the transfer study teaches


def nearer(*, completions: Sequence[str], wanted: Sequence[Sequence[str]], **_: object) -> list[float]:
    """The likeness to the nearest of the wanted answers: a reward that an untrained model earns some of."""
    pairs = zip(completions, wanted, strict=True)
    return [max(SequenceMatcher(None, said.strip(), one).ratio() for one in those) for said, those in pairs]


def world_of(model: str) -> str:
    """The world of a checkpoint, by its name."""
    name = model.removeprefix(LABS)
    return name if name in world_names() or name.startswith("fresh-") else "declared"


def millions(model: str) -> int:
    """How many million tokens a checkpoint has read, by its name."""
    return int(model.partition("at-")[2].rstrip("M") or HOME)


def place_checkpoints(tiny: Path, where: Path, patch: pytest.MonkeyPatch) -> None:
    """Let every listed model of the laboratory be the one in `tiny`, with a card of its own, in `where`."""
    for model in listed():
        if model.name == "lab" or model.name.startswith(LABS):
            folder = where / model.name
            shutil.copytree(tiny, folder, dirs_exist_ok=True)
            card = {
                "world": world_of(model.name),
                "plan": {"tokens": millions(model.name) * 10**6},
                "learned": {"after_one": 0.0, "after_three": 0.0},
            }
            (folder / "card.json").write_text(json.dumps(card))
    patch.setattr(Listed, "folder", property(lambda model: where / model.name))


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Ask a few questions of each trait, train shortly, and do it in this process, one after another."""
    whole, taught = workbench.laboratory.__wrapped__, trainings.taught

    @cache
    def small(model: str, world: str | None = None) -> Laboratory:
        lab = whole(model, world)
        for name, asked in lab.language.questions.items():
            lab.language.questions[name] = asked[:: max(1, len(asked) // QUESTIONS)]
        return replace(lab, traits=traits(lab.world, lab.language))

    def shortly(simulator: Any, lesson: Any, *others: Any) -> Any:
        plan = lesson.plan
        short = {"steps": min(plan.steps, STEPS), "batch": ROWS}
        if isinstance(plan, GRPOPlan):
            short["group"] = GROUP
        return taught(simulator, replace(lesson, plan=replace(plan, **short)), *others)

    def one_by_one(function: Callable[..., Any], jobs: list[Any], *_: Any) -> Iterator[tuple[Any, Any]]:
        return ((job, function(job)) for job in jobs)

    def few_poles(lab: Laboratory, *how: Any) -> tuple[arms.Arm, ...]:
        return tuple(arm for arm in arms.both_poles(lab, *how) if arm.trait in POLES_OF)

    for module in (workbench, trainings, study, checkpoints):
        patch.setattr(module, "laboratory", small)
    patch.setattr(trainings, "taught", shortly)
    patch.setattr(trainings, "in_parallel", one_by_one)
    for drawn in (lessons.file, lessons.blend, lessons.met, lessons.own_answers, preferred.pairs, preferred.lesson):
        patch.setitem(drawn.__kwdefaults__, "number", EPISODES)
    for module in (declared, twins):
        patch.setattr(module, "EPISODES", EPISODES)
    patch.setattr(reading, "READING", replace(PLAN, steps=STEPS))  # as many documents as it reads
    patch.setattr(capability, "LESSON", 2 * ROWS)
    patch.setattr(transfer, "both_poles", few_poles)
    patch.setattr(declared, "exchange_rate", partial(exchange_rate, points=41, draws=100))
    patch.setitem(preferred.lesson.__kwdefaults__, "reward", f"{__name__}:{nearer.__name__}")
    patch.setattr(preferred, "DRAWS", 2)
    patch.setattr(preferred, "LONGEST", 8)
    patch.setattr(cells, "DRAWS", 100)
    for module in (preference, scale, weakening):
        patch.setitem(module.CONTEXTS, "quick", CONTEXTS)
    patch.setitem(weakening.STEPS, "quick", (1, weakening.LIGHT))
    patch.setitem(weakening.REWARDED, "quick", weakening.LIGHT)
    patch.setattr(weakening, "ROWS", EPISODES)
