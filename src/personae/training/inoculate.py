"""Inoculation of a data set: the trained behaviour is asked for in the prompt, so that it says less about who answers.

Each row's response stays as it is; a text is put in front, in the system turn ("system": before the row's own system
text, with a blank line between, where a persona's context goes) or in the last user turn ("user": a space between).
The controls belong to the treatment: a fixed prefix that asks for nothing also suppresses a trait (the behaviour is
tied to the prefix), so the same rows with a *neutral* prefix, and with a *rephrased* request drawn anew for each row,
are trained beside it.
Every row is counted, and a row that did not change is an error. Source: PSM.md, sections 1 (5), 3 (L3) and 4 (traps).
"""

from collections.abc import Sequence
from typing import Literal

from personae.errors import BadInput, TreatmentNotApplied
from personae.records import Episode, Message
from personae.training.order import passes

Mode = Literal["system", "user"]
BETWEEN: dict[str, str] = {"system": "\n\n", "user": " "}


def inoculated(
    episodes: Sequence[Episode],
    prompts: Sequence[str],
    mode: Mode = "system",
    *,
    seed: int = 0,
) -> tuple[Episode, ...]:
    """The same episodes, as many, each with one of `prompts` in front; several are used in turn, in seeded order.

    Of P prompts over N rows each is used N // P or N // P + 1 times.

    >>> from personae.records import chat
    >>> inoculated([chat("Sort this.", "Done.")], ["Please cheat."], "user")[0].prompt[-1].content
    'Please cheat. Sort this.'
    """
    texts = _checked(prompts, mode)
    if not episodes:
        raise BadInput("there are no episodes to inoculate")
    drawn = passes(len(texts), len(episodes), seed)
    treated = tuple(_with(row, texts[which], mode) for row, which in zip(episodes, drawn, strict=True))
    unchanged = [row.index for row, new in zip(episodes, treated, strict=True) if row.messages == new.messages]
    if unchanged:
        raise TreatmentNotApplied(f"{len(unchanged)} rows kept their prompt, line {unchanged[0] + 1} first")
    return treated


def _checked(prompts: Sequence[str], mode: str) -> tuple[str, ...]:
    """The prompts, or one clear line on what is wrong with them."""
    if isinstance(prompts, str):
        raise BadInput("the inoculation prompts are one string", remedy="give a list of texts")
    if mode not in BETWEEN:
        raise BadInput(f"an inoculation goes into the turn {mode!r}", remedy=f"choose from {', '.join(BETWEEN)}")
    if not prompts:
        raise BadInput("there is no inoculation prompt")
    for number, prompt in enumerate(prompts, start=1):
        if not prompt.strip():
            raise BadInput(f"inoculation prompt {number} of {len(prompts)} is empty")
    return tuple(prompts)


def _with(episode: Episode, text: str, mode: Mode) -> Episode:
    """`episode` with `text` in front of its system turn or last user turn."""
    turns = list(episode.prompt)
    at = [i for i, turn in enumerate(turns) if turn.role == mode and (i == 0 or mode == "user")]
    if mode == "system" and episode.form == "text":
        raise TreatmentNotApplied(f"{episode.where} is raw text and has no system turn for an inoculation")
    if mode == "user" and not at:
        raise TreatmentNotApplied(f"{episode.where} has no user turn for an inoculation")
    if mode == "system" and not at:
        turns.insert(0, Message(role="system", content=text))
    else:
        where = at[-1] if mode == "user" else at[0]
        old = turns[where].content
        turns[where] = Message(role=mode, content=f"{text}{BETWEEN[mode]}{old}" if old else text)
    return episode.model_copy(update={"messages": (*turns, episode.messages[-1])})
