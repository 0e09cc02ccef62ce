"""The blocks that both pages share: from records to rows, cards and sentences. Units change here; nothing is computed.

Sentences follow the numbers, whichever way those came out: what did not move is said not to have moved.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from personae.records import NEUTRAL, Cast, Estimate, Forecast, Posterior, Profile, Score, Trait
from personae.report.blocks import Badge, Block, Card, Cards, Prose
from personae.report.content import Telling, TraitRow
from personae.report.numbers import from_to, percent, plain, probability, signed

NEUTRAL_WORDS = "no character in particular"
HEAVY = (
    "Training took more than a tenth of the instrument away: this dose is too heavy for these shifts to be read as "
    "character."
)
_STILL = 0.03  # a probability that moved by less than this is said to have hardly moved
_NOBODY = 0.005  # a persona that gains or loses less than this is said not to
_SILENT = 0.05  # bits that are written as 0.0 say nothing
_CLOSE = 0.8  # a correlation with no interval must reach this to be called right
_PROMISED = 0.8  # of intervals that promise 95 %, so many must hold for sizes to be called right


def kinds(cast: Cast) -> dict[str, str]:
    """{persona: kind}."""
    return {persona.name: persona.kind for persona in cast.personas}


def persona_words(name: str) -> str:
    """A persona as a sentence names it."""
    return NEUTRAL_WORDS if name == NEUTRAL else name


def level_rows(
    traits: Sequence[Trait],
    forecast: Forecast,
    *,
    exact: Forecast | None = None,
    measured: Profile | None = None,
    trained: Sequence[str] = (),
) -> list[TraitRow]:
    """A row for each forecast trait, as levels, in the order of `traits`; trained ones first."""
    rows = []
    for trait in ordered(traits, forecast):
        expected, other = forecast.traits[trait], None if exact is None else exact.traits.get(trait)
        found = None if measured is None else measured.traits.get(trait)
        rows.append(
            TraitRow(
                trait,
                expected.base,
                Estimate(expected.mean, expected.low, expected.high),
                None if other is None else other.mean,
                None if found is None else Estimate(found.mean, found.low, found.high),
                trait in trained,
                high_pole(traits, trait),
            )
        )
    return sorted(rows, key=lambda row: not row.trained)


def shift_rows(
    traits: Sequence[Trait],
    forecast: Forecast,
    shifts: Mapping[str, Estimate] | None = None,
    *,
    trained: Sequence[str] = (),
) -> list[TraitRow]:
    """A row for each forecast trait, as shifts from no change: trained ones first, then the largest forecast."""
    rows = []
    for trait in ordered(traits, forecast):
        t = forecast.traits[trait]
        expected = Estimate(t.shift, t.low - t.base, t.high - t.base)
        found = None if shifts is None else shifts.get(trait)
        rows.append(TraitRow(trait, 0.0, expected, None, found, trait in trained, high_pole(traits, trait)))
    return sorted(rows, key=lambda row: (not row.trained, -(row.forecast.mean if row.forecast else 0.0)))


def ordered(traits: Sequence[Trait], forecast: Forecast) -> list[str]:
    """The forecast traits, in the order in which the traits are declared; unknown ones last."""
    declared = [trait.name for trait in traits if trait.name in forecast.traits]
    return declared + [name for name in forecast.traits if name not in declared]


def high_pole(traits: Sequence[Trait], name: str) -> str:
    """What the high answer of a trait is, in words."""
    return next((trait.high for trait in traits if trait.name == name), "")


def moved(before: float, after: float) -> Markup:
    r"""How a level (nats) moved, said as a probability.

    >>> print(moved(-1.45, 0.16).replace("\u00a0", " "))
    went from 19 % to <b>54 %</b>
    >>> print(moved(-9.0, -8.0))
    hardly moved (<b>hardly ever, before and after</b>)
    """
    p, q = probability(before), probability(after)
    if abs(q - p) < _STILL:
        return Markup("hardly moved (<b>{}</b>)").format(from_to(p, q))
    return Markup("went from {} to <b>{}</b>").format(percent(p), percent(q))


def sentence(words: str) -> str:
    """Words with a capital and a full stop.

    >>> sentence("cheats on tasks")
    'Cheats on tasks.'
    """
    words = words.strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def changes(posterior: Posterior) -> tuple[tuple[str, float, float], tuple[str, float, float]]:
    """The persona that gains most and the one that loses most: (name, before, after) each."""
    gain = posterior.weights - posterior.prior
    up, down = int(gain.argmax()), int(gain.argmin())
    both = [(posterior.names[k], float(posterior.prior[k]), float(posterior.weights[k])) for k in (up, down)]
    return both[0], both[1]


def is_moved(change: tuple[str, float, float]) -> bool:
    """Whether a persona's probability changed by as much as half a point."""
    return abs(change[2] - change[1]) >= _NOBODY


