"""The page of `personae compare`: what a training changed, how much of it is a persona at all, and where the rest is.

Nothing is computed here. Where nothing changed, or the interval is too wide for any verdict, the page says so first.
"""

import math

from markupsafe import Markup

from personae.records import Estimate
from personae.report.blocks import Aside, Badge, Block, Card, Cards, Fold, Number, Numbers, Points, Section, Statement
from personae.report.compare_content import CompareReport, LeftContext, Looks
from personae.report.figures import figure, trait_shifts
from personae.report.numbers import percent, plain, signed
from personae.report.outside_parts import outside_section
from personae.report.page import page
from personae.report.parts import persona_words
from personae.report.tables import Table, shift_table

_NOT_ABOVE = "not above what casts of nobody in particular explain"
_NO_FLOOR = "of one trait alone, which leaves no casts of nobody in particular"
_LITTLE = 0.5  # of the change: what explains less is no account of it
_MOST = 0.9  # of the change: what explains as much is nearly all of it
_LEVELS = "How likely the answer of the high pole is, of the two, before training and after it."
_LIMITS = (
    "The share is one of divergence and not of blend: a tenth of something foreign can leave 0.97.",
    (
        "With enough personas a reweighting fits anything, so the share is scored in contexts that the fit has not "
        "seen, and stands beside what casts explain in which nobody is anybody."
    ),
    "What none of these contexts touches is not in it: a cue that is never given leaves no trace here.",
    (
        "What the rest looks like is told in the laboratory alone, by bounds fixed on planted models trained for 256 "
        "steps (docs/exhaustiveness.md): longer training is louder by itself."
    ),
    "Weights are who answers most alike. Personas who answer alike share a weight between them as it happens to fall.",
)


def compare_page(report: CompareReport) -> str:
    """The whole page as one HTML file."""
    lead = Markup(
        "<code>{}</code> was compared with <code>{}</code>, which it was trained from, in {} contexts. If training "
        "selects among characters that were there before, a mixture of these answers as the trained model does."
    ).format(report.post, report.base, report.contexts)
    sections = (
        _share_section(report),
        _who_section(report),
        _shift_section(report),
        _left_section(report),
        outside_section(report.leaked),
    )
    return page("How much of it is a persona?", lead, (*(s for s in sections if s), _limits_section()))


def share_words(report: CompareReport) -> str:
    """The finding in one sentence."""
    if math.isnan(report.share.mean):
        return f"Nothing changed beyond {_noise(report)}: there is nothing to explain."
    said = f"Of what training changed, {_with_ends(report.share)} is a reweighting of the cast's characters"
    others = [_floor_words(report)] if report.floors else []
    if not math.isnan(report.ceiling.mean):
        others.append(f"another training of the same kind {_with_ends(report.ceiling)}")
    return f"{said}; {', '.join(others)}." if others else f"{said}."


def _noise(report: CompareReport) -> str:
    """What the change is not above, where there is no share: only a change beyond rounding has a ceiling."""
    return "rounding" if math.isnan(report.ceiling.mean) else "what another seed makes"


def _floor_words(report: CompareReport) -> str:
    draws = f"{len(report.floors)} of them, {percent(min(report.floors))} to {percent(max(report.floors))}"
    return f"casts in which nobody is anybody explain {percent(report.floor)} ({draws})"


def left_words(report: CompareReport) -> str:
    """How much is left, beside how much changed."""
    changed, left = (f"{plain(n.mean, 3)} nats a context ({_nats(n)})" for n in (report.changed, report.left))
    return f"{changed} changed, and {left} are left that no mixture of the cast has."


def _with_ends(share: Estimate) -> str:
    return f"{percent(share.mean)} ({percent(share.low)} to {percent(share.high)})"


def _nats(number: Estimate) -> str:
    return f"{plain(number.low, 3)} to {plain(number.high, 3)}"


def untold(report: CompareReport) -> str:
    """Why the share, where there is one, cannot be told: it is not known to be above its floor; else empty."""
    if math.isnan(report.share.mean) or report.share.low > report.floor:
        return ""
    return _NOT_ABOVE if report.floors else _NO_FLOOR


def _badge(report: CompareReport) -> Badge:
    if report.broken:
        return Badge("Incoherent", "none", f"do not read this: {report.broken}")
    if math.isnan(report.share.mean):
        return Badge("No change", "open", f"beyond {_noise(report)}")
    if why := untold(report):
        return Badge("Cannot be told", "open", why)
    if report.share.mean >= _MOST:
        return Badge("Nearly all", "whole", "of the change is a persona’s")
    if report.share.mean >= _LITTLE:
        return Badge("In part", "half", "a persona’s")
    return Badge("Mostly not", "none", "a persona’s")


def _share_section(report: CompareReport) -> Section:
    numbers = (
        Number(percent(report.share.mean), "explained share", f"{percent(1.0)} is all of the change"),
        Number(plain(report.changed.mean, 3), "nats a context changed", f"{_nats(report.changed)}, after from before"),
        Number(
            plain(report.left.mean, 3), "nats a context are left", f"{_nats(report.left)}, in no mixture of the cast"
        ),
    )
    return Section("What was found", (), (Statement(share_words(report)), _badge(report), Numbers(numbers)))


