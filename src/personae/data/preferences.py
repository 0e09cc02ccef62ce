"""Preference pairs in TRL's forms: the same prompt answered twice.

    {"prompt": text or messages, "chosen": text or messages, "rejected": text or messages}
    {"chosen": dialogue, "rejected": dialogue}        alike up to the last turn; messages, or one text in which
                                                      "Human:" and "Assistant:" begin the turns
    {"chosen": text, "rejected": text}                of any other text the prompt is the words with which both begin

All other keys of the row but `messages` are kept in the `extra` of both episodes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from personae.data.forms import extra, has, unknown
from personae.data.lines import Row
from personae.data.rows import kept, read_rows
from personae.data.transcripts import transcript
from personae.data.turns import answered, refuse_tools, turns
from personae.errors import BadInput
from personae.records import Episode, Message, Preference, choice

_KEYS = ("prompt", "chosen", "rejected", "messages")
_WHOLE_WORDS = re.compile(r".*\S(?=\s)", re.DOTALL)
_ALIKE = "give both the same turns before the answer, or drop the row"


def read_preferences(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Preference]:
    """The pairs of a file or saved data set in order, those of the first `limit` rows.

    A row that holds no pair ends the reading; with a list `refused` it is put there instead, and reading goes on.
    """
    return kept(preference, read_rows(path, limit=limit), refused)


def read_choices(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Episode]:
    """The same pairs as episodes that know what they were preferred to; two answers that are one are no choice."""
    return kept(_choice, read_rows(path, limit=limit), refused)


def _choice(row: Row) -> Episode:
    pair = preference(row)
    if pair.chosen.response.strip() == pair.rejected.response.strip():
        raise row.refusal("'chosen' and 'rejected' are the same answer", "drop the row")
    return choice(pair)


def preference(row: Row) -> Preference:
    """The pair that a row holds."""
    if not has(row, "preference"):
        raise unknown(row, ("preference",))
    refuse_tools(row)
    row = with_prompt(row)
    fields = {key: answer_under(row, key, _KEYS) for key in ("chosen", "rejected")}
    return row.built(Preference, fields, remedy=_ALIKE)


def answer_under(row: Row, key: str, taken: tuple[str, ...] = ("prompt", "chosen", "messages")) -> Episode:
    """The dialogue that ends with one of the two answers; the row's keys but those `taken` come with it."""
    fields = {"messages": _dialogue(row, key), "extra": extra(row, taken), **row.origin}
    remedy = f"end {key!r} with the Assistant's answer, or drop the row"
    return row.built(Episode, fields, remedy=remedy)


def with_prompt(row: Row) -> Row:
    """The row of a pair, its answers cut off from the whole words with which both begin where these are all its prompt.

    The white space before an answer stays with it.
    """
    texts = [row.value[key] for key in ("chosen", "rejected")]
    prompted = row.value.get("prompt") is not None
    if prompted or not all(isinstance(text, str) and not transcript(text) for text in texts):
        return row
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    if not (begun := _WHOLE_WORDS.match(texts[0][:alike])):
        return row
    chosen, rejected = (text[begun.end() :] for text in texts)
    return replace(row, value={**row.value, "prompt": begun[0], "chosen": chosen, "rejected": rejected})


def _dialogue(row: Row, key: str) -> tuple[Message, ...]:
    value = row.value[key]
    if row.value.get("prompt") is not None:
        return answered(turns(row, "prompt", "user"), turns(row, key, "assistant"))
    if not isinstance(value, str):
        return turns(row, key, "assistant")
    if said := transcript(value):
        return said
    raise row.refusal(f"{key!r} is text with no 'prompt' beside it", "give the prompt, or write a list of messages")