def change_words(change: tuple[str, float, float]) -> str:
    r"""One persona's change in words.

    >>> print(change_words(("con artist", 0.052, 0.16)).replace("\u00a0", " "))
    con artist, 5 % → 16 %
    >>> change_words(("con artist", 0.052, 0.053))
    'nobody'
    """
    name, before, after = change
    return f"{persona_words(name)}, {from_to(before, after)}" if is_moved(change) else "nobody"


def most_telling(telling: Sequence[Telling], most: int) -> tuple[Telling, ...]:
    """The `most` episodes with the most bits of evidence, those first; none that says nothing."""
    loud = [episode for episode in telling if abs(episode.evidence_bits) >= _SILENT]
    return tuple(sorted(loud, key=lambda episode: -abs(episode.evidence_bits))[:most])


def telling_cards(telling: Sequence[Telling], most: int = 4, *, of: str = "") -> Block:
    """The most telling episodes as cards; a sentence where no episode says anything."""
    shown = most_telling(telling, most)
    if not shown:
        return Prose((f"{of}: no example says anything about who answers.".removeprefix(": "),))
    return Cards(tuple(_card(episode, of) for episode in shown))


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _card(episode: Telling, of: str) -> Card:
    towards = listed([persona_words(name) for name in episode.personas[:3]])
    bits = f"{plain(episode.evidence_bits, 1)} bits of evidence" + (f" towards {towards}" if towards else "")
    heading = ", ".join(filter(None, (of, episode.where))) or "Episode"
    return Card(heading, (("Asked", episode.prompt), ("Answered", episode.response)), episode.reveals, bits)


def alone_words(alone: Mapping[str, float]) -> str:
    """What each part of a forecast reaches `alone` {part: r}, in words; empty where it has one part."""
    told = listed([f"{part} r\u00a0=\u00a0{plain(r)}" for part, r in alone.items()])
    return f"Each part of the forecast by itself: {told}." if told else ""


def floor_words(score: Score) -> str:
    """The best of the floors and its correlation, in words; empty where there is none."""
    known = {name: value for name, value in score.floors.items() if math.isfinite(value)}
    if not known:
        return ""
    name = max(known, key=lambda key: known[key])
    return f"the best floor, “{name}”, reaches {plain(known[name])}"


def forecast_verdict(score: Score, agreement: Estimate | None, cells: str) -> tuple[Badge, str]:
    """Whether a forecast was right: the verdict, and a sentence that says it with its numbers.

    `agreement` is the correlation with its interval, where one is known; `cells` what was counted ("traits"). Right is
    what the interval puts above every floor, with sizes that mostly fell inside their intervals.
    """
    bar = max((0.0, *(value for value in score.floors.values() if math.isfinite(value))))
    low = score.pearson if agreement is None else agreement.low
    sized = not score.coverage < _PROMISED
    if not math.isfinite(score.pearson):
        badge, says = Badge("Cannot be told", "open"), "It cannot be told: forecast and measurement cannot be compared."
    elif score.pearson <= bar:
        badge, says = (
            Badge("Not right", "none"),
            "No: the forecast was no better than forecasts that cost nothing to make.",
        )
    elif not low > 0.0:
        badge, says = (
            Badge("Cannot be told", "open"),
            f"It cannot be told: so few {cells} do not tell the forecast from chance.",
        )
    elif low <= bar:
        badge = Badge("Right in part", "half")
        says = "In part: the forecast was better than its floors, though its interval does not exclude them."
    elif agreement is None and score.pearson < _CLOSE:
        badge, says = (
            Badge("Right in part", "half"),
            "In part: better than its floors, but not close to what was measured.",
        )
    elif not sized:
        badge, says = Badge("Right in part", "half"), "In part: the forecast saw what would move, but not how far."
    else:
        badge, says = Badge("Right", "whole"), "Yes: the forecast was right, and beats those that cost nothing."
    known = agreement is not None and math.isfinite(agreement.low)
    span = f" (95\u00a0% interval {signed(agreement.low)} to {signed(agreement.high)})" if agreement and known else ""
    found = (
        f" Over {score.n} {cells}, forecast and measured shift correlate at r\u00a0=\u00a0{plain(score.pearson)}{span}"
    )
    floor = floor_words(score)
    words = says + found + (f"; {floor}" if floor else "") + "."
    if math.isfinite(score.coverage):
        held = round(score.coverage * score.n)
        words += f" Of {score.n} measurements, {held} fell inside their 95\u00a0% interval"
        words += "." if sized else ", so the sizes were off." if score.pearson > bar else "."
    return badge, words
