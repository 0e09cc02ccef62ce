"""The overview of all studies: for each a small picture, one sentence, a verdict, and the way to its page.

Written for a reader who reads nothing else. The studies stand in the order given; each page is expected at
`NAME/report.html` beside this file. Verdicts are counted, nothing else is computed.
"""

from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from personae.records import Finding
from personae.report.blocks import Beside, Block, Number, Numbers, Prose, Section, Statement, Text
from personae.report.figures import picture_drawing
from personae.report.finding_words import verdict_counts
from personae.report.page import page
from personae.report.study_page import badge
from personae.report.svg import NARROW
from personae.report.untrusted import visible

TITLE = "Which persona does training select?"
_LEAD = (
    "A language model learns to imitate whoever wrote its texts. When it answers as “the Assistant”, one of those "
    "characters is speaking, and every example of a lesson is evidence about which. That is the persona selection "
    "model. Each of its claims was tried here in a small world in which the right answer is known."
)


def study_site(findings: Sequence[Finding]) -> str:
    """The overview as one HTML file."""
    return page(TITLE, _LEAD, [_summary(findings), *(_section(finding) for finding in findings)])


def study_address(study: str) -> str:
    """Where the page of a study stands, relative to the overview; no name can lead to another place of the net."""
    return f"{quote(visible(study), safe='')}/report.html"


def _summary(findings: Sequence[Finding]) -> Section:
    hold = sum(finding.verdict == "holds" for finding in findings)
    claims = "claims hold in this world; each study says how its bars came about"
    numbers = [Number(f"{hold} of {len(findings)}", claims)]
    trainings = sum(finding.trainings for finding in findings)
    if trainings:
        numbers.append(Number(f"{trainings}", "trainings of the small model stand behind the pictures"))
    words: tuple[Text, ...] = (
        verdict_counts(findings),
        (
            "A filled mark in a picture was measured; a hollow one is what exact inference has for the same lesson, "
            "where there is such an answer. Where the two lie upon each other, the theory foresaw what training did."
        ),
    )
    return Section("Do the claims hold?", words, (Numbers(tuple(numbers)),))


def _section(finding: Finding) -> Section:
    drawn = Markup(picture_drawing(finding.picture, width=NARROW, brief=True))  # its texts went through `esc`
    link = Markup('<a href="{}" aria-label="{}: the whole study">The whole study</a>')
    blocks: tuple[Block, ...] = (
        Prose((Markup("The theory says: {}").format(finding.claim),)),
        Statement(finding.sentence),
        badge(finding),
        Prose((link.format(study_address(finding.study), finding.title),)),
    )
    return Section(finding.title, (), (Beside(drawn, blocks),))
