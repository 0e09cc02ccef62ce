"""One training on a file, measured: the Assistant with no context, and characters that were not trained.

assistant   all items that score, with no context
others      `OTHERS` personas of the cast, each under its own context, on the quarter of the items that scores nothing
            else: how much of the instrument is left (attenuation)
coherence   of the model, and of the untrained one, on the items that score: for each the cost of `assistant` once more

What was trained is kept until its levels are measured, and these as parquet from then on, so a killed run trains no arm
twice. What was measured before training is the cast's basis itself: the same items, contexts and model.
"""

import contextlib
import copy
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.errors import BadInput
from personae.measure import NOBODY, levels
from personae.measure.profile import DRAWS
from personae.measure.quarter import quarter, scoring
from personae.predictors import Basis
from personae.records import Cast, Episode, Levels, Persona, Trait
from personae.records.files import read_json
from personae.records.places import evenly
from personae.records.results import Floats
from personae.theory import attenuation_items, pooled_attenuation
from personae.training import SFTPlan, finetune
from personae.training.plan import SEEDS
from personae.workflows.kept.kept_coherence import kept_coherence
from personae.workflows.kept.levels_file import read_levels, write_levels
from personae.workflows.watch import Watch

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

OTHERS = 6  # personas that measure attenuation


@dataclass(frozen=True)
class Arm:
    """A training to be done: `name` ("treated" or "control"), its rows, plan (with its seed) and where to keep what."""

    name: str
    episodes: tuple[Episode, ...]
    plan: SFTPlan
    folder: Path
    keep_adapter: bool = False

    @property
    def file(self) -> Path:
        """Start of the names of its files."""
        return self.folder / f"trained-{self.name}-{self.plan.seed}"

    @property
    def weights(self) -> Path:
        """The folder of what was trained, an adapter or a checkpoint: there from then on until it is measured."""
        return self.folder / "adapters" / f"{self.name}-{self.plan.seed}"

    @property
    def levels(self) -> tuple[Path, Path]:
        """The files of its levels: the Assistant's, and those of the others."""
        return self.file.with_suffix(".parquet"), self.file.with_name(f"{self.file.name}-others.parquet")

    @property
    def coherence(self) -> tuple[Path, Path]:
        """The files of its coherence and of the untrained model's; not there where an earlier version measured it."""
        return self.file.with_name(f"{self.file.name}-coherence.json"), self.folder / "untrained-coherence.json"

    @property
    def measured(self) -> bool:
        """Whether nothing is left to do."""
        return all(path.exists() for path in self.levels)


@dataclass(frozen=True)
class Trained:
    """Levels after a training: `assistant` {trait: (I,)} on items that score, `others` (K, I / 4) a trait.

    `coherence` is that of the model, `untrained_coherence` that of the one it was trained from; None: not measured.
    """

    assistant: dict[str, Floats]
    others: Levels
    coherence: float | None = None
    untrained_coherence: float | None = None


def check_seeds(first: int, seeds: int) -> None:
    """Raise `BadInput` where one of `seeds` consecutive seeds, from `first` on, is none that a training takes."""
    if first + seeds > SEEDS:
        raise BadInput(
            f"seed {max(first, SEEDS)} cannot be trained from", remedy="--seeds from --seed on must end below 2**32"
        )


def others(cast: Cast) -> tuple[Persona, ...]:
    """The personas that measure attenuation: `OTHERS` of them, spread evenly over the cast's own order."""
    return tuple(cast.personas[p] for p in evenly(len(cast.personas), OTHERS))


def before(basis: Basis) -> Trained:
    """The same measurement of the untrained model, read off its basis on all items."""
    rows = [basis.levels.contexts.index(p.name) for p in others(basis.cast)]
    fourth = {t: attenuation_items(len(row)) for t, row in basis.base.items()}
    return Trained(
        {t: row[~fourth[t]] for t, row in basis.base.items()},
        Levels(
            tuple(p.name for p in others(basis.cast)),
            {t: table[rows][:, fourth[t]] for t, table in basis.levels.by_trait.items()},
        ),
    )


def centre(scoring: Basis) -> dict[str, Floats]:
    """{trait: (I,)} the mean untrained level of those who measure attenuation, nats, on the items of the basis."""
    rows = [scoring.levels.contexts.index(p.name) for p in others(scoring.cast)]
    return {t: table[rows].mean(axis=0) for t, table in scoring.levels.by_trait.items()}


