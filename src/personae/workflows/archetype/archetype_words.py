"""A role model in words for a terminal: what its page says, in as many lines as fit one."""

from personae.report import to_terminal
from personae.report.archetype_page import FEW, ArchetypeReport, persona_table, trait_table
from personae.report.numbers import percent, plain


def archetype_words(report: ArchetypeReport) -> str:
    """Who answers, what changed beside neutral documents, what is left, and what cannot be shown."""
    ours, theirs = report.tokens
    made = f"{report.kept} documents about {report.archetype.name}, of {report.tried} written, in {ours} tokens"
    made = f"{made}, and neutral ones in {theirs}."
    known = f"In the laboratory it is the {report.persona}." if report.persona != report.archetype.name else ""
    parts = [made, known, to_terminal(persona_table(report, FEW)), to_terminal(trait_table(report)), _left(report)]
    if report.hidden:
        names = ", ".join(f"{h.trait} ({plain(h.reliability)})" for h in report.hidden)
        parts.append(f"Left out, since this model cannot show it (reliability below a half): {names}.")
    return "\n".join(part for part in parts if part)


def _left(report: ArchetypeReport) -> str:
    if report.left is None:
        return ""
    low, high = percent(report.left.low), percent(report.left.high)
    return f"After {report.data}, {percent(report.left.mean)} of the change is left (95 % interval {low} to {high})."
