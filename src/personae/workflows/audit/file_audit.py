"""The audit of a file before any training: read, score, forecast, seal, tell.

    file + cast -> evidence -> posterior, and rows in context -> forecast (sealed) -> page

Traits that the model cannot show (reliability below `RELIABLE` over the cast's personas) are left out before any
forecast is made, and listed. A fixed quarter of each trait's items is set aside for measuring attenuation, in the audit
as in a run, so both make one and the same forecast. `forecast.json` carries a digest over its own content.

Scores in fewer bits than float32 are compared with it on a few rows of the same file; personas nearer to each other
than that error are said not to be told apart.
"""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from personae.ledger import marks, with_digest
from personae.measure import instrument
from personae.measure.quarter import scoring
from personae.predictors import Basis
from personae.records import LongEvidence
from personae.records.files import whole_file, write_text
from personae.records.results import Floats
from personae.report import AuditReport, Fact, Hidden, Placement, audit_page
from personae.simulator.numerics import Numerics
from personae.theory import attenuation_items
from personae.theory.reliability import RELIABLE
from personae.workflows.audit.audit import Audit, audit, difference
from personae.workflows.audit.bounds import Bound, check_shown
from personae.workflows.audit.file_in_context import IN_CONTEXT, in_context, in_context_note, share_of
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.file_tokens import placement
from personae.workflows.audit.precision import numerics_of, precision_facts, precision_note, ties_in
from personae.workflows.audit.sealing import entered, keep_sealed
from personae.workflows.audit.words import reveals
from personae.workflows.kept.basis_cache import MeasuredBasis
from personae.workflows.kept.folder import RunFolder, default_path
from personae.workflows.kept.folder_basis import folder_basis
from personae.workflows.kept.gather import gather_into, write_evidence
from personae.workflows.kept.reference import reference_evidence
from personae.workflows.watch import Watch, unwatched

PAGE = "report.html"
EVIDENCE = ("evidence.parquet", "evidence-control.parquet")


@dataclass(frozen=True)
class FileAudit:
    """What was found. `whole` is the basis on all items and traits; `audit.basis` that of the forecast.

    `record` is what `forecast.json` holds, its digest under "digest". `numerics` is None where scores are float32.
    `unkept` says why the ledger does not have it, and is empty where it does. `placement` is None where the simulator
    tells no scores by token. `in_context` {trait: (I,)} nats is empty where no rows are shown.
    """

    question: Question
    whole: MeasuredBasis
    hidden: tuple[Hidden, ...]
    audit: Audit
    record: dict[str, Any]
    numerics: Numerics | None = None
    unkept: str = ""
    placement: Placement | None = None
    in_context: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, dict[str, float]]:
        """{part: {trait: nats}} of the forecast's shifts; empty where it has one part."""
        beside = share_of(self.in_context, self.question.dose.share)
        if beside is None:
            return {}
        shown = {t: float(beside[t].mean()) for t in self.audit.forecast.traits}
        by_cast = {t: f.shift - shown[t] for t, f in self.audit.forecast.traits.items()}
        return {"cast alone": by_cast, "rows in context": shown}

    @property
    def ties(self) -> dict[str, tuple[str, ...]]:
        """{persona: its neighbours in mean evidence that are not told apart from it}; empty in float32."""
        return ties_in(self.audit.evidence, self.numerics)


def audit_file(
    question: Question, folder: RunFolder, watch: Watch | None = None, bounds: Sequence[Bound] = ()
) -> FileAudit:
    """Audit the file, and leave evidence, sealed forecast and page in `folder`.

    Raises `RunFailed`, before a row is scored, where one of `bounds` is on a trait that the model cannot show.
    """
    found = seal(question, folder, watch, lambda traits: check_shown(bounds, traits))
    write_text(folder.file(PAGE), audit_page(page_content(found)))
    return found


