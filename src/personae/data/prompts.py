"""Prompts without an answer, from whatever holds rows (see `rows`).

{"prompt": text or messages}                           as GRPO takes them
{"question": text}                                     one question
{"paraphrases": [text, …], "system": text}             a question in several wordings, as free-form evaluations have
                                                       it; the system turn may be left out
{"questions": [text, …]}                               those of a trait, a role or a constitution, and its
                                                       "additional_questions"

A row is read as the first of these that it holds. Each wording and each question is a prompt of its own, and knows the
row's line and all other keys of it.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from personae.data.constitutions import QUESTIONS, statement_questions
from personae.data.forms import extra, has, unknown
from personae.data.lines import Row
from personae.data.row_fields import optional_text, row_texts
from personae.data.rows import kept, read_rows
from personae.data.turns import refuse_tools, turns
from personae.errors import BadInput
from personae.records import Message, Prompt


def read_prompts(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Prompt]:
    """The prompts of a file's first `limit` rows in order, as a reward is given them: all of one kind.

    Each has every key that any of these rows has (None where its own has not), and all are messages where one is. So
    the file is read twice, the first time at the call. A row that holds no prompt is `refused` as in `read_episodes`.
    """

    def read(refused: list[BadInput] | None) -> Iterator[Prompt]:
        return chain.from_iterable(kept(prompts, read_rows(path, limit=limit), refused))

    columns: dict[str, Any] = {}
    as_text = True
    for one in read(None if refused is None else []):
        columns.update(dict.fromkeys(one.extra))
        as_text = as_text and one.as_text
    return (one.model_copy(update={"extra": columns | one.extra, "as_text": as_text}) for one in read(refused))


def prompts(row: Row) -> tuple[Prompt, ...]:
    """What a row asks somebody to answer, a prompt for each wording and question in it."""
    refuse_tools(row)
    for key in ("prompt", "question"):
        if row.value.get(key) is not None:
            said = _waiting(row, key)
            return (_prompt(row, said, (key,), as_text=isinstance(row.value[key], str) and len(said) == 1),)
    if has(row, "paraphrases"):
        system = optional_text(row, "system")
        head = () if system is None else (Message(role="system", content=system),)
        return _each(row, row_texts(row, "paraphrases"), ("paraphrases", "system"), head)
    if row.value.get("questions") is not None or has(row, "constitution"):
        asked = statement_questions(row)
        if not asked and row.value.get("questions") is None:
            raise row.refusal("the statement has no questions, so nothing is asked", "add 'questions', or drop the row")
        return _each(row, asked, QUESTIONS)
    raise unknown(row, ("prompt", "question", "paraphrases", "constitution"))


def _each(
    row: Row, wordings: tuple[str, ...], taken: tuple[str, ...], head: tuple[Message, ...] = ()
) -> tuple[Prompt, ...]:
    """A prompt for each wording, behind the turns `head`, which a text could not hold."""
    if not wordings:
        raise row.refusal(f"{taken[0]!r} is an empty list", "give at least one, or drop the row")
    asked = ((*head, Message(role="user", content=words)) for words in wordings)
    return tuple(_prompt(row, said, taken, as_text=not head) for said in asked)


def _waiting(row: Row, key: str) -> tuple[Message, ...]:
    """The turns under `key`, the last of which is to be answered."""
    said = turns(row, key, "user")
    if said[-1].role == "assistant":
        raise row.refusal(f"the {key} ends with the assistant's turn", "end it with the turn that is to be answered")
    return said


def _prompt(row: Row, said: tuple[Message, ...], taken: tuple[str, ...], *, as_text: bool) -> Prompt:
    fields = {"turns": said, "extra": extra(row, taken), "as_text": as_text, **row.origin}
    return row.built(Prompt, fields)
