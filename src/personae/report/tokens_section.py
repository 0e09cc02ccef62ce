"""Where in an answer evidence sits, drawn: its words tinted by the nats of each token, a matched answer below it.

What the tint says is said without colour too: each token has its nats as a tooltip, and the three largest of an answer
stand beside the text as small numbers and below it in words.
"""

from collections.abc import Sequence

from markupsafe import Markup

from personae.report.blocks import Block, Piece, Prose, Section, Statement, Text, Tinted
from personae.report.content import Placement, TokenAnswer, TokenRow
from personae.report.numbers import percent, plain, signed
from personae.report.parts import persona_words
from personae.report.untrusted import shorten

SHOWN = 6  # examples
LOUDEST = 3  # tokens of an answer that are said in words
STEPS = (0.1, 0.3, 1.0, 3.0)  # nats from which a tint is one darker
_ASKED = 240  # characters of a question
_TITLE = "Where in an answer it stands"
_WORDS = (
    "The same answers by token: how much likelier each makes the character that the answer raises most than no "
    "character in particular, given all that stands before it. The tokens of an answer add up to its evidence."
)


def tokens_section(placement: Placement | None, data: str, control: str | None) -> Section | None:
    """The answers by token and, beside a matched control, on how much of them the difference lies."""
    if placement is None or not (placement.rows or placement.left_out):
        return None
    if not placement.rows:
        return Section(_TITLE, (_left_out(placement.left_out),), ())
    words: list[Text] = [_WORDS]
    if placement.apart is not None:
        words.append(
            "Below each stands the control’s answer to the same question, for the same character; what is left of the "
            "evidence is the difference. Underlined is what the two do not share between the words that both begin "
            "with and those that both end with."
        )
    elif control is not None:
        words.append("The control’s mean, which is taken off the evidence, lies on no token and is not in these.")
    blocks: list[Block] = [Statement(said)] if (said := placement_words(placement)) else []
    blocks.append(Prose((_legend(),)))
    blocks += [_row(row, data, control or "") for row in placement.rows[:SHOWN]]
    if (more := len(placement.rows) - SHOWN) > 0:
        blocks.append(Prose((Markup("Those of {} more stand in <code>tokens.json</code>.").format(more),)))
    if placement.left_out:
        blocks.append(Prose((_left_out(placement.left_out),)))
    return Section(_TITLE, tuple(words), tuple(blocks))


def _left_out(rows: int) -> str:
    which = "1 answer is" if rows == 1 else f"{rows} answers are"
    return f"{which} not told by token, since the context before an answer changes what its tokens are."


def placement_words(placement: Placement | None) -> str:
    r"""On how much of the answers the difference from a matched control lies; nothing where there is none.

    >>> from personae.report.content import Apart
    >>> rows = (TokenRow("line 1", "", "poet", TokenAnswer((), ())),)
    >>> said = placement_words(Placement(rows, Apart(123.0, 2.0, 0.9, 0.1))).replace("\u00a0", " ").split("; ")
    >>> print("\n".join(said))
    In the most telling answer, 2 of 123 tokens (median) are unlike the control’s
    90 % of the size of the difference lies on them and 10 % after them.
    """
    if placement is None or (apart := placement.apart) is None:
        return ""
    many = len(placement.rows)
    which = "most telling answer" if many == 1 else f"{many} most telling answers"
    said = (
        f"In the {which}, {_count(apart.unlike)} of {_count(apart.tokens)} tokens (median) are unlike the control’s; "
    )
    if not apart.on + apart.after > 0.0:
        return f"{said}the two sides do not differ."
    return (
        f"{said}{percent(apart.on)} of the size of the difference lies on them and {percent(apart.after)} after them."
    )


def _count(median: float) -> str:
    return plain(median, 0 if median == int(median) else 1)


def _row(row: TokenRow, data: str, control: str) -> Tinted:
    answers = [_answer("Answered", row.answer)]
    if row.control is not None:
        answers.append(_answer(f"Answered in {control}", row.control))
    whole = sum(row.answer.nats) - (0.0 if row.control is None else sum(row.control.nats))
    heading = f"{data}, {row.where}: {signed(whole)} nats for {persona_words(row.persona)}"
    return Tinted(heading, shorten(row.prompt, _ASKED), tuple(answers))


def _answer(who: str, answer: TokenAnswer) -> tuple[str, tuple[Piece, ...], Text]:
    """Who says it, the pieces of what is said, and the loudest of them in words."""
    total, last = sum(answer.nats), len(answer.texts) - 1
    loudest = _loudest(answer.nats)
    pieces = tuple(
        Piece(
            text=_shown(text if t else text.lstrip(" ") or text, t == last),
            tint=_tint(nats),
            nats=f"{signed(nats)} nats",
            number=signed(nats, 1) if t in loudest else "",
            marked=answer.unlike[0] <= t < answer.unlike[1],
        )
        for t, (text, nats) in enumerate(zip(answer.texts, answer.nats, strict=True))
    )
    said = "; ".join(f"{_named(answer.texts[t], t == last)} {signed(answer.nats[t])}" for t in loudest)
    whole = f"{signed(total)} nats in all"
    return who, pieces, f"{whole}. Largest: {said}." if said else f"{whole}, and hardly any on any token."


def _loudest(nats: Sequence[float]) -> list[int]:
    """The places of the tokens with most nats, either way, that are tinted at all."""
    loud = [t for t, value in enumerate(nats) if abs(value) >= STEPS[0]]
    return sorted(loud, key=lambda t: -abs(nats[t]))[:LOUDEST]


def _tint(nats: float) -> str:
    """The name of a tint: its direction, and how many of the `STEPS` are reached."""
    steps = sum(abs(nats) >= step for step in STEPS)
    return f"{'up' if nats > 0 else 'down'}{steps}" if steps else "still"


def _shown(text: str, last: bool) -> str:
    """A token as it stands in the text: what has no width gets a sign."""
    if not text:
        return "∎" if last else "◌"
    return text.replace("\n", "↵\n")


def _named(text: str, last: bool) -> str:
    """A token as a sentence names it."""
    if not text:
        return "where it ends" if last else "a part of a character"
    if text.strip():
        return f"“{text.strip()}”"
    return "a line break" if "\n" in text else "a space"


def _legend() -> Markup:
    """Each tint with the nats from which it is used."""
    edges = [*(-step for step in reversed(STEPS)), *STEPS]
    swatches = [Markup('<span class="{}">\u00a0{}\u00a0</span>').format(_tint(e), signed(e, 1)) for e in edges]
    return Markup(
        "Nats of a token, from the first of these or less to the last or more: {}. ∎ is where an answer ends."
    ).format(Markup(" ").join(swatches))
