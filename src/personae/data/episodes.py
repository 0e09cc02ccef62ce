"""Episodes from JSON Lines in TRL's forms, one after the other.

    {"messages": [{"role": "user", "content": "…"}, …, {"role": "assistant", "content": "…"}]}
    {"prompt": text or messages, "completion": text or messages}

A prompt that is a string is a user's turn, a completion that is a string the Assistant's answer to it. The last message
is the Assistant's and not empty. All other keys of the row are kept in `Episode.extra`. A row that has both forms is
read by its messages.
"""

from collections.abc import Iterator
from pathlib import Path

from personae.data.border import built
from personae.data.forms import extra, has, unknown
from personae.data.lines import Row
from personae.data.rows import read_rows
from personae.data.turns import answered, message_list, turns
from personae.records import Episode, Message

_REMEDY = "end the row with the Assistant's answer, or drop it"


def read_episodes(path: str | Path, *, limit: int | None = None) -> Iterator[Episode]:
    """The episodes of a .jsonl or .jsonl.gz file in order, the first `limit` of them; `index` is the line, from 0."""
    return (episode(row) for row in read_rows(path, limit=limit))


def episode(row: Row) -> Episode:
    """The dialogue that a row holds."""
    if has(row, "messages"):
        return _built(row, message_list(row, "messages"), ("messages",))
    if has(row, "prompt-completion"):
        messages = answered(turns(row, "prompt", "user"), turns(row, "completion", "assistant"))
        return _built(row, messages, ("prompt", "completion"))
    if has(row, "preference"):
        problem = "a preference pair ('chosen', 'rejected'), where one answer was expected"
        raise row.refusal(problem, "use it with --method dpo, or keep one answer as 'completion'")
    raise unknown(row, ("messages", "prompt-completion"))


def _built(row: Row, messages: tuple[Message, ...], taken: tuple[str, ...]) -> Episode:
    fields = {"messages": messages, "index": row.line - 1, "extra": extra(row, taken)}
    return built(Episode, fields, file=row.file, line=row.line, remedy=_REMEDY)
