"""An archetype as a role model: documents about it, midtraining on them, who the Assistant is then, and what is left.

    documents and neutral ones -> midtraining on each, by one plan -> who answers, and how, beside the untrained model
    -> the same narrow post-training after each -> what is left of the difference

Documents, checkpoints and measurements are kept in the run folder as they are made, and a killed run goes on from them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.errors import RunFailed
from personae.measure import levels
from personae.predictors import Basis
from personae.predictors.basis import basis_of
from personae.records import Episode, Levels
from personae.records.files import plain, write_json, write_text
from personae.report.archetype_page import ArchetypeReport, archetype_page
from personae.training import finetune
from personae.workflows.archetype.archetype_question import ArchetypeQuestion
from personae.workflows.archetype.archetype_result import (
    ARCHETYPE,
    CONTROL,
    UNTRAINED,
    Arms,
    Ground,
    report_of,
    result_of,
)
from personae.workflows.archetype.documents import Corpus, corpus
from personae.workflows.audit.file_audit import shown, unreliable
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.folder_basis import all_levels
from personae.workflows.kept.levels_file import read_levels, write_levels
from personae.workflows.run.file_arms import Arm, Trained, before, centre, measured_once
from personae.workflows.watch import Watch, unwatched

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

RESULT, PAGE, MODELS = "result.json", "report.html", "models"


def archetype_run(
    question: ArchetypeQuestion, folder: RunFolder, watch: Watch | None = None
) -> tuple[dict[str, Any], ArchetypeReport]:
    """What came of it, as the result object and as the page's content; both are left in `folder`."""
    watch = watch or unwatched
    ground = _ground(question, folder, watch)
    made = corpus(question.origin, question.simulator, question.documents, folder.path, question.seed, watch)
    middle, later = _trained(question, made, ground, folder.path, watch)
    report = report_of(question, made, ground, middle, later)
    result: dict[str, Any] = plain(result_of(report, question, made))
    write_json(folder.file(RESULT), result)
    write_text(folder.file(PAGE), archetype_page(report))
    return result, report


def _ground(question: ArchetypeQuestion, folder: RunFolder, watch: Watch) -> Ground:
    """The cast's levels, and the archetype's own where it is nobody of the cast."""
    with watch("the cast's traits, once for this model", "answers") as progress:
        whole = cached_basis(question.simulator, question.cast, question.traits, progress).basis
    hidden = unreliable(whole)
    if len(hidden) == len(question.traits):
        raise RunFailed("this model can show none of the traits, so nothing could be measured after training")
    basis = shown(_with_archetype(whole, question, folder, watch), hidden)
    return Ground(before(whole), basis, hidden, centre(shown(whole, hidden)))


def _with_archetype(whole: Basis, question: ArchetypeQuestion, folder: RunFolder, watch: Watch) -> Basis:
    persona, kept = question.origin.persona, folder.file("archetype.parquet")
    if persona.name in whole.cast.names:
        return whole
    if not kept.exists():
        with watch(f"the traits of {persona.name}", "answers") as progress:
            write_levels(kept, levels(question.simulator, question.traits, {persona.name: persona.context}, progress))
    own, every = read_levels(kept), all_levels(whole)
    personas = tuple(p.model_copy(update={"prior": None}) for p in (*whole.cast.personas, persona))
    both = {t: np.vstack([table, own.by_trait[t]]) for t, table in every.by_trait.items()}
    cast = whole.cast.model_copy(update={"personas": personas})
    return basis_of(cast, Levels((*every.contexts, persona.name), both))


# -- training --------------------------------------------------------------------------------------------------------
def _trained(
    question: ArchetypeQuestion, made: Corpus, ground: Ground, folder: Path, watch: Watch
) -> tuple[Arms, Arms]:
    """Measurements after midtraining, and after the later post-training where there is one; seed by seed."""
    traits = [t for t in question.traits if t.name in ground.names]
    rows = {ARCHETYPE: made.kept, CONTROL: made.neutral}
    middle: Arms = {ARCHETYPE: [], CONTROL: []}
    later: Arms = {UNTRAINED: [], ARCHETYPE: [], CONTROL: []} if question.then else {}

    def measured(name: str, make: Callable[[], "LocalSimulator"], seed: int) -> Trained:
        arm = Arm(name, (), replace(question.plan, seed=seed), folder)
        return measured_once(make, question.simulator, arm, question.cast, traits, watch)

    for seed in range(question.seed, question.seed + question.seeds):
        starts: dict[str, Callable[[], LocalSimulator]] = {UNTRAINED: lambda: question.simulator}
        for name, documents in rows.items():
            episodes = [document.episode for document in documents]
            starts[name] = partial(_midtrained, question, name, episodes, seed, folder, watch)
            middle[name].append(measured(name, starts[name], seed))
        for name in later:
            later[name].append(
                measured(f"{name}-then", partial(_later, question, name, starts[name], seed, watch), seed)
            )
    return middle, later


def _midtrained(
    question: ArchetypeQuestion, name: str, episodes: Sequence[Episode], seed: int, folder: Path, watch: Watch
) -> "LocalSimulator":
    """The model after its documents: a checkpoint in the folder, made once and always read from there."""
    path = folder / MODELS / f"{name}-{seed}"
    if not path.exists():
        with watch(f"midtraining: {name}, seed {seed}", "steps") as progress:
            plan = replace(question.plan, seed=seed)
            finetune(question.simulator, episodes, plan, path, lambda step, total, _: progress(step, total))
    return _opened(path, question.simulator.device)


def _opened(path: Path, device: str) -> "LocalSimulator":
    """The model in a checkpoint folder on a device, an adapter merged into it, so that it can be trained again."""
    from personae.simulator.registry import load

    simulator = load(str(path), device=device)
    if not hasattr(simulator.model, "merge_and_unload"):
        return simulator
    return simulator.from_parts(simulator.model.merge_and_unload(), simulator.tokenizer, simulator.name)


def _later(
    question: ArchetypeQuestion, name: str, start: Callable[[], "LocalSimulator"], seed: int, watch: Watch
) -> "LocalSimulator":
    """The model after the later post-training."""
    assert question.then is not None
    simulator, plan = start(), replace(question.then_plan, seed=seed)
    with watch(f"post-training after: {name}, seed {seed}", "steps") as progress:
        done = finetune(simulator, question.then.episodes, plan, None, lambda step, total, _: progress(step, total))
    return done.simulator
