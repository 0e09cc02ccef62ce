"""The page of one study: what the theory says, what was found, the picture, the bars and when they were set.

It is the page for a reader who asks "does it hold, and what is it to me?"; the numbers behind every picture are folded
below it. Nothing is computed here.
"""

from typing import Literal

from markupsafe import Markup

from personae.records import Cloud, Finding, Lines, Matrix, Picture, Rows, Verdict
from personae.report.blocks import Aside, Badge, Block, Command, Facts, Figure, Fold, Points, Section, Statement
from personae.report.content import Fact
from personae.report.figures import figure, picture_drawing
from personae.report.finding_tables import bars_table, picture_table
from personae.report.finding_words import bars_words, took_words
from personae.report.page import page

_TONES: dict[Verdict, Literal["whole", "half", "none", "open"]] = {
    "holds": "whole",
    "holds in part": "half",
    "does not hold": "none",
    "cannot be told": "open",
}


def study_page(finding: Finding, *, in_site: bool = False) -> str:
    """The whole page as one HTML file; `in_site`: with a link back to the overview, `../index.html`."""
    sections = (
        _found_section(finding),
        _bars_section(finding),
        Section("If you train models", (finding.meaning,)) if finding.meaning else None,
        _controls_section(finding),
        _more_section(finding),
        Section("Notes", (), (Points(finding.notes),)) if finding.notes else None,
        _again_section(finding),
    )
    back = Markup('<a href="../index.html">All studies</a>') if in_site else ""
    lead = Markup("The theory says: {}").format(finding.claim)
    return page(finding.title, lead, [section for section in sections if section is not None], back=back)


def badge(finding: Finding) -> Badge:
    """The verdict of a finding, and what it rests on."""
    words = finding.verdict[:1].upper() + finding.verdict[1:]
    return Badge(words, _TONES[finding.verdict], bars_words(finding))


def _found_section(finding: Finding) -> Section:
    blocks = (Statement(finding.sentence), badge(finding), *_picture_blocks(finding.picture))
    return Section("What was found", (), blocks)


def _picture_blocks(picture: Picture) -> tuple[Block, ...]:
    return _picture_figure(picture), Fold("The numbers behind it", (picture_table(picture),))


def _picture_figure(picture: Picture) -> Figure:
    caption = Markup("<b>{}.</b> {}").format(picture.title.rstrip(".").replace("\n", " "), _how_to_read(picture))
    return figure(lambda width: picture_drawing(picture, width=width), caption)


def _how_to_read(picture: Picture) -> str:
    """What the marks of a picture mean, of those that are in it."""
    if isinstance(picture, Cloud):
        return "One mark for each cell; on the broken diagonal the two are equal."
    if isinstance(picture, Matrix):
        return "Orange is up, blue is down." + (" A frame: what was taught." if picture.marked else "")
    if isinstance(picture, Lines):
        exact = any(line.exact for line in picture.lines)
        bound = any(line.bound for line in picture.lines)
        return (
            "Filled: measured, with 95 % intervals."
            + (" Hollow, on a broken line: what exact inference has." if exact else "")
            + (" Dotted: a floor or a ceiling." if bound else "")
        )
    return _how_to_read_rows(picture)


def _how_to_read_rows(picture: Rows) -> str:
    words = "Each dot was measured; the band about it is its 95 % interval."
    if any(row.exact is not None for row in picture.rows):
        words += " The ring is the answer of exact inference: a dot within its ring came out as it has it."
    if any(row.forecast is not None for row in picture.rows):
        words += " The pointer is what the untrained model alone foresaw."
    return words


def _bars_section(finding: Finding) -> Section | None:
    if not finding.bars:
        return None
    words = f"What had to come out for the claim to hold. {finding.fixed}"
    return Section("The bars", (words,), (bars_table(finding.bars),))


def _controls_section(finding: Finding) -> Section | None:
    if not finding.controls:
        return None
    return Section("What stood beside it", (), (Points(finding.controls),))


def _more_section(finding: Finding) -> Section | None:
    blocks = tuple(block for picture in finding.more for block in _picture_blocks(picture))
    return Section("More pictures", (), blocks) if blocks else None


def _again_section(finding: Finding) -> Section | None:
    facts = [Fact("trainings behind it", str(finding.trainings) if finding.trainings else "none")]
    if finding.seeds:
        facts.append(Fact("seeds of each", str(finding.seeds)))
    if finding.took:
        facts.append(Fact("took", took_words(finding.took)))
    blocks: list[Block] = [Facts(tuple(facts))]
    if finding.command:
        blocks.append(Command(finding.command))
    blocks.append(
        Aside(
            "This was measured in a small invented world in which the truth is known. It says what the theory is "
            "worth there; large models may differ."
        )
    )
    return Section("To make it again", (), tuple(blocks))