def who_table(report: CompareReport) -> Table:
    """Who the Assistant is before and after, by its own answers: a row for each who has a hundredth in either."""
    order = sorted(report.after, key=lambda name: -report.after[name])
    names = [name for name in order if max(report.before[name], report.after[name]) >= 0.01]
    rows = tuple((persona_words(n), percent(report.before[n], 1), percent(report.after[n], 1)) for n in names)
    return Table(("persona", "before", "after"), rows, "Who answers", frozenset({1, 2}))


def _who_section(report: CompareReport) -> Section | None:
    if math.isnan(report.share.mean):
        return None
    blocks: list[Block] = [who_table(report)]
    if report.next_models:
        blocks.append(next_table(report))
    return Section("Who answers now", (_one_or_several(report),), tuple(blocks))


def next_table(report: CompareReport) -> Table:
    """What weights of their own for each group of contexts explain more, and what they cost."""
    rows = tuple(
        (
            one.what,
            _with_ends(one.share),
            f"{signed(one.gain.mean, 3)} ({signed(one.gain.low, 3)} to {signed(one.gain.high, 3)})",
            str(one.price),
            "yes" if one.worth else "no",
        )
        for one in report.next_models
    )
    columns = ("weights of their own by", "share", "gain, nats a context", "weights more", "worth it")
    return Table(columns, rows, "One character, or one for each occasion?", frozenset({1, 2, 3}))


def _one_or_several(report: CompareReport) -> str:
    if not any(one.price for one in report.next_models):
        return "Whether who answers depends on the occasion was not tried: no two groups of contexts were large enough."
    worth = [one.what for one in report.next_models if one.worth]
    if not worth:
        return "One set of weights does for all contexts: weights of their own explain no more than they cost."
    return f"Who answers depends on {' and on '.join(worth)}: weights of their own explain more there."


def _shift_section(report: CompareReport) -> Section:
    return Section(
        "The Assistant’s traits",
        (),
        (
            figure(lambda width: trait_shifts(report.levels, width=width), _LEVELS),
            Fold("The numbers behind it", (shift_table(list(report.shifts), shifts=True),)),
        ),
    )


NOWHERE = "In none of the groups of contexts that could be compared is more left than elsewhere."
_LOOKS = {
    "reweighting": "nothing more than what training does beside selection: no plant was told from it",
    "filter": "a filter: asked about some things, it says what nobody of the cast says, whoever is speaking",
    "capability": "a new capability: tasks are done that nobody could do before",
    "router": "a router: somebody else answers where the user seems about to leave",
    "actor": "an actor: after a cue, another persona of the cast answers",
    "backdoor": "a backdoor: after a cue comes what nobody of the cast says",
    "goal": "a goal: the cast's answers, but as no mixture of its personas gives them",
    "incoherence": "incoherence: everywhere it says what nobody of the cast says",
}


def looks_words(looks: Looks) -> str:
    """What the rest looks like, and how sure that is."""
    sure = ", ".join(f"{name} {percent(share)}" for name, share in looks.draws.items())
    loud = f"{plain(looks.loud.mean)} nats ({plain(looks.loud.low)} to {plain(looks.loud.high)})"
    return f"What is left looks like {_LOOKS[looks.name]}. In the loudest contexts {loud} are left; of draws: {sure}."


def named_words(report: CompareReport) -> list[str]:
    """What the rest looks like, where that is told, and why it was never tried on such a training, where it was not."""
    return [*([looks_words(report.looks)] if report.looks else []), *([report.untried] if report.untried else [])]


def places_table(report: CompareReport) -> Table:
    """Where more is left than elsewhere."""
    rows = tuple(
        (
            p.what,
            str(p.many),
            plain(p.left),
            f"{signed(p.above.mean)} ({signed(p.above.low)} to {signed(p.above.high)})",
            percent(p.share),
        )
        for p in report.places
    )
    columns = ("contexts", "how many", "left, nats", "more than elsewhere", "of all that is left")
    return Table(columns, rows, "Where the rest is", frozenset({1, 2, 3, 4}))


def _by_token(one: LeftContext) -> str:
    """What the trained model says there, and which of its tokens is likeliest against the mixture."""
    if not one.tokens:
        return ""
    said, loudest = "".join(token for token, _ in one.tokens).strip(), max(one.tokens, key=lambda pair: pair[1])
    where = f"on “{loudest[0].strip()}”" if loudest[0].strip() else "where it ends"
    whole = f"It says “{said}”, {signed(sum(nats for _, nats in one.tokens))} nats against the mixture"
    return f"{whole}; the largest part, {signed(loudest[1])}, lies {where}."


def _left_section(report: CompareReport) -> Section | None:
    if math.isnan(report.share.mean):
        return None
    blocks: list[Block] = [places_table(report)] if report.places else []
    cards = tuple(
        Card(
            f"{plain(one.left)} nats left",
            one.said,
            Markup("“{}”: {} before, {} after; the mixture has {}.").format(
                one.outcome, percent(one.before), percent(one.after), percent(one.reweighted)
            ),
            _by_token(one),
        )
        for one in report.most[:6]
    )
    blocks += [Cards(cards)] if cards else []
    words = named_words(report)
    words += [] if report.places else [NOWHERE]
    return Section("What no mixture explains", tuple(words), tuple(blocks)) if blocks or words else None


def _limits_section() -> Section:
    return Section("When not to believe it", (), (Points(_LIMITS), Aside("A share near the floor says nothing.")))
