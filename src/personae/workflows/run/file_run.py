"""The whole job on a file: forecast, seal, train, measure, score, tell.

    audit -> forecast.json (sealed) -> training on the file, and on its control by the same plan -> profile.json
          -> score.json -> report.html; forecast and score also enter the ledger

Nothing about the dose is fitted here. What is made of the measurements is told in `file_outcome`.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from personae.errors import BadInput, RunFailed
from personae.records import Simulator
from personae.workflows.audit.file_audit import FileAudit, seal
from personae.workflows.audit.file_question import Question
from personae.workflows.enough import TRAINED, check_enough
from personae.workflows.kept.folder import RunFolder
from personae.workflows.run.file_arms import Arm, Trained, check_seeds, train_and_measure
from personae.workflows.run.file_outcome import FileRun, tell
from personae.workflows.watch import Watch, unwatched

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator


def run_file(
    question: Question,
    folder: RunFolder,
    *,
    seeds: int = 1,
    keep_adapters: bool = False,
    watch: Watch | None = None,
) -> FileRun:
    """Forecast, train, measure and score; everything is left in `folder`, and a killed run goes on from there."""
    if seeds < 1:
        raise BadInput(f"{seeds} seeds", remedy="train with one seed or more")
    check_seeds(question.seed, seeds)
    check_enough(question.cast, question.traits, items=TRAINED)
    if not hasattr(question.simulator, "here"):
        _local(question.simulator)
    _check_full_precision(question.dtype)
    found = seal(question, folder, watch, _check_shown)
    trained = _train(found, folder, seeds, keep_adapters, watch)
    return tell(found, trained, folder)


def _check_shown(traits: Collection[str]) -> None:
    if not traits:
        raise RunFailed("this model can show none of the traits, so no forecast can be tried by training")


def _check_full_precision(dtype: str) -> None:
    """Raise `BadInput` unless a model read in `dtype` can be compared with what its training makes of it.

    Training makes a float32 model. Beside levels measured in fewer bits, rounding would count as a shift of character.
    """
    if dtype != "float32":
        raise BadInput(
            f"training and its measurement are in float32, not {dtype}",
            remedy="leave --dtype out; `personae audit` and `personae measure` take it",
        )


def _train(
    found: FileAudit, folder: RunFolder, seeds: int, keep_adapters: bool, watch: Watch | None
) -> dict[str, list[Trained]]:
    """{arm: one measurement a seed}, seed by seed, so that the first pair is complete as soon as can be."""
    question, watch = found.question, watch or unwatched
    rows = {"treated": question.pair.episodes, "control": question.pair.control}
    traits = [t for t in question.traits if t.name in found.audit.forecast.traits]
    trained: dict[str, list[Trained]] = {name: [] for name, episodes in rows.items() if episodes}
    simulator = _local(question.simulator)
    for seed in range(question.seed, question.seed + seeds):
        for name, measured in trained.items():
            plan = replace(question.dose.plan, seed=seed)
            arm = Arm(name, tuple(rows[name] or ()), plan, folder.path, keep_adapters)
            measured.append(train_and_measure(simulator, arm, question.cast, traits, watch))
    return trained


def _local(simulator: Simulator) -> "LocalSimulator":
    """The simulator as one that can be trained here; copies of a model elsewhere end."""
    from personae.simulator.local import LocalSimulator

    if (here := getattr(simulator, "here", None)) is not None:
        simulator = here()
    if not isinstance(simulator, LocalSimulator):
        raise BadInput(f"{simulator.name} cannot be trained here", remedy="name a model that lies on this machine")
    return simulator
