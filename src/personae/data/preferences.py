"""Preference pairs in TRL's forms: the same prompt answered twice.

    {"prompt": text or messages, "chosen": text or messages, "rejected": text or messages}
    {"chosen": dialogue, "rejected": dialogue}        alike up to the last turn; messages, or one text in which
                                                      "Human:" and "Assistant:" begin the turns
    {"question": text, "chosen": text, "rejected": text}
                                                      the prompt under another name: instruction, input, query, context,
                                                      or messages that end with another turn than the Assistant's
    {"chosen": text, "rejected": text}                of any other text the prompt is the words with which both begin,
                                                      where no column beside them may be the prompt

All other keys of the row but `messages` are kept in the `extra` of both episodes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from personae.data.choices import with_choices
from personae.data.forms import extra, has, unknown
from personae.data.lines import Row
from personae.data.rows import kept, read_rows
from personae.data.transcripts import transcript
from personae.data.turns import CONTEXT, SYSTEM, answered, refuse_unwritten, turns, under_system
from personae.errors import BadInput
from personae.records import Episode, Message, Preference

_KEYS = ("prompt", "chosen", "rejected", "messages")
ASKED_AS = ("question", "instruction", "input", "query")  # by which a prompt goes elsewhere
_NO_PROMPT = ("chosen", "rejected", *SYSTEM)
_WHOLE_WORDS = re.compile(r".*\S(?=\s)", re.DOTALL)
_ALIKE = "give both the same turns before the answer, or drop the row"


def read_preferences(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Preference]:
    """The pairs of a file or saved data set in order, those of the first `limit` rows.

    A row that holds no pair ends the reading; with a list `refused` it is put there instead, and reading goes on.
    """
    return kept(preference, read_rows(path, limit=limit), refused)


def preference(row: Row) -> Preference:
    """The pair that a row holds."""
    if not has(row, "preference"):
        raise unknown(row, ("preference",))
    refuse_unwritten(row)
    row = with_prompt(row)
    fields = {key: answer_under(row, key, _KEYS) for key in ("chosen", "rejected")}
    return row.built(Preference, fields, remedy=_ALIKE)


def answer_under(row: Row, key: str, taken: tuple[str, ...] = ("prompt", "chosen", "messages")) -> Episode:
    """The dialogue that ends with one of the two answers; the row's keys but those `taken` come with it."""
    messages = under_system(row, _dialogue(row, key))
    fields = {"messages": messages, "extra": extra(row, (*taken, *SYSTEM)), **row.origin}
    remedy = f"end {key!r} with the Assistant's answer, or drop the row"
    return row.built(Episode, fields, remedy=remedy)


def with_prompt(row: Row) -> Row:
    """The row of a pair, with its `prompt` where that has another name or is in both answers.

    In both it is the whole words with which they begin; the white space before an answer stays with it.
    """
    values = [row.value[key] for key in ("chosen", "rejected")]
    if row.value.get("prompt") is not None or not all(map(_is_answer, values)):
        return row
    named = [key for key in (*ASKED_AS, CONTEXT) if str(row.value.get(key) or "").strip()]
    if _waits(row.value.get("messages")):
        named.append("messages")
    if named:
        return _renamed(with_choices(row), named)
    if beside := [key for key, value in row.value.items() if key not in _NO_PROMPT and _is_words(value)]:
        problem = f"{beside[0]!r} may be the prompt of 'chosen' and 'rejected', and no 'prompt' is there"
        raise row.refusal(problem, "give what was asked as 'prompt', or drop the column")
    if not all(isinstance(value, str) for value in values):
        return row
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*values, strict=False)))
    if not (begun := _WHOLE_WORDS.match(values[0][:alike])):
        return row
    chosen, rejected = (text[begun.end() :] for text in values)
    return replace(row, value={**row.value, "prompt": begun[0], "chosen": chosen, "rejected": rejected})


def _is_answer(value: Any) -> bool:  # noqa: ANN401 - whatever the row holds
    """Whether a value is an answer, with no prompt before it that is marked as one."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and value[0].get("role") == "assistant"
    return isinstance(value, str) and not transcript(value)


def _waits(value: Any) -> bool:  # noqa: ANN401 - whatever the row holds
    """Whether a value is a dialogue that ends with another turn than the Assistant's."""
    last = value[-1] if isinstance(value, list) and value else None
    return isinstance(last, dict) and last.get("role") not in (None, "assistant")


def _is_words(value: Any) -> bool:  # noqa: ANN401 - whatever the row holds
    """Whether a value is a list, or several words: one is more often a name of something than a prompt."""
    return bool(value) if isinstance(value, list) else isinstance(value, str) and len(value.split()) > 1


def _renamed(row: Row, named: list[str]) -> Row:
    """The row whose prompt stands under a key of another name, if it is the only one `named`."""
    if len(named) > 1 or not isinstance(row.value[named[0]], (str, list)):
        stand = "stands" if len(named) == 1 else "stand"
        problem = f"{' and '.join(map(repr, named))} {stand} beside 'chosen' and 'rejected', and no 'prompt'"
        raise row.refusal(problem, "write all that was asked as one 'prompt'")
    given = {key: value for key, value in row.value.items() if key != named[0]}
    return replace(row, value={**given, "prompt": row.value[named[0]]})


def _dialogue(row: Row, key: str) -> tuple[Message, ...]:
    value = row.value[key]
    if row.value.get("prompt") is not None:
        return answered(row, turns(row, "prompt", "user"), turns(row, key, "assistant"))
    if not isinstance(value, str):
        return turns(row, key, "assistant")
    if said := transcript(value):
        return said
    raise row.refusal(f"{key!r} is text with no 'prompt' beside it", "give the prompt, or write a list of messages")
