"""A file without the rows that would move one trait most, found in the evidence of its audit.

    file -> audit (evidence, sealed forecast) -> rows that go (`row_choice`) -> forecast of the rest -> file, list, page

The forecast of what is left is made from the same evidence, at the same dose: training goes on as long, over fewer
rows. The rows were chosen by the scores that it is read from, so it flatters, the more the fewer rows there are.
Only rows that were judged are written: those that the audit did not read (beyond a limit, without a partner in the
control, holding no episode) are in neither file, and the notes say which these are.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from personae.data import check_copies, copy_name, copy_rows
from personae.errors import BadInput, RunFailed
from personae.predictors import selection
from personae.records import Episode, Forecast, Progress
from personae.records.files import plain, whole_file, write_json, write_text
from personae.records.results import Floats
from personae.report import LeftOut, LeftOutRow, audit_page
from personae.report.untrusted import shorten
from personae.workflows.amend.aim import Aim, Amount
from personae.workflows.amend.row_choice import Choice, choose_rows, without
from personae.workflows.audit.file_audit import EVIDENCE, PAGE, FileAudit, page_content, seal
from personae.workflows.audit.file_in_context import in_context, is_shown, share_of
from personae.workflows.audit.file_question import Question
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.gather import kept_evidence
from personae.workflows.watch import Watch, unwatched

FILTERED, DROPPED, RESULT = "filtered", "dropped.jsonl", "filter.json"
LEFT = "in-context-left.parquet"  # what the rows that stay do in context
WORDS = 80  # characters of an answer that are listed
LISTED = 10_000  # dropped rows that the result tells one by one; dropped.jsonl has all
SHOWN = 20  # of these on the page
TOLD = 256  # rows from one report to the next


@dataclass(frozen=True)
class Filtered:
    """What was found: the file's `audit`, the rows that go, what is told of them; `record` is what the result holds."""

    audit: FileAudit
    choice: Choice
    left_out: LeftOut
    record: dict[str, Any]


def check_filter(question: Question, amount: Amount) -> None:
    """Raise `BadInput`, before any work, where the rows could not be judged, dropped or written."""
    pair = question.pair
    amount.of(len(pair.episodes))
    check_copies(pair.data, pair.episodes[0])
    if pair.control is not None and not pair.matched and pair.left_out:
        raise BadInput(
            f"answers other prompts than {pair.data.name}, and has {len(pair.control)} rows, so {pair.left_out} rows "
            "would not be judged",
            file=pair.against,
            remedy="give a control of as many rows, or with the same prompts, or none",
        )


def filter_file(
    question: Question, aim: Aim, amount: Amount, folder: RunFolder, watch: Watch | None = None
) -> Filtered:
    """Audit the file, and leave in `folder` what an audit leaves, the file without the rows that go, and their list."""
    watch = watch or unwatched
    found = seal(question, folder, watch, lambda traits: _check_shown(aim, traits))
    with watch("which rows go, and the forecast of the others", "steps") as progress:
        progress(0, 1)
        choice = _choice(found, aim, amount, folder)
        progress(1, 1)
    shown = _shown_of_the_rest(found, choice, folder, watch)
    after = _forecast_of(found, choice, shown)
    name = copy_name(question.pair.data, FILTERED)
    with watch(f"writing {name}", "rows") as progress:
        kept = copy_rows(question.pair.data, folder.file(name), _staying(question, choice, progress))
    listed = _write_dropped(question, choice, folder)
    left_out = LeftOut(aim.trait, aim.pole, len(choice.places), kept, choice.bound, tuple(listed[:SHOWN]), after)
    notes = _notes(found, left_out, shown, amount.of(len(choice.shares)))
    record = _record(found, choice, left_out, amount, name, notes) | {"episodes": listed}
    write_json(folder.file(RESULT), record)
    write_text(folder.file(PAGE), audit_page(page_content(found, left_out=left_out, notes=notes)))
    return Filtered(found, choice, left_out, record)


def _check_shown(aim: Aim, traits: Collection[str]) -> None:
    """Raise `RunFailed` where the trait that rows are judged by is not among `traits`, which the model can show."""
    if aim.trait not in traits:
        raise RunFailed(f"rows cannot be judged by {aim.trait}: this model cannot show that trait")


