"""The jobs of `pairs.py`: each leaves its result in the folder, or in the user's cache, and does nothing where it is.

They are functions of a `Study` and one job, so that any process can do them; the model is loaded once in each.
"""

import gc
import re
from dataclasses import replace

import numpy as np
from pairs_score import Told
from pairs_sets import Pair, rows_of
from pairs_study import Run, Study, published

from personae.data import write_episodes
from personae.errors import RunFailed
from personae.records import Episode, Message
from personae.records.files import read_json, write_json
from personae.workflows.audit.file_audit import seal
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.sealing import FORECAST
from personae.workflows.kept.folder import RunFolder, open_folder
from personae.workflows.run.file_arms import Arm, attenuation_of, before, train_and_measure
from personae.workflows.run.file_run import run_file
from personae.workflows.watch import unwatched

TOKENS = 192  # of an answer that the model itself writes


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
    """Evidence, rows in context, and the sealed forecast."""
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
        shown=np.array([found.audit.in_context[t].mean() if found.audit.in_context else np.nan for t in traits]),
        attenuation=float(np.mean([a.mean for a in found.attenuation.values()])),
        scored=found.scored,
    )
