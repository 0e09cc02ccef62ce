"""The page of `personae audit` and `personae run`: what a file would make of a model's Assistant, and what it made.

What the model cannot show is listed, not dropped in silence; a shift that is only the instrument fading is told apart
from a change of character. Nothing is computed here.
"""

from collections.abc import Sequence

from markupsafe import Markup

from personae.records import Score
from personae.report.blocks import Aside, Block, Facts, Fold, Number, Numbers, Points, Prose, Section, Statement, Text
from personae.report.content import AuditReport, Fact, ScatterPoint
from personae.report.figures import figure, forecast_scatter, posterior_bars, posterior_by_dose, trait_shifts
from personae.report.left_out import left_out_section
from personae.report.numbers import duration, from_to, percent, plain, signed
from personae.report.page import page
from personae.report.parts import (
    HEAVY,
    alone_words,
    changes,
    forecast_verdict,
    is_moved,
    kinds,
    persona_words,
    shift_rows,
    telling_cards,
)
from personae.report.tables import Table, dose_table, posterior_table, score_table, shift_table
from personae.report.tokens_section import SHOWN, tokens_section

_TIED = (
    "contexts are not told apart at this precision from others: their order is no ranking. The table below says which."
)


def audit_page(report: AuditReport, unread: str = "") -> str:
    """The whole page as one HTML file; `unread` says why what was measured is not to be read, where it is not."""
    first = (_right_section(report, unread), _forecast_section(report)) if report.shifts is not None else ()
    sections = (
        *first,
        left_out_section(report.forecast, report.left_out) if report.left_out is not None else None,
        _short_section(report),
        _who_section(report),
        *(() if first else (_forecast_section(report),)),
        _telling_section(report),
        tokens_section(report.placement, _last(report.data), report.control),
        _character_section(report, unread),
        _hidden_section(report),
        _limits_section(report),
        _made_section(report),
    )
    against = (
        Markup(" Everything is the difference from <code>{}</code>.").format(report.control) if report.control else ""
    )
    follows = (
        "What training on them would change in <code>{}</code> was forecast from that, and sealed; then it was "
        "trained, and measured.{}"
        if first
        else "From that follows what else training on them would change in <code>{}</code>.{}"
        if report.forecast.traits
        else "They were read by <code>{}</code>.{}"
    )
    lead = Markup(
        "{} examples were read as clues about a character: if somebody answers like this, what sort of person are "
        f"they? {follows}"
    ).format(report.episodes, report.model, against)
    title = f"What {_last(report.data)} {'made of' if first else 'says about'} the Assistant"
    return page(title, lead, [s for s in sections if s is not None])


