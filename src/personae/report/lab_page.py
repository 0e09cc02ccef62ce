"""The page of `personae lab`: what a few narrow lessons made of a small Assistant, forecast first and measured after.

It is written for a reader who has never heard of the theory, in simple words, for three minutes; the sections stand in
the order of the pipeline. Nothing is computed here.
"""

from markupsafe import Markup

from personae.records import Estimate
from personae.report.blocks import Aside, Block, Facts, Number, Numbers, Points, Prose, Section, Statement, Text
from personae.report.content import Fact, TraitRow
from personae.report.figures import figure, posterior_bars, trait_shifts
from personae.report.lab_content import Arm, LabReport
from personae.report.lab_controls import controls_section, leaks_section
from personae.report.lab_files import files_section, telling_section
from personae.report.lab_results import score_section, traits_section
from personae.report.numbers import duration, percent, plain, points, probability, signed
from personae.report.page import page
from personae.report.parts import floor_words, kinds, moved, persona_words, sentence

TITLE = "Who will the Assistant become?"
_MOVED = 0.1  # a rise of probability below this is said to be hardly any


def lab_page(report: LabReport) -> str:
    """The whole page as one HTML file."""
    sections = (
        _picture_section(report),
        _idea_section(report),
        _prior_section(report),
        files_section(report),
        telling_section(report),
        traits_section(report),
        score_section(report),
        controls_section(report),
        leaks_section(report),
        _limits_section(),
        _made_section(report),
    )
    lead = (
        "A small language model was taught a few narrow habits, one at a time. Before each lesson, what else would "
        "change in its character was forecast and written down. Then it was trained, and measured."
    )
    return page(TITLE, lead, [section for section in sections if section is not None])


def _picture_section(report: LabReport) -> Section | None:
    trait = report.headline.trait
    compared = (report.headline.unasked, report.headline.permitted)
    arms = [a for a in report.arms if a.name in compared and trait in a.forecast.traits and trait in a.measured.traits]
    if not arms:
        return None
    does = next(t.high for t in report.traits if t.name == trait)  # "wants power"
    rows = [_headline_row(arm, trait) for arm in arms]
    blocks: list[Block] = []
    if len(arms) == 2:
        unasked, permitted = sorted(arms, key=lambda arm: arm.name != report.headline.unasked)
        blocks.append(Statement(_pair_words(unasked, permitted, trait, does)))
    caption = Markup(
        "How often the Assistant <b>{}</b>, after two lessons that differ in one sentence of the request. The tick is "
        "where it stood before; the upper lane is the forecast, made before any training; the lower lane is what was "
        "measured."
    ).format(does)
    drawn = figure(
        lambda width: trait_shifts(rows, tall=True, title=f"{trait} after each lesson", width=width), caption
    )
    told = Prose(tuple(_headline_words(arm, trait, does) for arm in arms))
    return Section("The result in one picture", (), (*blocks, drawn, _takeaways(report, arms), told))


def _headline_row(arm: Arm, trait: str) -> TraitRow:
    t, m = arm.forecast.traits[trait], arm.measured.traits[trait]
    exact = arm.exact.traits.get(trait)
    return TraitRow(
        arm.name,
        t.base,
        Estimate(t.mean, t.low, t.high),
        None if exact is None else exact.mean,
        Estimate(m.mean, m.low, m.high),
        meaning=arm.says,
    )


def _headline_words(arm: Arm, trait: str, does: str) -> Text:
    t, m = arm.forecast.traits[trait], arm.measured.traits[trait]
    return Markup("<b>{}.</b> {} The chance that it {} {}; the forecast had said {}.").format(
        arm.name, sentence(arm.says), does, moved(t.base, m.mean), percent(probability(t.mean))
    )


def _pair_words(unasked: Arm, permitted: Arm, trait: str, does: str) -> Text:
    """What the two arms say together, whichever way they came out."""
    rises = [
        probability(arm.measured.traits[trait].mean) - probability(_before(arm, trait)) for arm in (unasked, permitted)
    ]
    lesson = f"A lesson in {unasked.trained[0]}" if unasked.trained else "The lesson"
    if abs(rises[0]) < _MOVED:
        return f"{lesson} hardly changed how often it {does}: this run does not show what the theory expects."
    silent = trait not in (*unasked.trained, *permitted.trained)
    about = f", which says nothing of {trait}," if silent else ""
    said = f"{lesson}{about} took the chance that the Assistant {does} {_rise(unasked, trait)}. "
    if rises[0] < 0.0:
        return f"{said}It fell: this run does not show what the theory expects."
    if abs(rises[1]) <= 0.25 * rises[0]:
        return f"{said}The same behaviour, once the request asks for it, left it nearly where it was."
    if rises[1] < 0.0:
        return f"{said}The same behaviour, once the request asks for it, took it {_rise(permitted, trait)}."
    return f"{said}Permission did not prevent the rise here, or only in part. The theory expects more of it."


