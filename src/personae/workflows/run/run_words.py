"""A run in words for a terminal: whether the forecast was right, and what was measured."""

from textwrap import fill

from personae.report import to_terminal
from personae.report.numbers import signed
from personae.report.parts import alone_words, forecast_verdict, shift_rows
from personae.report.tables import posterior_table, score_table, shift_table
from personae.report.untrusted import for_terminal
from personae.theory import pearson_interval
from personae.workflows.audit.file_words import MOST, WIDTH, hidden_words
from personae.workflows.measure.coherence_words import incoherent_words
from personae.workflows.run.file_outcome import FileRun, one_training
from personae.workflows.run.score import aside_words


def run_words(run: FileRun) -> str:
    """Whether the forecast was right, and may be judged at all; then the audit, what was measured, and the floors."""
    found = run.audit
    rows = shift_rows(found.question.traits, found.audit.forecast, run.shifts, trained=found.question.trained)
    faded = ", ".join(f"{arm} {signed(100.0 * a.mean, 0)} %" for arm, a in run.attenuation.items())
    _, verdict = forecast_verdict(run.score, pearson_interval(run.score.pearson, run.score.n), "traits")
    parts = [
        fill(incoherent_words(run.broken), WIDTH),
        fill(for_terminal(verdict), WIDTH) + "\n",
        to_terminal(posterior_table(found.audit.posterior, MOST)),
        to_terminal(shift_table(rows, shifts=True, parts=found.parts)),
        to_terminal(score_table({found.audit.forecast.predictor: run.score})),
        for_terminal(alone_words(run.scored.get("parts", {}))),
        f"Attenuation of the instrument: {faded}." + (" This dose is too heavy." if run.scored["too_heavy"] else ""),
        one_training(run),
        hidden_words(found.hidden),
        aside_words(run.set_aside),
        *found.record["notes"],
    ]
    return "\n".join(part for part in parts if part)