def seal(
    question: Question,
    folder: RunFolder,
    watch: Watch | None = None,
    check: Callable[[Collection[str]], None] = lambda _: None,
) -> FileAudit:
    """Score the file, forecast, and write `forecast.json` with its digest, or check the one there; tell the ledger.

    `check` is given the traits that the model can show, before a row is scored, and raises where they will not do.
    """
    watch = watch or unwatched
    pair, cast = question.pair, question.cast
    with watch("the cast's traits, once for this model", "answers") as progress:
        whole = folder_basis(folder, question.simulator, cast, question.traits, progress)
    hidden = unreliable(whole.basis)
    basis = shown(whole.basis, hidden)
    check(basis.base)
    evidence = _evidence(question, folder, watch)
    numerics = numerics_of(question, folder, watch)
    dose, shown_rows = question.dose, in_context(question, basis, folder.file(IN_CONTEXT), watch)
    beside = share_of(shown_rows, dose.share)
    with watch("the forecast and its intervals", "forecasts") as progress:
        progress(0, 1)
        result = audit(
            basis, pair.episodes, evidence, dose.effective, seed=question.seed, doubt=dose.doubt, beside=beside
        )
        progress(1, 1)
    found = FileAudit(question, whole, hidden, result, {}, numerics, in_context=shown_rows)
    sealed = keep_sealed(folder, with_digest(_record(found)))
    placed = placement(question, result.telling, folder, watch)
    return replace(found, record=sealed, unkept=entered(folder, sealed), placement=placed)


def _take_over(question: Question, folder: RunFolder) -> None:
    """Copy the evidence of an audit that asked the same, where it is kept in its usual place."""
    audited = default_path("audit", question.configuration())
    for name in (*EVIDENCE, IN_CONTEXT):
        if (audited / name).exists() and not folder.file(name).exists():
            with (audited / name).open("rb") as source, whole_file(folder.file(name)) as target:
                shutil.copyfileobj(source, target)


def _evidence(question: Question, folder: RunFolder, watch: Watch) -> LongEvidence:
    """Of the file, or of its difference from the control; both kept in the folder."""
    _take_over(question, folder)
    pair = question.pair
    found: list[LongEvidence] = []
    for (path, rows), name in zip(pair.files, EVIDENCE):
        kept = folder.file(name)
        with watch(f"evidence in {path.name}", "episodes") as progress:
            if found and pair.reference and not kept.exists():
                write_evidence(kept, reference_evidence(question.simulator, question.cast, path, rows, progress))
            found.append(gather_into(kept, question.judge, question.cast, rows, progress))
    return found[0] if len(found) == 1 else difference(found[0], found[1], same_prompts=pair.matched)


# -- what can be shown -----------------------------------------------------------------------------------------------
def scoring_items(basis: Basis) -> dict[str, np.ndarray]:
    """{trait: (I,)} the items that score: all but those that measure attenuation."""
    return {t: ~attenuation_items(len(row)) for t, row in basis.base.items()}


def unreliable(basis: Basis) -> tuple[Hidden, ...]:
    """The traits on which this model does not tell the cast's personas apart, by the items that score."""
    found = basis.items(scoring_items(basis)).reliability()
    reason = "between its characters this model varies less than between the questions asked of one"
    return tuple(Hidden(t, r, reason) for t, r in found.items() if not r >= RELIABLE)


def shown(basis: Basis, hidden: Sequence[Hidden]) -> Basis:
    """The basis of a forecast: items that score, of traits that are not `hidden`."""
    out = {h.trait for h in hidden}
    return basis.items({t: keep for t, keep in scoring_items(basis).items() if t not in out})