def _choice(found: FileAudit, aim: Aim, amount: Amount, folder: RunFolder) -> Choice:
    """The rows that go; `RunFailed` where that is all of them."""
    question, result = found.question, found.audit
    named = question.pair.control is not None and not question.pair.reference  # plain answers are of another form
    control = kept_evidence(folder.file(EVIDENCE[1]), question.cast) if named else None
    matched, dose = question.pair.matched, question.dose.effective
    choice = choose_rows(result.basis, result.evidence, dose, aim, amount, control, matched=matched)
    if len(choice.places) == len(choice.shares):
        raise RunFailed(
            f"every row moves {aim.trait} to the {aim.pole} pole by more than a row of the control would, so nothing "
            "would be left; `personae inoculate` finds a prompt for such a file, --drop takes the worst rows only"
        )
    return choice


def _shown_of_the_rest(found: FileAudit, choice: Choice, folder: RunFolder, watch: Watch) -> Mapping[str, Floats]:
    """{trait: (I,)} nats of the rows that stay, in context; the file's where no row that was shown goes."""
    gone = [int(place) for place in choice.places]
    if not (gone and found.in_context and is_shown(found.question, gone)):
        return found.in_context
    return in_context(found.question, found.audit.basis, folder.file(LEFT), watch, gone)


def _forecast_of(found: FileAudit, choice: Choice, shown: Mapping[str, Floats]) -> Forecast:
    """The forecast of the rows that stay."""
    if not len(choice.places):
        return found.audit.forecast
    question, evidence = found.question, without(found.audit.evidence, choice.places)
    basis, dose, beside = found.audit.basis, question.dose, share_of(shown, question.dose.share)
    return selection(basis, evidence, dose.effective, seed=question.seed, doubt=dose.doubt, beside=beside)


def _staying(question: Question, choice: Choice, progress: Progress) -> Iterator[Episode]:
    """The rows that stay, in the order of the file."""
    for place in np.flatnonzero(choice.stays):
        if place % TOLD == 0:
            progress(int(place), len(choice.shares))
        yield question.pair.episodes[int(place)]


def _write_dropped(question: Question, choice: Choice, folder: RunFolder) -> list[LeftOutRow]:
    """Write the rows that go, one a line, the largest share first; the first of them."""
    listed: list[LeftOutRow] = []
    with whole_file(folder.file(DROPPED)) as file:
        for place in choice.places:
            episode = question.pair.episodes[int(place)]
            words = shorten(" ".join(episode.response.split()), WORDS)
            row = LeftOutRow(episode.index, episode.line_number, float(choice.shares[place]), words)
            file.write(json.dumps(plain(row), ensure_ascii=False).encode() + b"\n")
            if len(listed) < LISTED:
                listed.append(row)
    return listed


def _notes(found: FileAudit, left_out: LeftOut, shown: Mapping[str, Floats], asked: int | None) -> tuple[str, ...]:
    """What a reader must know beside the audit's notes: by what rows are judged, how many went, what is nowhere."""
    pair, notes = found.question.pair, []
    if parts := found.parts:
        by_cast, of_rows = (nats[left_out.trait] for nats in parts.values())
        notes.append(
            f"Rows are judged by the cast's part of the shift of {left_out.trait}, {by_cast:+.3g} of "
            f"{by_cast + of_rows:+.3g} nats; what rows do in context is not told row by row."
        )
        if not shown:
            notes.append("Of the rows that stay none can be shown in context, so their forecast is the cast's alone.")
    if asked is not None and 0 < left_out.dropped < asked:
        notes.append(f"{asked} rows were to go, and no other moves {left_out.trait} to its {left_out.pole} pole.")
    if pair.limit is not None or pair.left_out or pair.unread:
        notes.append("Rows that were not read are in neither file.")
    return tuple(notes)


def _record(
    found: FileAudit, choice: Choice, left_out: LeftOut, amount: Amount, name: str, notes: tuple[str, ...]
) -> dict[str, Any]:
    """What the result holds, but for the rows one by one."""
    before, after = found.audit.forecast.traits, left_out.forecast.traits
    return {
        "trait": left_out.trait,
        "pole": left_out.pole,
        "rows": len(choice.shares),
        "kept": left_out.kept,
        "dropped": left_out.dropped,
        "asked": amount.of(len(choice.shares)),
        "bound": choice.bound,
        "shift": {"before": before[left_out.trait].shift, "after": after[left_out.trait].shift},
        "forecast": before,
        "forecast_after": after,
        "forecast_digest": found.record["digest"],
        "dose": found.question.dose.effective,
        "file": name,
        "notes": [*found.record["notes"], *notes],
    }
