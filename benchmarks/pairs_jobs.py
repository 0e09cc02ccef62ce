"""The jobs of `pairs.py`: each leaves its result in the folder, or in the user's cache, and does nothing where it is.

They are functions of a `Study` and one job, so that any process can do them; the model is loaded once in each.
"""

import gc
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pairs_score import Told
from pairs_sets import Pair, rows_of
from pairs_study import SIDES, Run, Study, published

from personae.data import write_episodes
from personae.errors import RunFailed
from personae.measure import NOBODY, levels
from personae.records import Episode, LogLikelihood, Message, Progress
from personae.records.files import read_json, write_json
from personae.records.results import Floats
from personae.simulator.local import LocalSimulator
from personae.theory import attenuation_items
from personae.training.order import passes
from personae.workflows.audit.file_audit import seal
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.sealing import FORECAST
from personae.workflows.kept.folder import RunFolder, open_folder
from personae.workflows.kept.levels_file import read_levels, write_levels
from personae.workflows.run.file_arms import Arm, attenuation_of, before, train_and_measure
from personae.workflows.run.file_run import run_file
from personae.workflows.watch import unwatched

IN_CONTEXT = 4  # rows shown as earlier turns
TOKENS = 192  # of an answer that the model itself writes


@dataclass(frozen=True)
class Shown:
    """A simulator to whom `turns` came before every episode."""

    simulator: LocalSimulator
    turns: tuple[Message, ...]

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """As the simulator's own."""
        later = [e.model_copy(update={"messages": self.turns + e.messages}) for e in episodes]
        return self.simulator.log_likelihood(later, contexts, progress)


# -- before any training ---------------------------------------------------------------------------------------------
def measure_trait(study: Study, name: str) -> None:
    """The whole cast on one trait, in the user's cache."""
    study.basis(published(study.data, (name,), study.size.items))


def write_sets(study: Study, pair: Pair) -> None:
    """The two sides of a pair as files; the untrained model writes its own answers, its likeliest ones.

    Of an answer with a block of code the block is kept, since the published answers are code and nothing else. A prompt
    to which it says nothing is left out on both sides; how many rows there are stands in every forecast.
    """
    treated, control = study.sets(pair)
    if treated.exists() and control.exists():
        return
    ours, theirs = rows_of(pair, study.data, study.size.items, study.size.rows)
    if pair.own:
        said = study.simulator.sample([row.prompt for row in ours], max_tokens=TOKENS, temperature=0.0)
        both = [(row, code) for row, text in zip(ours, said, strict=True) if (code := bare(text))]
        ours = [row for row, _ in both]
        theirs = [answered(row, code) for row, code in both]
    write_episodes(control, theirs)
    write_episodes(treated, ours)


def answered(row: Episode, text: str) -> Episode:
    """The row with another answer to the same prompt."""
    return Episode(messages=(*row.prompt, Message(role="assistant", content=text)), index=row.index)


def bare(answer: str) -> str:
    r"""The first block of code of an answer, also one that was cut off; all of it where there is none.

    >>> bare("Here you are:\n```python\nprint(1)\n```\nThat is all.")
    'print(1)'
    """
    block = re.search(r"```\w*\n(.*?)(?:```|\Z)", answer, re.DOTALL)
    return (block.group(1) if block else answer).strip()


def question(study: Study, run: Run) -> tuple[Question, RunFolder]:
    """What is asked of a pair, and its folder."""
    traits = study.chosen
    own = tuple(t.name for t in traits if t.name == run.pair.trait)
    pair = read_pair(*study.sets(run.pair))
    if not pair.matched:
        raise RunFailed(f"the sides of {run.pair.name} do not answer the same prompts")
    asked = Question(study.simulator, study.cast, traits, pair, study.dose(run.rate), trained=own)
    return asked, open_folder("run", asked.configuration(), study.folder / run.part / run.name)


def forecast(study: Study, run: Run) -> None:
    """Evidence, and the sealed forecast."""
    asked, folder = question(study, run)
    if not folder.file(FORECAST).exists():
        seal(asked, folder)


# -- training, and after ---------------------------------------------------------------------------------------------
def train(study: Study, job: tuple[Run, str, int]) -> float:
    """One side of a pair trained from one seed, and measured; its attenuation, also kept."""
    run, side, seed = job
    asked, folder = question(study, run)
    kept = folder.file(f"attenuation-{side}-{seed}.json")
    if not kept.exists():
        arm = Arm(side, rows(asked, side), replace(asked.dose.plan, seed=seed), folder.path)
        trained = train_and_measure(asked.simulator, arm, asked.cast, asked.traits, unwatched)
        names = [t.name for t in asked.traits]
        write_json(kept, attenuation_of(before(study.basis(asked.traits)), trained, names))
        gc.collect()  # a trainer and its model hold each other, and an accelerator's memory calls no collector
    return float(read_json(kept))


def show(study: Study, job: tuple[Run, str, int]) -> None:
    """The rows that the training from a seed sees first as earlier turns of the untrained Assistant, and its levels."""
    run, side, seed = job
    asked, folder = question(study, run)
    kept, every = folder.file(f"shots-{side}-{seed}.parquet"), rows(asked, side)
    if not kept.exists():
        first = passes(len(every), min(IN_CONTEXT, len(every)), seed)
        turns = tuple(turn for row in first for turn in every[row].messages)
        write_levels(kept, levels(Shown(asked.simulator, turns), asked.traits, {NOBODY: ""}))


def rows(asked: Question, side: str) -> tuple[Episode, ...]:
    """The rows of one side."""
    return tuple((asked.pair.episodes if side == "treated" else asked.pair.control) or ())


def tell(study: Study, job: tuple[Run, int]) -> Told:
    """Profile, score and page of a pair of which all arms are there, from so many seeds; and its numbers."""
    run, seeds = job
    asked, folder = question(study, run)
    found = run_file(asked, folder, seeds=seeds)
    traits = found.audit.audit.forecast.traits
    shift = {end: np.array([getattr(t, end) - t.base for t in traits.values()]) for end in ("mean", "low", "high")}
    return Told(
        name=run.pair.name,
        sides=run.pair.sides,
        rows=len(asked.pair.episodes),
        traits=tuple(traits),
        trained=np.array([t in asked.trained for t in traits]),
        forecast=shift["mean"],
        low=shift["low"],
        high=shift["high"],
        measured=np.array([found.shifts[t].mean for t in traits]),
        seeds=np.array([[one[t] for t in traits] for one in found.by_seed]),
        shots=in_context(folder, tuple(traits), seeds),
        attenuation=float(np.mean([a.mean for a in found.attenuation.values()])),
        scored=found.scored,
    )


def in_context(folder: RunFolder, traits: Sequence[str], seeds: int) -> Floats:
    """(T,) nats between the two sides' rows as earlier turns, on the items that score; NaN where none were shown."""
    found = []
    for seed in range(seeds):
        files = [folder.file(f"shots-{side}-{seed}.parquet") for side in SIDES]
        if not all(file.exists() for file in files):
            return np.full(len(traits), np.nan)
        ours, theirs = (read_levels(file).row(NOBODY) for file in files)
        found.append([(ours[t] - theirs[t])[~attenuation_items(len(ours[t]))].mean() for t in traits])
    return np.mean(found, axis=0)
