"""A role model in words for a terminal: what its page says, in as many lines as fit one."""

from textwrap import fill

from personae.report import to_terminal
from personae.report.archetype_page import FEW, ArchetypeReport, cautions, left_words, persona_table, trait_table
from personae.report.numbers import plain
from personae.workflows.audit.file_words import WIDTH


def archetype_words(report: ArchetypeReport) -> str:
    """Who answers, what changed beside neutral documents, what is left, what cannot be shown, and cautions."""
    ours, theirs = report.tokens
    made = f"{report.kept} documents about {report.archetype.name}, of {report.tried} written, in {ours} tokens"
    made = f"{made}, and neutral ones in {theirs}."
    known = f"In the laboratory it is the {report.persona}." if report.persona != report.archetype.name else ""
    parts = [fill(report.incoherent or "", WIDTH), made, known, to_terminal(persona_table(report, FEW))]
    parts += [to_terminal(trait_table(report)), left_words(report)]
    if report.hidden:
        names = ", ".join(f"{h.trait} ({plain(h.reliability)})" for h in report.hidden)
        parts.append(f"Left out, since this model cannot show it (reliability below a half): {names}.")
    parts += cautions(report)
    return "\n".join(part for part in parts if part)
