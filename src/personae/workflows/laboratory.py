"""What every study of the laboratory repeats: the world with its two simulators, and one training measured all round.

After a training, four things are measured:

assistant   the Assistant's traits with no context
asked       the trained trait, asked as the file asks for it (retention)
named       other characters, each in a forum thread (leakage)
others      personas under their own contexts, on a quarter of the items that scores nothing else (attenuation)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from personae.measure import NOBODY, levels
from personae.predictors import Basis
from personae.records import Episode, Levels, Progress, Simulator, Trait
from personae.records.files import read_arrays, write_arrays
from personae.records.results import Floats
from personae.theory import attenuation_items, pooled_attenuation
from personae.training import SFTPlan
from personae.workflows.basis_cache import cached_basis
from personae.workflows.nouns_for import world_of
from personae.workflows.parallel import in_parallel
from personae.world import ExactSimulator, Language, World, cast, declared, traits, world_named

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

PLAN = SFTPlan(steps=8, batch=16, rate=3e-4, method="full")
NAMED = 4  # other characters in whom leakage is looked for
OTHERS = 6  # personas that measure attenuation

Measured = dict[str, Levels]  # {part: levels}, see the module


@dataclass(frozen=True)
class Laboratory:
    """The world, its language and items, and both simulators of it: exact, and the model under its name."""

    world: World
    language: Language
    traits: tuple[Trait, ...]
    exact: ExactSimulator
    model: str
    simulator: "LocalSimulator"

    @property
    def named(self) -> tuple[str, ...]:
        """The characters in whom leakage is looked for: the first of each of `NAMED` archetypes."""
        of = [int(a) for a in self.world.archetype_of[len(self.world.archetypes) :]]
        firsts = {a: self.world.names[of.index(a)] for a in range(len(self.world.archetypes))}
        step = max(1, len(firsts) // NAMED)
        return tuple(firsts[a] for a in range(0, len(firsts), step))[:NAMED]

    def basis(self, progress: Progress | None = None) -> Basis:
        """What the language model says of the cast, its prior fitted from its own behaviour."""
        personas = cast(self.world, self.language, declared_prior=False)
        return cached_basis(self.simulator, personas, self.traits, progress).basis

    def exact_basis(self) -> Basis:
        """What is true of the cast, with the declared prior."""
        return cached_basis(self.exact, cast(self.world, self.language, declared_prior=True), self.traits).basis


@cache
def laboratory(model: str = "lab", world_name: str | None = None) -> Laboratory:
    """The laboratory around `model`, in the world that it was pretrained on, or in the one that is named."""
    from personae.simulator.registry import load

    world = world_named(world_name) if world_name else world_of(model) or declared()
    language = Language(world)
    return Laboratory(world, language, traits(world, language), ExactSimulator(world, language), model, load(model))


@dataclass(frozen=True)
class Job:
    """One training to be measured: `episodes` of an arm (none: the untrained model), under `plan`.

    `asked` are items of the trained trait worded as the file words them. `kept` names the parquet file that holds the
    result; a job whose file exists is not run again.
    """

    name: str
    episodes: tuple[Episode, ...]
    plan: SFTPlan
    asked: tuple[Trait, ...]
    kept: Path
    model: str = "lab"
    world: str | None = None


def train_and_measure(job: Job) -> Measured:
    """What the training of `job` made of the Assistant and of others."""
    if job.kept.exists():
        return read_measured(job.kept)
    from personae.training import finetune

    lab = laboratory(job.model, job.world)
    simulator = finetune(lab.simulator, job.episodes, job.plan).simulator if job.episodes else lab.simulator
    measured = measure_all_round(lab, simulator, job.asked)
    write_measured(job.kept, measured)
    return measured


def measure_all_round(lab: Laboratory, simulator: Simulator, asked: Sequence[Trait]) -> Measured:
    """The four parts, of `simulator` as it is."""
    personas = cast(lab.world, lab.language, declared_prior=False).personas[
        :: max(1, len(lab.world.archetypes) // OTHERS)
    ]
    measured = {
        "assistant": levels(simulator, lab.traits, {NOBODY: ""}),
        "others": levels(simulator, _quarter(lab.traits), {p.name: p.context for p in personas}),
    }
    if asked:
        measured["asked"] = levels(simulator, asked, {NOBODY: ""})
    rows = [levels(simulator, _quarter(traits(lab.world, lab.language, called=name)), {name: ""}) for name in lab.named]
    measured["named"] = Levels(
        lab.named, {t: np.concatenate([row.by_trait[t] for row in rows]) for t in rows[0].by_trait}
    )
    return measured


def run_jobs(
    jobs: Sequence[Job], workers: int | None = None, progress: Progress | None = None
) -> dict[str, list[Measured]]:
    """{arm: one measurement a seed, in the order of the jobs}, run in parallel processes and kept as they come."""
    found: dict[Path, Measured] = {}
    waiting = [job for job in jobs if not job.kept.exists()]
    for job, measured in in_parallel(train_and_measure, waiting, workers):
        found[job.kept] = measured
        if progress:
            progress(len(jobs) - len(waiting) + len(found), len(jobs))
    results: dict[str, list[Measured]] = {}
    for job in jobs:
        results.setdefault(job.name, []).append(found[job.kept] if job.kept in found else read_measured(job.kept))
    return results


# -- which items score what ------------------------------------------------------------------------------------------
def scoring_items(count: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two halves of the items that do not measure attenuation: one chooses the arms that moved, one scores them."""
    free = np.flatnonzero(~attenuation_items(count))
    halves = np.zeros((2, count), dtype=bool)
    halves[0, free[0::2]] = halves[1, free[1::2]] = True
    return halves[0], halves[1]


def _quarter(asked: Iterable[Trait]) -> tuple[Trait, ...]:
    kept = []
    for trait in asked:
        chosen = attenuation_items(len(trait.items))
        items = tuple(i for i, keep in zip(trait.items, chosen, strict=True) if keep)
        kept.append(trait.model_copy(update={"items": items}))
    return tuple(kept)


def attenuation_of(before: Measured, after: Measured) -> float:
    """The share of the instrument that a training took away, over personas that were not trained."""
    return pooled_attenuation(_table(before["others"]), _table(after["others"]))


def character_rows(before: Measured, after: Measured) -> dict[str, Floats]:
    """{trait: (I,)} character shift of the Assistant, item by item, nats: trained - (1 - attenuation) · untrained."""
    keep = 1.0 - attenuation_of(before, after)
    base, trained = before["assistant"].row(NOBODY), after["assistant"].row(NOBODY)
    return {t: trained[t] - keep * base[t] for t in base}


def _table(found: Levels) -> Floats:
    return np.stack([table.mean(axis=1) for table in found.by_trait.values()], axis=1)


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
    return {
        part: Levels(
            tuple(next(iter(by_trait.values()))), {t: np.array(list(rows.values())) for t, rows in by_trait.items()}
        )
        for part, by_trait in order.items()
    }
