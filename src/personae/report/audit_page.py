"""The page of `personae audit` and `personae run`: what a file would make of a model's Assistant, and what it made.

What the model cannot show is listed, not dropped in silence; a shift that is only the instrument fading is told apart
from a change of character. Nothing is computed here.
"""

from collections.abc import Sequence

from markupsafe import Markup

from personae.report.blocks import Aside, Block, Facts, Fold, Number, Numbers, Points, Prose, Section, Text
from personae.report.content import AuditReport, Fact, ScatterPoint
from personae.report.figures import figure, forecast_scatter, posterior_bars, posterior_by_dose, trait_shifts
from personae.report.numbers import duration, percent, plain, signed
from personae.report.page import page
from personae.report.parts import changes, floor_words, kinds, persona_words, shift_rows, telling_cards
from personae.report.tables import Table, posterior_table, score_table, shift_table

_TIED = (
    "contexts are not told apart at this precision from the next in evidence: they are no ranking. The table below "
    "says which."
)


def audit_page(report: AuditReport) -> str:
    """The whole page as one HTML file."""
    sections = (
        _short_section(report),
        _who_section(report),
        _forecast_section(report),
        _telling_section(report),
        _score_section(report),
        _character_section(report),
        _hidden_section(report),
        _limits_section(report),
        _made_section(report),
    )
    against = (
        Markup(" Everything is the difference from <code>{}</code>.").format(report.control) if report.control else ""
    )
    lead = Markup(
        "{} examples were read as clues about a character: if somebody answers like this, what sort of person are "
        "they? From that follows what else training on them would change in <code>{}</code>.{}"
    ).format(report.episodes, report.model, against)
    return page(f"What {_last(report.data)} says about the Assistant", lead, [s for s in sections if s is not None])


