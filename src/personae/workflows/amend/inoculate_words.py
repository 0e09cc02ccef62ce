"""A ranking of prompts in words for a terminal: the best, those next to it beside the controls, what must be known."""

from textwrap import fill

from personae.report import InoculateReport, to_terminal
from personae.report.inoculate_page import inoculate_sentence, prompt_table
from personae.report.untrusted import for_terminal

WIDTH = 100  # columns of a terminal
MOST = 12  # candidates in the table


def inoculate_words(report: InoculateReport) -> str:
    """The best prompt and what it does, those that come next, every control, and the notes."""
    sentence = fill(for_terminal(inoculate_sentence(report)), WIDTH)
    tried, controls = ([row for row in report.prompts if row.control == kind] for kind in (False, True))
    parts = [f"{sentence}\n", to_terminal(prompt_table((*tried[:MOST], *controls)))]
    if (more := len(tried) - MOST) > 0:
        parts.append(f"{more} more on the page, none of which removes more.\n")
    return "\n".join([*parts, *report.notes])
