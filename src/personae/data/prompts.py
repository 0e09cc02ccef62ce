"""Prompts without an answer, from whatever holds rows (see `rows`).

{"prompt": text or messages}                           as GRPO takes them
{"question": text}                                     one question
{"paraphrases": [text, …], "system": text}             a question in several wordings, as free-form evaluations have
                                                       it; the system turn may be left out
{"questions": [text, …]}                               those of a trait, a role or a constitution, and its
                                                       "additional_questions"
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from personae.data.forms import extra, has, unknown
from personae.data.lines import Row
from personae.data.row_fields import optional_text, row_texts
from personae.data.rows import kept, read_rows
from personae.data.turns import turns
from personae.errors import BadInput
from personae.records import Episode, Message, Prompt, asked

Turns = tuple[Message, ...]


def read_prompts(path: str | Path, *, limit: int | None = None) -> Iterator[Turns]:
    """The turns so far of every prompt in order, the first `limit` of them. Other keys of a row are passed over."""
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} leaves no prompts", file=path, remedy="use a limit of 1 or more")
    rows = read_rows(path)
    return islice((asked for row in rows for asked in prompts(row)), limit)


def read_prompt_rows(path: str | Path, *, limit: int | None = None) -> Iterator[Prompt]:
    """The prompts of the first `limit` rows, as a reward is given them: the other keys of a row come along."""
    return map(prompt_row, read_rows(path, limit=limit))


def read_asked(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Episode]:
    """The same prompts as episodes that have no answer; what is no prompt is `refused` as in `read_episodes`."""
    return kept(_asked, read_rows(path, limit=limit), refused)


def _asked(row: Row) -> Episode:
    return asked(prompt_row(row)).model_copy(update=row.origin)


def prompt_row(row: Row) -> Prompt:
    """The prompt that a row holds."""
    if not has(row, "prompt"):
        raise unknown(row, ("prompt",))
    return Prompt(
        turns=_prompt(row),
        index=row.number - 1,
        extra=extra(row, ("prompt",)),
        as_text=isinstance(row.value["prompt"], str),
    )


def prompts(row: Row) -> tuple[Turns, ...]:
    """What a row asks somebody to answer: the turns of each prompt in it."""
    if has(row, "prompt"):
        return (_prompt(row),)
    if has(row, "question"):
        return (turns(row, "question", "user"),)
    if has(row, "paraphrases"):
        return tuple((*_system(row), Message(role="user", content=p)) for p in row_texts(row, "paraphrases"))
    if row.value.get("questions") is not None:
        more = row_texts(row, "additional_questions") if row.value.get("additional_questions") else ()
        return tuple((Message(role="user", content=q),) for q in (*row_texts(row, "questions"), *more))
    raise unknown(row, ("prompt", "question", "paraphrases"))


def _prompt(row: Row) -> Turns:
    asked = turns(row, "prompt", "user")
    if asked[-1].role == "assistant":
        raise row.refusal("the prompt ends with the assistant's turn", "end it with the turn that is to be answered")
    return asked


def _system(row: Row) -> Turns:
    """The system turn, where there is one."""
    system = optional_text(row, "system")
    return () if system is None else (Message(role="system", content=system),)
