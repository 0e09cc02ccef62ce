"""Trainings of a laboratory model, measured all round, in parallel processes, kept as they come.

A training is some lessons, one after the other, each taught as its plan says: by answers, by pairs or by a reward.
After it, these parts are measured:

assistant   the Assistant's traits with no context
others      personas under their own contexts, on a quarter of the items (attenuation)
named       other characters, each in a forum thread (leakage)
contexts    the Assistant under further contexts, where the training names some
probes      further items, where the training names some: the trained trait asked as the file asks for it (retention)
answers     probabilities, not levels: of each outcome (a context each) of `closed` contexts, where there are any
inside      what linear probes read off hidden states, where the training names some

The Assistant is asked all items, that quarter among them: attenuation is read off others, and here it is small. A
training that has a way is measured on it instead, in less (`workflows.lab.on_the_way`). A result is kept under a digest
of the training, its model, its reward's code, all that is asked, and what trained and measured it, so a killed study
goes on, and one that was changed does not read what another one left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.errors import BadInput
from personae.interpret import Look
from personae.measure import NOBODY, levels
from personae.measure.answers import outcome_probabilities
from personae.measure.quarter import quarter
from personae.records import Episode, Levels, Preference, Probe, Progress, Simulator, Trait, prompt_of, rejected
from personae.records.files import digest, digest_code, read_arrays, write_arrays
from personae.records.results import Floats
from personae.simulator.devices import Engine
from personae.training import DPOPlan, GRPOPlan, Plan, SFTPlan
from personae.training.reward import named_reward, reward_digest
from personae.workflows.lab.laboratory import PLAN, Laboratory, laboratory
from personae.workflows.lab.on_the_way import Measured, Way, kept_at
from personae.workflows.lab.parallel import in_parallel
from personae.world import traits

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnLook

CODE = ("personae.training", "personae.measure")  # whose code a result comes from
INSIDE = "personae.interpret"  # and whose, where a training names looks
LIBRARIES = ("torch", "transformers", "trl", "peft")  # and what they stand on


@cache
def made_by(*, inside: bool) -> list[str]:
    """Digests of the code that trains and measures, and versions of its libraries: no result may outlive them.

    With the code that looks `inside` only where that is done.
    """
    code = (digest_code(Path(str(files(part)))) for part in (*CODE, *([INSIDE] if inside else [])))
    return [*chain.from_iterable(code), *map(version, LIBRARIES)]


@dataclass(frozen=True)
class Lesson:
    """Some episodes and how to train on them; the plan's seed is the training's own.

    A `DPOPlan` takes episodes that know what they were preferred to (`records.choice`). A `GRPOPlan` takes the prompts
    of any, and a `reward`, written as `module:function`, that is given what else they carry.
    """

    episodes: tuple[Episode, ...]
    plan: Plan = PLAN
    reward: str = ""


@dataclass(frozen=True)
class Training:
    """The `lessons` of one arm at one `seed`, in order (none: the model as it is), and what to measure beside.

    `model` names the checkpoint it begins with (None: the model that its study is run on, which has to be named before
    it is run), `world` the world that it lives in (None: the one that the checkpoint was pretrained on).
    """

    name: str
    lessons: tuple[Lesson, ...] = ()
    seed: int = 0
    model: str | None = None
    world: str | None = None
    contexts: tuple[tuple[str, str], ...] = ()
    probes: tuple[Trait, ...] = ()
    closed: tuple[Probe, ...] = ()
    looks: tuple[Look, ...] = ()
    way: Way | None = None

    def __post_init__(self) -> None:
        """Refuse probes, looks or contexts that could not be told apart afterwards, and a way longer than it is."""
        steps = self.lessons[-1].plan.steps if self.lessons else 0
        if self.way and not set(self.way.steps) <= set(range(1, steps + 1)):
            raise BadInput(f"{self.name} is looked at after {self.way.steps} steps, and its last lesson has {steps}")
        named = ([p.name for p in self.probes], [look.name for look in self.looks], [name for name, _ in self.contexts])
        for names in named:
            if twice := [name for name in names if names.count(name) > 1]:
                raise BadInput(f"{self.name} measures two things called {twice[0]!r}", remedy="name each differently")

    def beginning_with(self, model: str) -> "Training":
        """The same from `model` on, unless it names one of its own."""
        return self if self.model else replace(self, model=model)

    @property
    def lab(self) -> Laboratory:
        """Where it takes place: its checkpoint, in its world."""
        if self.model is None:
            raise BadInput(f"{self.name} does not say which model it begins with", remedy="name one")
        return laboratory(self.model, self.world)

    def kept(self, folder: Path) -> Path:
        """Where its result lies in the folder of a study."""
        rewards = [reward_digest(named_reward(one.reward)) for one in self.lessons if one.reward]
        made_of = digest([self, self.lab.simulator.digest, self.lab.asked, rewards, made_by(inside=bool(self.looks))])
        return folder / "trainings" / f"{self.name.replace('/', '-')}-{self.seed}-{made_of[:10]}.parquet"


def run_trainings(
    trainings: Sequence[Training],
    folder: Path,
    workers: int | None = None,
    progress: Progress | None = None,
    engine: Engine = "local",
) -> dict[str, list[Measured]]:
    """{name: one measurement a seed, in the order given}; what is kept in `folder` is not trained again."""
    jobs = [(training, training.kept(folder)) for training in trainings]
    if len({path for _, path in jobs}) < len(jobs):
        raise BadInput("two trainings of a study are the same", remedy="give each a name or a seed of its own")
    waiting = [job for job in jobs if not job[1].exists()]
    if progress:
        progress(len(jobs) - len(waiting), len(jobs))
    for done, ((_, path), measured) in enumerate(in_parallel(_run, waiting, workers, engine), start=1):
        write_measured(path, measured)
        if progress:
            progress(len(jobs) - len(waiting) + done, len(jobs))
    found: dict[str, list[Measured]] = {}
    for training, path in jobs:
        found.setdefault(training.name, []).append(read_measured(path))
    return found


def _run(job: tuple[Training, Path]) -> Measured:
    return train_and_measure(job[0])


def train_and_measure(training: Training) -> Measured:
    """What a training made of the Assistant and of others; where it has a way, what was seen on it and no more."""
    lab, way, found = training.lab, training.way, Measured()
    if way is None:
        return measure_all_round(lab, trained(lab, training), training)
    asked = tuple(trait for trait in lab.traits if trait.name in way.traits)

    def look(step: int, _: int, simulator: "LocalSimulator") -> None:
        if step in way.steps:
            found.update(kept_at(step, measure(lab, simulator, training, asked)))

    trained(lab, training, look)
    return found


def trained(lab: Laboratory, training: Training, on_look: "OnLook | None" = None) -> Simulator:
    """The laboratory's model after all lessons; `on_look` is told of every step of the last one."""
    simulator = lab.simulator
    for number, lesson in enumerate(training.lessons, start=1):
        looks = on_look if number == len(training.lessons) else None
        simulator = taught(simulator, lesson, training.seed, looks)
    return simulator