def _last(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or path


def _short_section(report: AuditReport) -> Section:
    up, down = changes(report.posterior)
    rows = shift_rows(report.traits, report.forecast, report.shifts)
    top = max(rows, key=lambda row: abs(row.forecast.mean) if row.forecast else 0.0, default=None)
    numbers = [_gains(up)]
    if top is not None and top.forecast is not None:
        span = f"95 % interval {signed(top.forecast.low)} to {signed(top.forecast.high)} nats"
        span += ", which includes no change" if top.forecast.low <= 0.0 <= top.forecast.high else ""
        numbers.append(
            Number(signed(top.forecast.mean), f"nats of {top.trait}: the largest shift forecast", span, "forecast")
        )
    words: list[Text] = [_uncertain(report), _moves(up, down)]
    if (tied := report.ties.get(up[0])) and is_moved(up):
        words.append(_not_told_apart(up[0], tied))
    heading = "In short" if report.shifts is None else "What the file says"
    return Section(heading, tuple(words), (Numbers(tuple(numbers)),))


def _gains(up: tuple[str, float, float]) -> Number:
    name, before, after = up
    if is_moved(up):
        return Number(persona_words(name), "gains most", from_to(before, after))
    return Number("nobody", "gains as much as half a point", f"nearest to it: {persona_words(name)}")


def _moves(up: tuple[str, float, float], down: tuple[str, float, float]) -> Text:
    """Who gains most and who loses most, of those that do."""
    if not (is_moved(up) or is_moved(down)):
        return "The file hardly moves the bet: no character gains or loses as much as half a point."
    said = [
        Markup("<b>{}</b> {} most ({})").format(persona_words(change[0]), verb, from_to(change[1], change[2]))
        for verb, change in (("gains", up), ("loses", down))
        if is_moved(change)
    ]
    return Markup("Of all characters, {}.").format(Markup(" and ").join(said))


def _not_told_apart(name: str, tied: Sequence[str]) -> Text:
    others = " or ".join(persona_words(other) for other in tied)
    return f"At the precision of these scores {persona_words(name)} is not told apart from {others}."


def _uncertain(report: AuditReport) -> Text:
    clear = [t for t, f in report.forecast.traits.items() if (f.low - f.base) * (f.high - f.base) > 0]
    total = len(report.forecast.traits)
    if not total:
        return "This model can show none of the traits, so nothing else is forecast."
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
        blocks.append(Fold("The numbers, dose by dose", (dose_table(path, posterior.names),)))
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


_IN_CONTEXT = (
    "Part of each shift is what rows of the file, less those of the control if there is one, already do to this model, "
    "untrained, where they stand before the question as earlier turns of the chat. They show how somebody answers; the "
    "bet says who it is."
)


def _forecast_section(report: AuditReport) -> Section | None:
    if not report.forecast.traits:
        return None
    rows = shift_rows(report.traits, report.forecast, report.shifts, trained=report.trained)
    versus = "training on the control" if report.control else "the untrained model"
    done = " and found after it" if report.shifts is not None else ""
    caption = f"Change against {versus}, forecast before training{done}. To the right: more of the high answer."
    drawn = figure(lambda width: trait_shifts(rows, unit="shift", width=width), caption)
    words = (
        (
            "The new bet brings its characters’ other traits along. Each row is a trait: how far, in log-odds, the "
            "Assistant’s answers are expected to move. One nat takes an even chance to 73 %."
        ),
        *((_IN_CONTEXT,) if report.parts else ()),
    )
    table = shift_table(rows, shifts=True, parts=report.parts)
    heading = "What else would change" if report.shifts is None else "What was forecast, and what came"
    return Section(heading, words, (drawn, Fold("The numbers, with intervals", (table,))))


def _telling_section(report: AuditReport) -> Section | None:
    if not report.telling:
        return None
    words = (
        (
            "Of the examples that moved the bet most, these carry most evidence. One bit doubles the odds of a "
            "character against an answer that says nothing about who gave it."
        ),
    )
    cards = telling_cards(report.telling, SHOWN, of=_last(report.data))
    return Section("The most telling examples", words, (cards,))


def _right_section(report: AuditReport, unread: str) -> Section | None:
    if report.score is None or report.shifts is None:
        return None
    score, shifts = report.score, report.shifts
    cells = [
        ScatterPoint(_last(report.data), trait, t.shift, shifts[trait].mean)
        for trait, t in report.forecast.traits.items()
        if trait in shifts and trait not in report.trained and trait not in _set_aside(report)
    ]
    badge, verdict = forecast_verdict(score, report.agreement, "traits")
    floors = (
        "A floor is a forecast that knows nothing of characters. A correlation is worth as much as its distance from "
        "the floors. The interval of the correlation takes traits to be independent, which flatters it."
    )
    blocks: list[Block] = [Statement(verdict), badge, *_warnings(report, unread)]
    table = score_table({report.forecast.predictor: score})
    blocks += [table, Prose(tuple(filter(None, (floors, alone_words(report.alone)))))]
    if cells:
        blocks.append(Fold("Forecast against measured, trait by trait", (_scatter(score, cells),)))
    return Section("Was the forecast right?", (), tuple(blocks))


def _warnings(report: AuditReport, unread: str) -> list[Block]:
    """Why what was measured is not to be read as character."""
    return [Aside(why) for why in (unread, HEAVY if report.too_heavy else "") if why]


def _scatter(score: Score, cells: Sequence[ScatterPoint]) -> Block:
    caption = f"One mark a trait. Pearson {plain(score.pearson)}, slope {plain(score.slope)}."
    return figure(lambda width: forecast_scatter(cells, width=width), caption)


def _character_section(report: AuditReport, unread: str) -> Section | None:
    if report.attenuation is None and not report.character:
        return None
    blocks = _warnings(report, unread)
    words: list[Text] = [
        (
            "Training can make a model tell the two answers of a question apart less well, for any character. Then all "
            "characters draw in towards their common middle, and nobody’s character has changed. That part is measured "
            "on other characters, and taken off."
        ),
    ]
    if (found := report.attenuation) is not None:
        words.append(
            Markup("Attenuation: <b>{}</b> ({} to {}).").format(
                percent(found.mean), percent(found.low), percent(found.high)
            )
        )
    rows = tuple(
        (
            c.trait,
            signed(c.raw.mean),
            signed(c.attenuation),
            f"{signed(c.character.mean)} [{signed(c.character.low)}, {signed(c.character.high)}]",
        )
        for c in report.character
    )
    if rows:
        columns = ("trait", "raw shift", "attenuation", "character")
        blocks.append(Table(columns, rows, "Shifts in nats, with 95 % intervals", frozenset({1, 2, 3}), stacks=True))
    return Section("Fading, or a change of character?", tuple(words), tuple(blocks))


def _hidden_section(report: AuditReport) -> Section:
    if not report.hidden:
        return Section("What this model cannot show", ("Every trait was reliable enough to be shown.",))
    reasons = {h.reason for h in report.hidden}
    rows = tuple((h.trait, plain(h.reliability), *((h.reason,) if len(reasons) > 1 else ())) for h in report.hidden)
    aside = _set_aside(report)
    words: list[Text] = []
    if never := len(report.hidden) - len(aside):
        words.append(
            f"On {never} traits this model does not tell characters apart: less than half of what "
            "varies is character, the rest is the question that was asked. They were left out before any forecast "
            "was looked at. That they are missing says nothing about the file."
        )
    if aside:
        words.append(
            f"What was measured of {', '.join(aside)} after training is too unreliable to be scored: what another "
            "question or another seed would have made is more than what tells characters apart."
        )
    columns = ("trait left out", "reliability", "why")
    table = Table(columns[: len(rows[0])], rows, numeric=frozenset({1}))
    return Section("What this model cannot show", tuple(words), (table,))


def _set_aside(report: AuditReport) -> list[str]:
    """The traits that could be shown before training, and were forecast, and after it could not."""
    return [h.trait for h in report.hidden if h.trait in report.forecast.traits]


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
