"""A ranking of prompts in words for a terminal: the best, all of them in a table, and what must be known."""

from textwrap import fill

from personae.report import InoculateReport, to_terminal
from personae.report.inoculate_page import inoculate_sentence, prompt_table
from personae.report.untrusted import for_terminal

WIDTH = 100  # columns of a terminal


def inoculate_words(report: InoculateReport) -> str:
    """The best prompt and what it does, every prompt and control, and the notes."""
    sentence = fill(for_terminal(inoculate_sentence(report)), WIDTH)
    return "\n".join([f"{sentence}\n", to_terminal(prompt_table(report.prompts)), *report.notes])
