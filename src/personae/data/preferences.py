"""Preference pairs from JSON Lines in TRL's forms: the same prompt answered twice.

    {"prompt": text or messages, "chosen": text or messages, "rejected": text or messages}
    {"chosen": messages, "rejected": messages}        each the whole dialogue, alike up to the last message

All other keys of the row are kept in the `extra` of both episodes.
"""

from collections.abc import Iterator
from pathlib import Path

from personae.data.border import built
from personae.data.forms import extra, has, unknown
from personae.data.lines import Row, read_rows
from personae.data.turns import answered, turns
from personae.records import Episode, Preference

_KEYS = ("prompt", "chosen", "rejected")


def read_preferences(path: str | Path, *, limit: int | None = None) -> Iterator[Preference]:
    """The pairs of a .jsonl or .jsonl.gz file in order, the first `limit` of them."""
    return (preference(row) for row in read_rows(path, limit=limit))


def preference(row: Row) -> Preference:
    """The pair that a row holds."""
    if not has(row, "preference"):
        raise unknown(row, ("preference",))
    fields = {"chosen": _answer(row, "chosen"), "rejected": _answer(row, "rejected")}
    return built(Preference, fields, file=row.file, line=row.line, remedy="give both answers the same prompt")


def _answer(row: Row, key: str) -> Episode:
    """The dialogue that ends with one of the two answers."""
    if row.value.get("prompt") is None and isinstance(row.value[key], str):
        raise row.refusal(f"{key!r} is text with no 'prompt' beside it", "give the prompt, or write a list of messages")
    prompt = () if row.value.get("prompt") is None else turns(row, "prompt", "user")
    messages = answered(prompt, turns(row, key, "assistant"))
    fields = {"messages": messages, "index": row.index, "extra": extra(row, _KEYS)}
    return built(Episode, fields, file=row.file, line=row.line, remedy=f"end {key!r} with the Assistant's answer")
