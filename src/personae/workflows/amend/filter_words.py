"""A filtering in words for a terminal: which rows went, and what the file would do without them."""

from personae.report import to_terminal
from personae.report.left_out import left_out_sentence, left_out_table, still_table
from personae.workflows.amend.filtering import DROPPED, Filtered

MOST = 12  # rows in the table


def filter_words(done: Filtered) -> str:
    """How many rows went and why, the worst of them, the forecast before and after, and what must be known."""
    rows = done.left_out.rows[:MOST]
    parts = [left_out_sentence(done.left_out) + "\n"]
    if rows:
        parts.append(to_terminal(left_out_table(done.left_out, rows)))
        if (more := done.left_out.dropped - len(rows)) > 0:
            parts.append(f"{more} more in {DROPPED}.\n")
        parts.append(to_terminal(still_table(done.audit.audit.forecast, done.left_out)))
    return "\n".join([*parts, *done.record["notes"]])
