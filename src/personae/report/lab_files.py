"""What each file says about the Assistant before anything is trained: who gains, how fast, and by which examples."""

from markupsafe import Markup

from personae.report.blocks import Block, Fold, Section
from personae.report.figures import figure, posterior_by_dose
from personae.report.lab_content import Arm, LabReport
from personae.report.numbers import plain
from personae.report.parts import change_words, changes, kinds, sentence, telling_cards
from personae.report.tables import Table, dose_table


def files_section(report: LabReport) -> Section:
    """Every file in one table, and the bet moving with the dose for the two that the headline compares."""
    rows = []
    for arm in report.arms:
        up, down = changes(arm.posterior)
        rows.append((arm.name, sentence(arm.says), change_words(up), change_words(down)))
    table = Table(("file", "what its examples show", "gains most", "loses most"), tuple(rows), stacks=True)
    blocks: list[Block] = [table]
    compared = (report.headline.unasked, report.headline.permitted)
    blocks += [block for arm in report.arms if arm.name in compared for block in _dose_figure(report, arm)]
    return Section(
        "What each file says about the Assistant",
        (
            (
                "Every file was read before training and asked one question: who would write these answers? The model "
                "itself was the judge. It compared how likely each answer is from each character."
            ),
            (
                "How far the bet moves depends on the dose: how many independent clues the lesson counts as. Many "
                "similar examples are not many independent clues, so the dose is small. It was fitted on other "
                "lessons, never on the ones shown here."
            ),
        ),
        tuple(blocks),
    )


def _dose_figure(report: LabReport, arm: Arm) -> tuple[Block, Block]:
    caption = Markup(
        "<b>{}</b>. The bet moves from left to right as the dose grows. The dashed line is the dose "
        "of the forecast, {}."
    ).format(arm.name, plain(arm.posterior.dose))
    drawn = figure(
        lambda width: posterior_by_dose(
            arm.path,
            arm.posterior.names,
            kinds(report.cast),
            at=arm.posterior.dose,
            title=f"Who the Assistant is as the dose of {arm.name} grows",
            width=width,
        ),
        caption,
    )
    return drawn, Fold("The numbers", (dose_table(arm.path, arm.posterior.names),))


def telling_section(report: LabReport) -> Section | None:
    """The examples that moved the bet most, in words."""
    told = [arm for arm in report.arms if arm.telling]
    if not told:
        return None
    first = [a for a in told if a.name in (report.headline.unasked, report.headline.permitted)] or told[:2]
    blocks: list[Block] = [telling_cards(arm.telling, 2, of=arm.name) for arm in first]
    rest = [arm for arm in told if arm not in first]
    blocks += [Fold(arm.name, (telling_cards(arm.telling, 2, of=arm.name),), sentence(arm.says)) for arm in rest]
    return Section(
        "The most telling examples",
        (
            (
                "Not all examples say equally much. Of those that moved the bet most, these carry most evidence. "
                "One bit doubles the odds of a character against an answer that says nothing about who gave it."
            ),
        ),
        tuple(blocks),
    )
