"""Prompts without an answer, from JSON Lines: {"prompt": text or messages}, as GRPO takes them."""

from collections.abc import Iterator
from pathlib import Path

from personae.data.forms import has, unknown
from personae.data.lines import Row
from personae.data.rows import read_rows
from personae.data.turns import turns
from personae.records import Message


def read_prompts(path: str | Path, *, limit: int | None = None) -> Iterator[tuple[Message, ...]]:
    """The turns so far of every row in order, the first `limit` of them. Other keys of a row are passed over."""
    return (prompt(row) for row in read_rows(path, limit=limit))


def prompt(row: Row) -> tuple[Message, ...]:
    """The turns that a row asks somebody to answer."""
    if not has(row, "prompt"):
        raise unknown(row, ("prompt",))
    asked = turns(row, "prompt", "user")
    if asked[-1].role == "assistant":
        raise row.refusal("the prompt ends with the assistant's turn", "end it with the turn that is to be answered")
    return asked
