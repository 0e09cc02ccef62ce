"""The verdict on a file: no more of it is read than settles what a pipeline asks, and no persona longer than it counts.

What is asked: with `--fail-if`, whether the forecast of the *whole* file crosses a bound. It is settled as soon as one
bound is surely crossed, or all surely are not. Without, every trait's shift within `WITHIN` nats. "Surely" is by an
interval that holds at all looks at once, for all traits that are asked about together (`theory.stopping`, `reading`).
A file that is read to its end is in no doubt, but for the personas that were dropped on the way.

Nothing is said of single episodes, whose shares a sample cannot know: a row in a thousand is missing among 64 with
probability 0.94. What rows do in context (`file_in_context`) is read as an audit reads it, of rows spread over the
whole file, and moves every shift and widens none. Nor is anything sealed: a forecast that is to be scored is made by
the audit, of the whole file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from personae.errors import RunFailed
from personae.predictors import Basis
from personae.records import Estimate, TraitForecast
from personae.records.files import write_json
from personae.report import Hidden
from personae.theory import chance_of_missing
from personae.workflows.audit.bounds import Bound, check_shown, cross
from personae.workflows.audit.file_audit import question_notes, shown, unreliable
from personae.workflows.audit.file_in_context import IN_CONTEXT, in_context, in_context_note, share_of
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.precision import numerics_of
from personae.workflows.audit.reading import ERROR, ERROR_DROPPED, Reading, read_until
from personae.workflows.kept.basis_cache import MeasuredBasis
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.folder_basis import folder_basis
from personae.workflows.watch import Watch, unwatched

WITHIN = 0.1  # nats, either way: how well every trait's shift must be known where no bound is asked about
RARE = 0.001  # the share of rows whose chance of being missed is told
NO_EPISODES = (
    "Single episodes are not told of: what a sample does not hold, it says nothing about, and one row in a thousand is "
    "soon missed. `personae audit` without --stop-early reads every row."
)


@dataclass(frozen=True)
class Verdict:
    """What was asked and found; `record` is what `verdict.json` holds."""

    question: Question
    bounds: tuple[Bound, ...]
    whole: MeasuredBasis
    hidden: tuple[Hidden, ...]
    basis: Basis
    reading: Reading
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        """Of each bound."""
        return tuple(state(bound, self.reading.shifts[bound.trait]) for bound in self.bounds)

    @property
    def forecast(self) -> dict[str, TraitForecast]:
        """{trait asked about: the level forecast}, with the interval for what the whole file would give."""
        base, shifts = self.basis.base_levels(), self.reading.shifts
        return {
            t: TraitForecast(base[t], *(base[t] + nats for nats in (s.mean, s.low, s.high))) for t, s in shifts.items()
        }


def verdict(question: Question, bounds: Sequence[Bound], folder: RunFolder, watch: Watch = unwatched) -> Verdict:
    """Read as much of the file as it takes, and leave what was read and found in `folder`."""
    with watch("the cast's traits, once for this model", "answers") as progress:
        whole = folder_basis(folder, question.simulator, question.cast, question.traits, progress)
    hidden = unreliable(whole.basis)
    basis = shown(whole.basis, hidden)
    check_shown(bounds, basis.base)
    if not basis.base:
        raise RunFailed("this model can show none of these traits, so there is nothing to settle")
    numerics = numerics_of(question, folder, watch)
    asked = _of(basis, {b.trait for b in bounds} or basis.base)
    in_rows = in_context(question, asked, folder.file(IN_CONTEXT), watch)
    beside = share_of(in_rows, question.dose.share) or {}
    with watch("evidence, until the verdict is settled", "episodes") as progress:
        reading = read_until(lambda shifts: settled(bounds, shifts), question, asked, beside, folder, progress)
    found = Verdict(question, tuple(bounds), whole, hidden, basis, reading)
    notes = (question.pair.note(), in_context_note(question, in_rows), *question_notes(question, numerics))
    found.record.update(_record(found, [note for note in notes if note]))
    write_json(folder.file("verdict.json"), found.record)
    return found


def _of(basis: Basis, traits: Collection[str]) -> Basis:
    """The basis of some traits alone."""
    return basis.items({t: np.ones(len(row), dtype=bool) for t, row in basis.base.items() if t in traits})


def configuration(question: Question, bounds: Sequence[Bound]) -> dict[str, Any]:
    """What decides a verdict, for the run folder: here the bounds say when to stop."""
    stop = {
        "error": [ERROR, ERROR_DROPPED],
        "bounds": [b.written for b in bounds],
        "within": None if bounds else WITHIN,
    }
    return {**question.configuration(), "stop_early": stop}


def check_verdict(found: Verdict) -> None:
    """Raise `BoundCrossed` where a bound is surely crossed, `RunFailed` where one is undecided at the file's end."""
    shifts, states = found.reading.shifts, list(zip(found.bounds, found.states))
    cross([b for b, s in states if s == "crossed"], {t: e.mean for t, e in shifts.items()})
    for bound in (b for b, s in states if s == "undecided"):
        near = f"{shifts[bound.trait].mean:+.4f} nats are too near to the bound {bound.written}"
        raise RunFailed(f"{near} to be told from it with personas dropped; audit without --stop-early")


