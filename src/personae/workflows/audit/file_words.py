"""An audit in words for a terminal: what the page says, in as many lines as fit one."""

from collections.abc import Sequence

from personae.report import Hidden, Table, to_terminal
from personae.report.numbers import plain
from personae.report.parts import most_telling
from personae.report.tables import forecast_table, posterior_table
from personae.report.tokens_section import placement_words
from personae.workflows.audit.file_audit import FileAudit

MOST = 8  # personas in the table
WIDTH = 100  # columns of a terminal
SHOWN = 3  # telling episodes


def audit_words(found: FileAudit) -> str:
    """Who the file speaks for, what else would change, which episodes do it, and what cannot be shown."""
    result = found.audit
    who = posterior_table(result.posterior, MOST, found.ties)
    parts = [to_terminal(who), to_terminal(forecast_table(result.forecast))]
    parts += [_telling(found), placement_words(found.placement), hidden_words(found.hidden), *found.record["notes"]]
    return "\n".join(part for part in parts if part)


def _telling(found: FileAudit) -> str:
    prompts = found.question.pair.prompts
    rows = tuple(
        (t.where.removeprefix("line "), plain(t.evidence_bits, 1), t.prompt if prompts else t.response, t.reveals)
        for t in most_telling(found.audit.telling, SHOWN)
    )
    if not rows:
        return (
            "The reward says nothing about who answers." if prompts else "No answer says anything about who gives it."
        )
    columns = ("line", "bits of evidence", "prompt" if prompts else "answer", "what it reveals")
    return to_terminal(Table(columns, rows, "The most telling", frozenset({0, 1})))


def hidden_words(hidden: Sequence[Hidden]) -> str:
    """Which traits were left out."""
    if not hidden:
        return ""
    names = ", ".join(f"{h.trait} ({plain(h.reliability)})" for h in hidden)
    return f"Left out, since this model cannot show it (reliability below a half): {names}."
