"""The blocks that both pages share: from records to rows, cards and sentences. Units change here; nothing is computed.

Sentences follow the numbers, whichever way those came out: what did not move is said not to have moved.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from personae.records import NEUTRAL, Cast, Estimate, Forecast, Posterior, Profile, Score, Trait
from personae.report.blocks import Card, Cards
from personae.report.content import Telling, TraitRow
from personae.report.numbers import percent, plain, probability

NEUTRAL_WORDS = "no character in particular"
_STILL = 0.03  # a probability that moved by less than this is said to have stayed


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
    traits: Sequence[Trait], forecast: Forecast, shifts: Mapping[str, Estimate] | None = None
) -> list[TraitRow]:
    """A row for each forecast trait, as shifts from no change, the largest forecast first."""
    rows = []
    for trait in ordered(traits, forecast):
        t = forecast.traits[trait]
        expected = Estimate(t.shift, t.low - t.base, t.high - t.base)
        found = None if shifts is None else shifts.get(trait)
        rows.append(TraitRow(trait, 0.0, expected, None, found, False, high_pole(traits, trait)))
    return sorted(rows, key=lambda row: -(row.forecast.mean if row.forecast else 0.0))


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
    """
    p, q = probability(before), probability(after)
    if abs(q - p) < _STILL:
        return Markup("stayed where it was (from {} to <b>{}</b>)").format(percent(p), percent(q))
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


def change_words(change: tuple[str, float, float]) -> str:
    """One persona's change in words."""
    name, before, after = change
    return f"{persona_words(name)}, {percent(before)}\u00a0→\u00a0{percent(after)}"


def telling_cards(telling: Sequence[Telling], most: int = 4, *, of: str = "") -> Cards:
    """The most telling episodes as cards, in the order given."""
    return Cards(tuple(_card(episode, of) for episode in telling[:most]))


def _card(episode: Telling, of: str) -> Card:
    towards = " and ".join(persona_words(name) for name in episode.personas[:3])
    bits = f"{plain(episode.bits, 1)} bits of evidence" + (f" towards {towards}" if towards else "")
    line = "" if episode.index is None else f", line {episode.index + 1}"
    heading = f"{of}{line}".strip(", ") or "Episode"
    return Card(heading, (("Asked", episode.prompt), ("Answered", episode.response)), episode.reveals, bits)


def floor_words(score: Score) -> Markup:
    """The best of the floors and its correlation, in words; empty where there is none."""
    known = {name: value for name, value in score.floors.items() if math.isfinite(value)}
    if not known:
        return Markup("")
    name = max(known, key=lambda key: known[key])
    return Markup("the best floor, “{}”, reaches {}").format(name, plain(known[name]))


def at_least(score: Score, bound: float) -> bool:
    """Whether the score is known, reaches `bound`, and beats each of its floors."""
    return score.pearson >= bound and all(not value >= score.pearson for value in score.floors.values())