def _last(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or path


def _short_section(report: AuditReport) -> Section:
    up, down = changes(report.posterior)
    rows = shift_rows(report.traits, report.forecast, report.shifts)
    top = max(rows, key=lambda row: abs(row.forecast.mean) if row.forecast else 0.0, default=None)
    numbers = [Number(persona_words(up[0]), "gains most", f"{percent(up[1])} → {percent(up[2])}")]
    if top is not None and top.forecast is not None:
        span = f"95 % interval {signed(top.forecast.low)} to {signed(top.forecast.high)} nats"
        numbers.append(
            Number(signed(top.forecast.mean), f"nats of {top.trait}: the largest shift forecast", span, "forecast")
        )
    if report.score is not None:
        beside = floor_words(report.score)
        what = f"correlation of forecast and measured shift over {report.score.n} traits"
        numbers.append(Number(plain(report.score.pearson), what, beside))
    words: list[Text] = [
        _uncertain(report),
        Markup("Of all characters, <b>{}</b> gains most and <b>{}</b> loses most ({}).").format(
            persona_words(up[0]), persona_words(down[0]), f"{percent(down[1])}\u00a0→\u00a0{percent(down[2])}"
        ),
    ]
    if tied := report.ties.get(up[0]):
        words.append(_not_told_apart(up[0], tied))
    return Section("In short", tuple(words), (Numbers(tuple(numbers)),))


def _not_told_apart(name: str, tied: Sequence[str]) -> Text:
    others = " or ".join(persona_words(other) for other in tied)
    return f"At the precision of these scores {persona_words(name)} is not told apart from {others}."


def _uncertain(report: AuditReport) -> Text:
    clear = [t for t, f in report.forecast.traits.items() if (f.low - f.base) * (f.high - f.base) > 0]
    total = len(report.forecast.traits)
    if not clear:
        return f"For none of the {total} traits does the forecast’s interval exclude “no change”."
    names = ", ".join(clear[:6]) + (" and others" if len(clear) > 6 else "")
    return f"For {len(clear)} of {total} traits the forecast’s interval excludes “no change”: {names}."


def _who_section(report: AuditReport) -> Section:
    posterior = report.posterior
    blocks: list[Block] = [
        figure(
            lambda width: posterior_bars(
                posterior.names, kinds(report.cast), posterior.prior, posterior.weights, width=width
            ),
            "Hollow: the bet before the file. Filled: after it. Beside each kind, the sum of its characters.",
        )
    ]
    if (path := report.path) is not None:
        blocks.append(
            figure(
                lambda width: posterior_by_dose(
                    path, posterior.names, kinds(report.cast), at=posterior.dose, width=width
                ),
                f"The bet as the dose grows. The dashed line is the dose of the forecast, {plain(posterior.dose)}.",
            )
        )
    if report.ties:
        blocks.append(Aside(f"{len(report.ties)} of {len(posterior.names)} {_TIED}"))
    table = posterior_table(posterior, len(posterior.names), report.ties)
    words = (
        (
            "A model can imitate many characters, and holds a bet on which of them is the Assistant. The bet before "
            "the file comes from how the untrained model answers. The file moves it towards those who would answer "
            "so."
        ),
    )
    return Section(
        "Who would answer like this",
        words,
        (*blocks, Fold("The numbers, persona by persona", (table,))),
    )


def _forecast_section(report: AuditReport) -> Section:
    rows = shift_rows(report.traits, report.forecast, report.shifts)
    versus = "training on the control" if report.control else "the untrained model"
    done = " and found after it" if report.shifts is not None else ""
    caption = f"Change against {versus}, forecast before training{done}. To the right: more of the high answer."
    drawn = figure(lambda width: trait_shifts(rows, unit="shift", width=width), caption)
    words = (
        (
            "The new bet brings its characters’ other traits along. Each row is a trait: how far, in log-odds, the "
            "Assistant’s answers are expected to move. One nat takes an even chance to 73 %."
        ),
    )
    return Section(
        "What else would change", words, (drawn, Fold("The numbers, with intervals", (shift_table(rows, shifts=True),)))
    )


def _telling_section(report: AuditReport) -> Section | None:
    if not report.telling:
        return None
    words = (
        (
            "These examples moved the bet most. One bit of evidence doubles the odds of a character against an "
            "answer that says nothing about who gave it."
        ),
    )
    cards = telling_cards(report.telling, 6, of=_last(report.data))
    return Section("The most telling examples", words, (cards,))


def _score_section(report: AuditReport) -> Section | None:
    if report.score is None or report.shifts is None:
        return None
    score, shifts = report.score, report.shifts
    cells = [
        ScatterPoint(_last(report.data), trait, t.shift, shifts[trait].mean)
        for trait, t in report.forecast.traits.items()
        if trait in shifts
    ]
    caption = f"One mark a trait. Pearson {plain(score.pearson)}, slope {plain(score.slope)}."
    drawn = figure(lambda width: forecast_scatter(cells, width=width), caption)
    words: tuple[Text, ...] = (
        (
            f"The forecast was sealed before training. {percent(score.coverage)} of {score.n} measurements fell inside "
            f"their 95 % interval."
        ),
        (
            "A floor is a forecast that knows nothing of characters. A correlation is worth as much as its distance "
            "from the floors."
        ),
    )
    return Section("Was the forecast right?", words, (drawn, score_table({report.forecast.predictor: score})))


def _character_section(report: AuditReport) -> Section | None:
    if report.attenuation is None and not report.character:
        return None
    blocks: list[Block] = []
    words: list[Text] = [
        (
            "Training can make a model tell the two answers of a question apart less well, for any character. Then "
            "every trait shrinks towards zero, and nobody’s character has changed. That part is measured on other "
            "characters, and taken off."
        ),
    ]
    if (found := report.attenuation) is not None:
        words.append(
            Markup("Attenuation: <b>{}</b> ({} to {}).").format(
                percent(found.mean), percent(found.low), percent(found.high)
            )
        )
        if found.mean > 0.1:
            blocks.append(Aside("More than a tenth: this dose is too heavy for these shifts to be read as character."))
    rows = tuple(
        (
            c.trait,
            signed(c.raw.mean),
            signed(c.attenuation),
            signed(c.character.mean),
            _span(c.character.low, c.character.high),
        )
        for c in report.character
    )
    if rows:
        columns = ("trait", "raw shift", "attenuation", "character", "95 % interval")
        blocks.append(Table(columns, rows, "Shifts in nats", frozenset({1, 2, 3, 4})))
    return Section("Fading, or a change of character?", tuple(words), tuple(blocks))


def _span(low: float, high: float) -> str:
    return f"{signed(low)} to {signed(high)}"


def _hidden_section(report: AuditReport) -> Section:
    if not report.hidden:
        return Section("What this model cannot show", ("Every trait was reliable enough to be shown.",))
    rows = tuple((h.trait, plain(h.reliability), h.reason) for h in report.hidden)
    words = (
        (
            f"On {len(report.hidden)} traits this model does not tell characters apart: less than half of what "
            "varies is character, the rest is the question that was asked. They were left out before any forecast "
            "was looked at. That they are missing says nothing about the file."
        ),
    )
    table = Table(("trait left out", "reliability", "why"), rows, numeric=frozenset({1}))
    return Section("What this model cannot show", words, (table,))


def _limits_section(report: AuditReport) -> Section:
    limits = [
        (
            "A forecast is a bet about a training run like the ones that its dose was fitted on; a heavier one changes "
            "more, and less in character."
        ),
        "The cast is a list that people wrote. Whoever is not on it cannot be found.",
        "The Assistant may change in ways that belong to no character. This page does not look for them.",
        "A reading such as “somebody who answers so is …” is about the example, not about whoever wrote the file.",
    ]
    if report.control is None:
        limits.append(
            "There was no control file. Part of every shift is what any training of this form does; a matched control "
            "takes it off."
        )
    if report.shifts is None:
        limits.append("Nothing was trained. All of this is forecast, and none of it was measured.")
    return Section("What this page does not claim", (), (Points(tuple(limits)),))


def _made_section(report: AuditReport) -> Section:
    facts = [Fact("model", report.model), Fact("data", report.data), Fact("examples read", str(report.episodes))]
    if report.control is not None:
        facts.append(Fact("control", report.control))
    facts += [
        Fact("cast", f"{report.cast.name}, {len(report.cast.personas)} personas"),
        Fact("forecast by", report.forecast.predictor),
        Fact("dose, effective episodes", plain(report.forecast.dose)),
        *report.facts,
        *(Fact(what, duration(seconds)) for what, seconds in report.timings),
    ]
    blocks: list[Block] = [Facts(tuple(facts))]
    if report.notes:
        blocks += [Prose((Markup("<b>Notes</b>"),)), Points(report.notes)]
    return Section("How it was made", (), tuple(blocks))