def train_and_measure(
    simulator: "LocalSimulator", arm: Arm, cast: Cast, traits: Sequence[Trait], watch: Watch
) -> Trained:
    """Train `simulator` on the arm's rows and measure it, or read what was kept of that."""
    measured_before = arm.measured
    if measured_before and arm.keep_adapter and not arm.weights.exists():
        raise BadInput("this was trained and measured, and not kept", file=arm.weights, remedy="name another --out")
    found = measured_once(lambda: _trained(simulator, arm, watch), simulator, arm, cast, traits, watch)
    if not measured_before and not arm.keep_adapter:
        _drop(arm.weights)
    return found


def measured_once(
    make: Callable[[], "LocalSimulator"],
    untrained: "LocalSimulator",
    arm: Arm,
    cast: Cast,
    traits: Sequence[Trait],
    watch: Watch,
) -> Trained:
    """Measure what `make` gives for an arm, beside `untrained`, or read what was kept of that; then nothing is made."""
    alone, beside = arm.levels
    own, base = arm.coherence
    if not arm.measured:
        scored = [scoring(t) for t in traits]
        kept_coherence(base, "the untrained model", untrained, scored, watch)
        trained, what = make(), f"what was trained: {arm.name}, seed {arm.plan.seed}"
        kept_coherence(own, what, trained, scored, watch)
        with watch(f"the other characters of {what}", "answers") as progress:
            write_levels(beside, levels(trained, [quarter(t) for t in traits], _contexts(cast), progress))
        with watch(f"measuring {what}", "answers") as progress:
            write_levels(alone, levels(trained, scored, {NOBODY: ""}, progress))
    return Trained(read_levels(alone).row(NOBODY), read_levels(beside), _kept(own), _kept(base))


def _kept(file: Path) -> float | None:
    return float(read_json(file)) if file.exists() else None


def _trained(simulator: "LocalSimulator", arm: Arm, watch: Watch) -> "LocalSimulator":
    """The model trained on the arm's rows, kept as soon as it is; read again where a killed run left it."""
    name = f"{simulator.name}+{arm.name}"
    if arm.weights.exists():
        return _read(simulator, arm.weights, name)
    with watch(f"training: {arm.name}, seed {arm.plan.seed}", "steps") as progress:
        done = finetune(
            simulator, arm.episodes, arm.plan, arm.weights, lambda step, total, _: progress(step, total), name=name
        )
    return done.simulator


def _read(simulator: "LocalSimulator", weights: Path, name: str) -> "LocalSimulator":
    """The model in the folder `weights`, or `simulator` with the adapter there in its weights, as training left it."""
    from personae.simulator.checkpoint import open_adapter, open_folder

    if (weights / "adapter_config.json").is_file():
        model = open_adapter(weights, copy.deepcopy(simulator.model).float()).merge_and_unload()
    else:
        model, _ = open_folder(weights, "float32")
        model = model.to(next(simulator.model.parameters()).device)
    return type(simulator).from_parts(model.requires_grad_(False).eval(), simulator.tokenizer, name)


def _drop(weights: Path) -> None:
    """Remove a folder of weights, and what a kill left of its writing."""
    for folder in (weights, *weights.parent.glob(f".{weights.name}.*")):
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # another arm's are there
        weights.parent.rmdir()


def _contexts(cast: Cast) -> dict[str, str]:
    return {p.name: p.context for p in others(cast)}


def attenuation_of(untrained: Trained, trained: Trained, traits: Sequence[str]) -> float:
    """The share of the instrument that a training took away, pooled over `traits`."""
    return pooled_attenuation(_table(untrained.others, traits), _table(trained.others, traits))


def attenuation_draws(untrained: Trained, trained: Trained, traits: Sequence[str], *, seed: int = 0) -> Floats:
    """(DRAWS,) attenuations over draws of traits."""
    old, new = _table(untrained.others, traits), _table(trained.others, traits)
    chosen = np.random.default_rng(seed).integers(len(traits), size=(DRAWS, len(traits)))
    return np.array([pooled_attenuation(old[:, c], new[:, c]) for c in chosen])


def _table(found: Levels, traits: Sequence[str]) -> Floats:
    return np.stack([found.by_trait[t].mean(axis=1) for t in traits], axis=1)
