"""A finding in words: its verdict as a sentence, how many of several hold, and the whole of it on a terminal."""

from collections.abc import Sequence
from textwrap import fill

from personae.records import Cloud, Finding, Took, Verdict
from personae.report.finding_tables import bars_table, picture_table
from personae.report.numbers import duration
from personae.report.tables import Table, to_terminal
from personae.report.untrusted import for_terminal

_SEVERAL: dict[Verdict, tuple[str, str]] = {
    "holds": ("claim holds", "claims hold"),
    "holds in part": ("holds in part", "hold in part"),
    "does not hold": ("does not hold", "do not hold"),
    "cannot be told": ("cannot be told", "cannot be told"),
}
_MOST = 40  # rows of a table on a terminal; a report has them all


def bars_words(finding: Finding) -> str:
    """How many of the bars are met.

    >>> from personae.records import Bar, Cloud, Point
    >>> cells = Cloud("p", "x", "y", (Point("a", 0.1, 0.2),))
    >>> finding = Finding("s", "t", "c", "s", "m", cells, (Bar("r", 0.9, 0.8), Bar("n", 1, 2)), ())
    >>> finding.verdict, bars_words(finding)
    ('holds in part', '1 of 2 bars met')
    """
    met, number = sum(bar.met for bar in finding.bars), len(finding.bars)
    return f"{met} of {number} bar{'' if number == 1 else 's'} met" if number else "no bar was set"


def trainings_words(finding: Finding) -> str:
    """How much was trained for it, and how long it took where that is known, in a sentence."""
    time = f"; {took_words(finding.took)}" if finding.took else ""
    if not finding.trainings:
        return f"Nothing was trained: models were looked at as they are{time}."
    seeds = f", {_number(finding.seeds, 'seed')} each" if finding.seeds else ""
    return f"{_number(finding.trainings, 'training')}{seeds}{time}."


def took_words(took: Took) -> str:
    r"""How long a study took, and where.

    >>> from personae.records import Took
    >>> print(took_words(Took(484.2, 2, 2)).replace("\u00a0", " "))
    8 min 4 s with 2 workers on 2 cores
    """
    return f"{duration(took.seconds)} with {_number(took.workers, 'worker')} on {_number(took.cores, 'core')}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def verdict_counts(findings: Sequence[Finding]) -> str:
    """How many of the claims hold, in a sentence that begins with a number."""
    return counted([finding.verdict for finding in findings])


def counted(verdicts: Sequence[str]) -> str:
    """The same of the verdicts alone."""
    words = []
    for verdict, (one, several) in _SEVERAL.items():
        number = sum(found == verdict for found in verdicts)
        if verdict == "holds":
            words.append(f"{number} of {len(verdicts)} {one if len(verdicts) == 1 else several}")
        elif number:
            words.append(f"{number} {one if number == 1 else several}")
    return "; ".join(words) + "."


def finding_words(finding: Finding, width: int = 100) -> str:
    """The finding for a terminal, in lines of at most `width` columns; nothing in it can act on the terminal."""
    parts = [
        _filled(finding.title, width),
        _filled(f"The theory says: {finding.claim}", width) + "\n" + _filled(f"Found: {finding.sentence}", width),
        _numbers(finding, width),
        to_terminal(bars_table(finding.bars), width) if finding.bars else "",
        "".join(_filled(f"Note: {note}", width) + "\n" for note in finding.notes),
        _filled(trainings_words(finding), width),
        _filled(f"The claim {finding.verdict}: {bars_words(finding)}.", width),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _numbers(finding: Finding, width: int) -> str:
    """The numbers of the main picture, unless they are too many to read."""
    table = picture_table(finding.picture)
    if isinstance(finding.picture, Cloud):
        return _filled(f"{finding.picture.title}: {len(table.rows)} cells, in the report.", width)
    rest = len(table.rows) - _MOST
    shown = to_terminal(Table(table.columns, table.rows[:_MOST], table.caption, table.numeric), width)
    return shown + (f"and {rest} more rows, in the report\n" if rest > 0 else "")


def _filled(words: str, width: int) -> str:
    return fill(for_terminal(words), width)
