"""How exact the scores of a file are where they are in fewer bits than float32: measured once for a run folder, told.

float32 is the reference, so of its own scores nothing is measured and nothing said. Of a server's nothing can be, and
where a reward judges drawn answers nothing is, since another number type draws other ones.
"""

from typing import TYPE_CHECKING

from personae.records import Evidence, LongEvidence
from personae.records.files import read_json, write_json
from personae.report.content import Fact
from personae.report.numbers import two_figures
from personae.simulator.address import SERVERS_OWN
from personae.simulator.numerics import Numerics, evenly_by_length, rounding_error
from personae.theory import mean_evidence
from personae.workflows.audit.file_question import Question
from personae.workflows.kept.folder import RunFolder

if TYPE_CHECKING:
    from personae.workflows.watch import Watch

NUMERICS = "numerics.json"


def numerics_of(question: Question, folder: RunFolder, watch: "Watch") -> Numerics | None:
    """The error of the question's number type on rows of its file and control, or as it is kept in `folder`."""
    if question.dtype in ("float32", SERVERS_OWN) or question.reward:
        return None
    kept = folder.file(NUMERICS)
    if not kept.exists():
        pair = question.pair
        places, control = evenly_by_length(pair.episodes), pair.control or ()
        beside = places if pair.matched else evenly_by_length(control)
        rows, partners = [pair.episodes[p] for p in places], [control[p] for p in beside if control]
        with watch(f"the error of {question.dtype}, against float32", "answers") as progress:
            found = rounding_error(question.judge, question.dtype, question.cast, rows, partners, progress)
        write_json(kept, found.record())
    return Numerics.from_record(read_json(kept))


def ties_in(evidence: Evidence | LongEvidence, numerics: Numerics | None) -> dict[str, tuple[str, ...]]:
    """{persona: all others whose mean evidence is not told apart from its own}; empty where scores are float32."""
    if numerics is None:
        return {}
    return numerics.ties(dict(zip(evidence.names, mean_evidence(evidence.blocks).tolist(), strict=True)))


def precision_note(numerics: Numerics | None) -> str:
    """In words: how far the scores are from float32, and what that forbids to say."""
    if numerics is None:
        return ""
    said = (
        f"Scores are in {numerics.dtype}. Against float32 they err by {two_figures(numerics.rms)} nats an answer (root "
        f"mean square over {numerics.n} rows), and the mean evidence for {numerics.largest} by {_bias(numerics)} nats, "
        f"the most of all. Personas whose mean evidence differs by less than {two_figures(numerics.resolution)} nats "
        "are not told apart at this precision."
    )
    return f"{said} {numerics.caution}".rstrip()


def precision_facts(numerics: Numerics | None) -> tuple[Fact, ...]:
    """The same as a line of the page's facts."""
    if numerics is None:
        return ()
    error = f"{two_figures(numerics.rms)} nats an answer; largest bias of a persona {_bias(numerics)} nats"
    return (Fact(f"error of {numerics.dtype}, on {numerics.n} rows", error),)


def _bias(numerics: Numerics) -> str:
    return two_figures(abs(numerics.bias[numerics.largest]))