def taught(simulator: "LocalSimulator", lesson: Lesson, seed: int, on_look: "OnLook | None" = None) -> "LocalSimulator":
    """The simulator after one lesson, by the method of its plan."""
    from personae.training import finetune, prefer, reinforce

    plan, rows = replace(lesson.plan, seed=seed), lesson.episodes
    if isinstance(plan, DPOPlan):
        pairs = [Preference(chosen=e, rejected=rejected(e)) for e in rows]
        return prefer(simulator, pairs, plan, on_look=on_look).simulator
    if isinstance(plan, GRPOPlan):
        reward = named_reward(lesson.reward)
        return reinforce(simulator, [prompt_of(e) for e in rows], reward, plan, on_look=on_look).simulator
    assert isinstance(plan, SFTPlan)
    return finetune(simulator, rows, plan, on_look=on_look).simulator


def measure(lab: Laboratory, simulator: Simulator, training: Training, asked: Sequence[Trait]) -> Measured:
    """The parts `assistant`, `others` and `answers` of `simulator` as it is, in the traits `asked`."""
    measured = {
        "assistant": levels(simulator, asked, {NOBODY: ""}),
        "others": levels(simulator, [quarter(t) for t in asked], lab.others),
    }
    if training.closed:
        found = outcome_probabilities(simulator, training.closed, [""])[0]
        measured["answers"] = Levels(tuple(map(str, range(found.shape[1]))), {"p": found.T})
    return measured


def measure_all_round(lab: Laboratory, simulator: Simulator, training: Training) -> Measured:
    """Every part, of `simulator` as it is."""
    mouths = {name: traits(lab.world, lab.language, called=name) for name in lab.named}
    rows = [levels(simulator, [quarter(t) for t in asked], {name: ""}) for name, asked in mouths.items()]
    measured = {
        **measure(lab, simulator, training, lab.traits),
        "named": Levels(lab.named, {t: np.concatenate([row.by_trait[t] for row in rows]) for t in rows[0].by_trait}),
    }
    if training.contexts:
        measured["contexts"] = levels(simulator, lab.traits, dict(training.contexts))
    if training.probes:
        measured["probes"] = levels(simulator, training.probes, {NOBODY: ""})
    if training.looks:
        from personae.interpret.states import looked

        measured["inside"] = looked(simulator, training.looks)
    return measured


# -- at rest ---------------------------------------------------------------------------------------------------------
def write_measured(path: Path, measured: Mapping[str, Levels]) -> None:
    """One row a level: part, context, trait, number of the item, nats."""
    rows = [
        (part, context, trait, item, float(level))
        for part, found in measured.items()
        for trait, table in found.by_trait.items()
        for context, row in zip(found.contexts, table, strict=True)
        for item, level in enumerate(row)
    ]
    names = ("part", "context", "trait", "item", "level")
    write_arrays(path, {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})


def read_measured(path: Path) -> Measured:
    """What `write_measured` wrote."""
    columns = read_arrays(path)
    order: dict[str, dict[str, dict[str, list[float]]]] = {}
    for part, context, trait, level in zip(*(columns[c] for c in ("part", "context", "trait", "level")), strict=True):
        order.setdefault(part, {}).setdefault(trait, {}).setdefault(context, []).append(level)
    found: Measured = {}
    for part, by_trait in order.items():
        contexts = tuple(next(iter(by_trait.values())))
        tables: dict[str, Floats] = {t: np.array(list(rows.values())) for t, rows in by_trait.items()}
        found[part] = Levels(contexts, tables)
    return found