# -- the sealed forecast ---------------------------------------------------------------------------------------------
def _record(found: FileAudit) -> dict[str, Any]:
    question, result = found.question, found.audit
    names = result.posterior.names
    reliability = found.whole.basis.items(scoring_items(found.whole.basis)).reliability()
    return {
        "model": question.simulator.name,
        "model_digest": question.simulator.digest,
        "data": question.pair.data.name,
        "against": question.pair.control_name,
        "data_digests": question.pair.digests,
        "matched": question.pair.matched,
        "rows": len(question.pair.episodes),
        "predictor": result.forecast.predictor,
        "prior": dict(zip(names, result.posterior.prior, strict=True)),
        "posterior": dict(zip(names, result.posterior.weights, strict=True)),
        "forecast": result.forecast.traits,
        "instrument": instrument().name,
        "items": marks([scoring(t) for t in question.traits if t.name in result.forecast.traits]),
        **_in_context_record(found),
        "dose": question.dose.effective,
        "dose_fitted": question.dose.fitted,
        "doubt": question.dose.doubt,
        "plan": question.dose.plan,
        **({"reward": question.reward.record()} if question.reward else {}),
        "reliability": reliability,
        "hidden": [{"trait": h.trait, "reliability": h.reliability, "reason": h.reason} for h in found.hidden],
        "episodes": _episodes(result),
        **({"episodes_unlisted": result.unlisted} if result.unlisted else {}),
        "notes": notes(found),
        **({"numerics": {**found.numerics.record(), "ties": found.ties}} if found.numerics else {}),
    }


def _in_context_record(found: FileAudit) -> dict[str, Any]:
    """`in_context` {trait: nats} of the rows shown, of which the forecast counts `share`; nothing where none were."""
    if not found.in_context:
        return {}
    return {"share": found.question.dose.share, "in_context": {t: v.mean() for t, v in found.in_context.items()}}


def _episodes(result: Audit) -> list[dict[str, Any]]:
    """Of each episode listed: its row, its share of how far the posterior moved (`bits`), for whom, what it reveals."""
    listed = result.listed
    return [
        {
            "index": int(index),
            "bits": float(bits),
            "personas": [result.posterior.names[k] for k in raised],
            "reveals": reveals(result.basis, row, list(raised)),
        }
        for index, bits, row, raised in zip(listed.index, listed.moved_bits, listed.matrix, result.raised, strict=True)
    ]


def notes(found: FileAudit) -> list[str]:
    """What a reader must know: how rows were matched, whence the dose, what is not scored, how exact the scores are."""
    parts = in_context_note(found.question, found.in_context) if found.audit.forecast.traits else ""
    said = (found.question.pair.note(), parts, _unlisted(found.audit))
    return [*filter(None, said), *question_notes(found.question, found.numerics)]


def question_notes(question: Question, numerics: Numerics | None) -> list[str]:
    """The same of a question alone, whatever was found."""
    own = ", ".join(question.trained)
    trained = f"The file itself trains {own}, which no score counts." if own else ""
    caution = str(getattr(question.simulator, "caution", ""))
    few = question.pair.few
    return [*filter(None, (few, question.dose.source, question.note, trained, precision_note(numerics), caution))]


def _unlisted(result: Audit) -> str:
    if not result.unlisted:
        return ""
    return (
        f"One by one only the {len(result.listed.places)} rows are listed that move the bet most, either way; what "
        "each of the others says is in evidence.parquet."
    )


# -- the page --------------------------------------------------------------------------------------------------------
def page_content(found: FileAudit, **measured: Any) -> AuditReport:  # noqa: ANN401 - the report's own fields
    """What the page shows; `measured` adds what a run found after training."""
    question, result = found.question, found.audit
    pair, plan = question.pair, question.dose.plan
    kept = tuple(t for t in question.traits if t.name in result.forecast.traits)
    tuned = f"LoRA of rank {plan.rank}" if plan.tuning == "lora" else "all weights"
    training = f"{tuned}, {plan.steps} steps of {plan.batch}, rate {plan.rate:g}"
    facts = (
        Fact("training that the dose stands for", training),
        *((question.reward.fact(),) if question.reward else ()),
        Fact("forecast sealed as", str(found.record["digest"])[:16]),
        *precision_facts(found.numerics),
    )
    return AuditReport(
        model=question.simulator.name,
        data=pair.data.name,
        episodes=len(pair.episodes),
        cast=question.cast,
        traits=kept,
        posterior=result.posterior,
        forecast=result.forecast,
        control=pair.control_name,
        path=result.path,
        telling=result.telling,
        hidden=found.hidden,
        facts=(*facts, *measured.pop("facts", ())),
        ties=found.ties,
        placement=found.placement,
        parts=found.parts,
        notes=(*notes(found), *measured.pop("notes", ())),
        **measured,
    )
