"""A file read in random order, a stretch at a time, until what was asked is settled or the file ends.

    rows in random order -> evidence, a stretch at a time -> settled? -> who need not be read on? -> the next stretch

With a control, the stream is of differences: its rows stand at the same places of the control, matched or not, and
their mean is that of the one file less that of the other.

    sample/FIRST.parquet            evidence of the rows from the look at FIRST to the next, for those then kept
    sample/FIRST-control.parquet    the same of the control

The seed and the file fix the order, the looks and who is dropped, so a killed run goes the same way to where it was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from personae.data import KeptEpisodes
from personae.predictors import Basis
from personae.records import Blocks, Cast, Episode, Estimate, Evidence, LongEvidence, Progress, shifted
from personae.records.results import Floats
from personae.theory import Sample
from personae.theory.stopping import FIRST
from personae.workflows.audit.audit import difference
from personae.workflows.audit.file_question import Question
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.gather import BLOCK, gather_into
from personae.workflows.kept.reference import reference_evidence

ERROR, ERROR_DROPPED = 0.04, 0.01  # of all intervals together, and of all bounds on what dropped personas weigh
GROWTH = 8  # a stretch is an eighth of what has been read, so that looks are few and little is read too much

Settled = Callable[[Mapping[str, Estimate]], bool]  # of {trait: shift}


@dataclass(frozen=True)
class Reading:
    """What was known when reading stopped; `dropped` {persona: rows read for it}, `answers` scored in all."""

    sample: Sample
    shifts: dict[str, Estimate]
    dropped: dict[str, int]
    answers: int

    @property
    def rows(self) -> int:
        """How many were read."""
        return self.sample.blocks.rows


def read_until(
    settled: Settled,
    question: Question,
    basis: Basis,
    beside: Mapping[str, Floats],
    folder: RunFolder,
    progress: Progress,
) -> Reading:
    """Evidence of as many rows as it takes until the shifts of the traits of `basis` are settled.

    `beside` {trait: (I,)} nats is added to every shift, as in the forecast of the whole file (`predictors.selection`).
    """
    rows, usual, levels = len(question.pair.episodes), _usual(question), basis.levels.by_trait
    order = np.random.default_rng(question.seed).permutation(rows)
    kept, below = np.ones(len(basis.prior), dtype=bool), np.zeros(len(basis.prior))
    stretches: list[LongEvidence] = []
    dropped: dict[str, int] = {}
    answers = 0
    for first, last in looks(rows):
        cast = _of(question.cast, kept)
        stretches.append(
            _stretch(question, cast, usual, order[first:last], folder, f"{first:08d}", shifted(progress, first, rows))
        )
        answers += (last - first) * len(cast.contexts) * question.pair.reads
        blocks = _blocks(stretches, cast.names, last)
        sample = Sample.read(basis.prior, question.dose.effective, rows, blocks, kept, below)
        shifts = {t: _moved(shift, beside.get(t)) for t, shift in sample.shifts(levels, ERROR).items()}
        if last == rows or settled(shifts):
            break
        spared = sample.spared(list(levels.values()), ERROR_DROPPED)
        dropped |= {question.cast.names[k]: last for k in np.flatnonzero(kept & ~spared.kept)}
        kept, below = spared.kept, spared.below
    return Reading(sample, shifts, dropped, answers)


def looks(rows: int) -> Iterator[tuple[int, int]]:
    """(from, to) of the stretches in which a file of so many rows is read.

    >>> list(looks(150)), list(looks(5))
    ([(0, 64), (64, 96), (96, 128), (128, 150)], [(0, 5)])
    """
    first, last = 0, min(FIRST, rows)
    while first < rows:
        yield first, last
        first, last = last, min(last + max(BLOCK, last // GROWTH // BLOCK * BLOCK), rows)


def _moved(shift: Estimate, by: Floats | None) -> Estimate:
    """The shift and its interval, moved by the mean of `by`."""
    nats = 0.0 if by is None else float(by.mean())
    return Estimate(shift.mean + nats, shift.low + nats, shift.high + nats)


def _of(cast: Cast, kept: NDArray[np.bool_]) -> Cast:
    """The cast of those who are kept."""
    return cast.model_copy(update={"personas": tuple(p for p, k in zip(cast.personas, kept[1:]) if k)})


def _usual(question: Question) -> Evidence | None:
    """The evidence of the plain answers that stand in for a control, of the whole cast; None where none do."""
    pair = question.pair
    if not pair.reference or pair.against is None or pair.control is None:
        return None
    return reference_evidence(question.simulator, question.cast, pair.against, pair.control)


def _stretch(
    question: Question,
    cast: Cast,
    usual: Evidence | None,
    places: NDArray[np.int64],
    folder: RunFolder,
    name: str,
    progress: Progress | None,
) -> LongEvidence:
    """The evidence of the rows at `places`, or its difference from the control's there (or from the mean of `usual`).

    Scored once and kept.
    """
    pair, simulator = question.pair, question.judge
    ours = gather_into(folder.file(f"sample/{name}.parquet"), simulator, cast, _at(pair.episodes, places), progress)
    if pair.control is None:
        return ours
    if usual is not None:
        columns = [usual.names.index(name) for name in cast.names]
        own = replace(usual, names=cast.names, matrix=usual.matrix[:, columns])
        return difference(ours, own, same_prompts=False)
    beside = folder.file(f"sample/{name}-control.parquet")
    return difference(ours, gather_into(beside, simulator, cast, _at(pair.control, places)), same_prompts=True)


def _at(rows: Sequence[Episode], places: NDArray[np.int64]) -> Sequence[Episode]:
    return rows.chosen(places.tolist()) if isinstance(rows, KeptEpisodes) else [rows[p] for p in places]


def _blocks(stretches: Sequence[LongEvidence], names: Sequence[str], rows: int) -> Blocks:
    """Evidence (rows, C) of all stretches for the personas `names`, of whom each stretch has all."""

    def blocks() -> Iterator[NDArray[np.float64]]:
        for stretch in stretches:
            columns = [stretch.names.index(name) for name in names]
            yield from (block[:, columns] for block in stretch.blocks)

    return Blocks(rows, blocks)