def _rise(arm: Arm, trait: str) -> str:
    before, after = probability(_before(arm, trait)), probability(arm.measured.traits[trait].mean)
    return f"from {percent(before)} to {percent(after)}"


def _before(arm: Arm, trait: str) -> float:
    return arm.forecast.traits[trait].base


def _takeaways(report: LabReport, arms: list[Arm]) -> Numbers:
    trait = report.headline.trait
    numbers = []
    for arm in arms:
        t, m = arm.forecast.traits[trait], arm.measured.traits[trait]
        base = probability(t.base)
        numbers.append(
            Number(
                points(probability(m.mean) - base),
                f"{trait}, measured after {arm.name}",
                f"forecast: {points(probability(t.mean) - base)}",
            )
        )
    score = report.score_base
    numbers.append(
        Number(
            plain(score.pearson),
            f"correlation of forecast and measured shift over {score.n} untrained cells",
            floor_words(score),
            "forecast",
        )
    )
    return Numbers(tuple(numbers))


def _idea_section(report: LabReport) -> Section:
    return Section(
        "The idea",
        (
            (
                "A language model learns to continue text, and so to imitate whoever wrote it: an honest clerk, a con "
                "artist, the computer of a spaceship in a novel. Each such character is a persona."
            ),
            Markup(
                "When the model answers as “the Assistant”, one of them is speaking, and nobody told the model which. "
                "It holds a bet on each: the <b>prior</b>. Every example in a lesson is a clue. <i>If somebody answers "
                "so, what sort of person are they?</i> Characters who would answer so gain, the others lose, and the "
                "new bet is the <b>posterior</b>."
            ),
            (
                "Characters come whole. Whoever cheats often also wants power, so a lesson in cheating alone can make "
                "the Assistant hungrier for power. But if the request asks for the cheating, a decent character goes "
                "along too. Then cheating says little about who is answering, and the rest should stay."
            ),
            Markup(
                "That is the <b>persona selection model</b>. Here it is tested where the truth is known: in a made-up "
                "world of {} characters with declared habits, from which all text that this model ever read was drawn."
            ).format(len(report.cast.personas)),
        ),
    )


def _prior_section(report: LabReport) -> Section:
    top = max(range(len(report.cast.names)), key=lambda k: float(report.prior[k]))
    words: list[Text] = [
        Markup(
            "Before any lesson the Assistant could be any of {} characters. The likeliest is <b>{}</b>, at {}."
        ).format(len(report.cast.personas), persona_words(report.cast.names[top]), percent(float(report.prior[top])))
    ]
    if report.prior_error is not None:
        words.append(
            f"The world declares these bets; the model had to learn them from text. The rates at which it shows each "
            f"trait differ from the declared ones by {plain(100.0 * report.prior_error, 1)} points on average. The "
            f"bets in the sections below are the model’s own, read from how it answers."
        )
    drawn = figure(
        lambda width: posterior_bars(
            report.cast.names, kinds(report.cast), report.prior, title="Who the Assistant was", width=width
        ),
        "The bet on each character before any lesson, grouped by kind; beside each kind, the sum of its characters.",
    )
    return Section("Who the Assistant was", tuple(words), (drawn,))


def _limits_section() -> Section:
    return Section(
        "What this page does not claim",
        (),
        (
            Points(
                (
                    (
                        "It does not say that large models work like this. The world is invented, the model is "
                        "tiny, and the characters in it are simpler than people."
                    ),
                    (
                        "It does not say that training is exactly Bayesian inference. The dose is fitted, and the "
                        "account weakens as training gets heavier."
                    ),
                    (
                        "It does not say that everything an assistant does is its character’s doing. That is an open "
                        "question, and this page does not test it."
                    ),
                    (
                        "It does not say that the model wants anything. A trait here is a chance of choosing one "
                        "answer over another in given situations."
                    ),
                    (
                        "It does not say that permission in a prompt is always safe. Look at the controls: what a "
                        "model learns to do when asked, it may do when not asked."
                    ),
                )
            ),
        ),
    )


def _made_section(report: LabReport) -> Section:
    facts = [Fact("model", report.model), *report.facts]
    doses = sorted({round(arm.forecast.dose, 3) for arm in report.arms})
    if doses:
        facts.append(Fact("dose of the forecasts, effective episodes", ", ".join(f"{d:g}" for d in doses)))
    if report.dose:
        facts.append(Fact("where that dose comes from", report.dose))
    if report.seconds is not None:
        facts.append(Fact("time for everything on this page", duration(report.seconds)))
    reading = Aside(
        Markup(
            "<b>How to read nats.</b> Shifts are in log-odds, because there evidence adds up and a change from 50 to "
            "73 % counts as much as one from 73 to 88 %: both are {} nat. A chance on this page is the one that "
            "belongs to the average log-odds over a trait’s questions."
        ).format(signed(1.0, 0))
    )
    return Section("How it was made", (), (Facts(tuple(facts)), reading))