def state(bound: Bound, shift: Estimate) -> str:
    """What a shift's interval says of a bound: `crossed` or `held` by all of it, else `undecided`.

    >>> [state(Bound("t", ">", 0.1), Estimate(0, low, high)) for low, high in ((0.2, 0.3), (0.0, 0.1), (0.0, 0.3))]
    ['crossed', 'held', 'undecided']
    """
    low, high = bound.crossed(shift.low), bound.crossed(shift.high)
    return "undecided" if low != high else "crossed" if low else "held"


def settled(bounds: Sequence[Bound], shifts: Mapping[str, Estimate]) -> bool:
    """Whether what is asked is answered: some bound crossed, or all held; without bounds, all shifts known."""
    if not bounds:
        return all(_known(shift) for shift in shifts.values())
    states = {state(bound, shifts[bound.trait]) for bound in bounds}
    return "crossed" in states or states == {"held"}


def _known(shift: Estimate) -> bool:
    return max(shift.high - shift.mean, shift.mean - shift.low) <= WITHIN


def _record(found: Verdict, notes: list[str]) -> dict[str, Any]:
    question, reading = found.question, found.reading
    sample, pair, names = reading.sample, question.pair, question.cast.names
    undecided = [b.written for b, s in zip(found.bounds, found.states) if s == "undecided"]
    if not found.bounds:
        undecided = [t for t, shift in reading.shifts.items() if not _known(shift)]
    below = dict(zip(names, sample.below.tolist(), strict=True))
    return {
        "model": question.simulator.name,
        "model_digest": question.simulator.digest,
        "data": pair.data.name,
        "against": pair.control_name,
        "data_digests": pair.digests,
        "matched": pair.matched,
        "rows": sample.of,
        "rows_read": reading.rows,
        "answers": reading.answers,
        "answers_whole": sample.of * len(names) * pair.reads,
        "settled": settled(found.bounds, reading.shifts),
        "bounds": [b.told(s, reading.shifts[b.trait].mean) for b, s in zip(found.bounds, found.states)],
        "within": None if found.bounds else WITHIN,
        "undecided": undecided,
        "error": ERROR + ERROR_DROPPED,
        "forecast": found.forecast,
        "prior": dict(zip(names, sample.prior, strict=True)),
        "posterior": dict(zip(names, sample.weights, strict=True)),
        "dropped": {name: {"rows": rows, "at_most": below[name]} for name, rows in reading.dropped.items()},
        "dropped_weight": sample.dropped,
        "chance_of_missing": {"share": RARE, "probability": _missed(reading)},
        "no_episodes": NO_EPISODES,
        "dose": question.dose.effective,
        "dose_fitted": question.dose.fitted,
        "plan": question.dose.plan,
        "hidden": [{"trait": h.trait, "reliability": h.reliability, "reason": h.reason} for h in found.hidden],
        "seed": question.seed,
        "notes": notes,
    }


def _missed(reading: Reading) -> float:
    return chance_of_missing(RARE, reading.rows) if reading.rows < reading.sample.of else 0.0
