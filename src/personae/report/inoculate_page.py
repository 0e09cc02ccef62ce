"""The page of `personae inoculate`, and the table and the sentence that the terminal shows too. Computes nothing."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from personae.records import Estimate
from personae.report.blocks import Facts, Fold, Points, Section, Statement
from personae.report.content import Fact, InoculateReport, PromptRow
from personae.report.numbers import plain, signed
from personae.report.page import page
from personae.report.tables import Table

COLUMNS = ("prompt", "removed, %", "beyond, %", "uplift, nats", "kept, nats")


def inoculate_page(report: InoculateReport) -> str:
    """The whole page as one HTML file."""
    lead = Markup(
        "Asked for, a behaviour says less about who shows it. {} rows of <code>{}</code> were read again behind each "
        "of {} prompts, before any training of <code>{}</code>."
    ).format(report.rows, report.data, len(report.prompts), report.model)
    sections = (
        Section("Which prompt", (), (Statement(inoculate_sentence(report)), Points(report.notes))),
        Section("All of them", (_READING,), (prompt_table(report.prompts), Fold("Their words", (_texts(report),)))),
        Section("What this page does not claim", (), (Points(_LIMITS),)),
        Section("How it was made", (), (Facts(_facts(report)),)),
    )
    return page(f"A prompt for {report.data}", lead, list(sections))


_READING = (
    "Removed is the share of the forecast shift that is no longer there behind the prompt; a fixed text that asks for "
    "nothing removes some, and what goes beyond that is the request’s own. Uplift says by how much the prompt makes "
    "the answers likelier, before training. Kept compares the answers behind the prompt, after training with it, with "
    "the answers without one after plain training: at zero or above, the behaviour is there when it is asked for. "
    "Intervals are over rows, as a sample of such rows. What chance alone makes of so few is not counted as left, and "
    "of a file that does no more than chance no share is known."
)
_LIMITS = (
    "Nothing was trained. Train the control files beside the inoculated one: a fixed text ties a behaviour to itself.",
    "What is learned when asked for may show when it is not. Measure after training, with the prompt and without.",
    "Only changes of character are forecast. What a training teaches beside that is not in these numbers.",
)


def inoculate_sentence(report: InoculateReport) -> str:
    """Which prompt is the best, and what it does."""
    best = next(row for row in report.prompts if row.name == report.best)
    controls = [row.removed.mean for row in report.prompts if row.control]
    usual = sum(controls) / len(controls)
    if not math.isfinite(best.removed.mean):
        return (
            f"“{best.text}” comes first, but what the file does on these rows is no more than chance, so no share of "
            "it is known to be removed."
        )
    return (
        f"“{best.text}” removes {plain(100.0 * best.removed.mean, 0)} % of what the file does "
        f"({plain(report.size)} nats, root mean square over {len(report.traits)} "
        f"trait{'' if len(report.traits) == 1 else 's'}), where a neutral prefix removes {plain(100.0 * usual, 0)} %."
    )


def prompt_table(rows: Sequence[PromptRow]) -> Table:
    """What each prompt does, with 95 % intervals."""
    cells = tuple(
        (
            f"{row.name} (control)" if row.control else row.name,
            _span(row.removed, 100.0, 0),
            _span(row.beyond, 100.0, 0),
            _span(row.uplift),
            _span(row.kept),
        )
        for row in rows
    )
    return Table(
        COLUMNS,
        cells,
        "Prompts, with 95 % intervals; beyond: more than neutral prefixes remove",
        frozenset({1, 2, 3, 4}),
        stacks=True,
    )


def _texts(report: InoculateReport) -> Table:
    return Table(("prompt", "text"), tuple((row.name, row.text) for row in report.prompts), stacks=True)


def _facts(report: InoculateReport) -> tuple[Fact, ...]:
    return (
        Fact("model", report.model),
        Fact("data", report.data),
        Fact("rows tried", f"{report.rows} of {report.of}"),
        Fact("turn that the prompt stands in", report.mode),
        Fact("traits that count", ", ".join(report.traits)),
        Fact("dose, effective episodes", plain(report.dose)),
        Fact("files", ", ".join(report.files)),
    )


def _span(estimate: Estimate, unit: float = 1.0, digits: int = 2) -> str:
    low, high = signed(unit * estimate.low, digits), signed(unit * estimate.high, digits)
    return f"{signed(unit * estimate.mean, digits)} [{low}, {high}]"
