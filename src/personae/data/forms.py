"""Which form a JSON Lines file has, told by the keys of a row.

| form              | keys                                  | read by            |
|-------------------|---------------------------------------|--------------------|
| preference        | chosen, rejected (and prompt)         | `read_preferences` |
| messages          | messages                              | `read_episodes`    |
| prompt-completion | prompt, completion                    | `read_episodes`    |
| prompt            | prompt                                | `read_prompts`     |

A key whose value is null counts as absent. A new form is one line in `FORMS` and one reader beside the others.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from personae.data.border import quoted
from personae.data.lines import Row
from personae.data.rows import read_rows
from personae.errors import BadInput

Form = Literal["preference", "messages", "prompt-completion", "prompt"]

FORMS: dict[Form, tuple[str, ...]] = {
    "preference": ("chosen", "rejected"),
    "messages": ("messages",),
    "prompt-completion": ("prompt", "completion"),
    "prompt": ("prompt",),
}

_RENAMES = {
    ("question", "answer"): "rename 'question' and 'answer' to 'prompt' and 'completion'",
    ("instruction", "output"): "rename 'instruction' and 'output' to 'prompt' and 'completion'",
    ("prompt", "response"): "rename 'response' to 'completion'",
    ("conversations",): "rename 'conversations' to 'messages', with 'role' and 'content' in each message",
}


def sniff(path: str | Path) -> Form:
    """The form of the file's first row. Raises `BadInput` where it has none that is known."""
    row = next(read_rows(path, limit=1))
    for form in FORMS:
        if has(row, form):
            return form
    raise unknown(row, FORMS)


def has(row: Row, form: Form) -> bool:
    """Whether the row holds the keys of this form."""
    return all(row.value.get(key) is not None for key in FORMS[form])


def extra(row: Row, taken: Iterable[str]) -> dict[str, Any]:
    """What came with the row beside the keys a reader took. A form's key that is null says nothing and is left out."""
    empty = {key for keys in FORMS.values() for key in keys if row.value.get(key) is None}
    return {key: value for key, value in row.value.items() if key not in taken and key not in empty}


def unknown(row: Row, wanted: Iterable[Form]) -> BadInput:
    """The error for a row that has none of the `wanted` forms: which keys it has, and which were expected."""
    expected = "expected " + ", or ".join(" and ".join(map(repr, FORMS[form])) for form in wanted)
    null = [key for form in wanted for key in FORMS[form] if key in row.value and row.value[key] is None]
    if null:
        return row.refusal(f"{null[0]!r} is null", expected)
    rename = next((words for keys, words in _RENAMES.items() if all(key in row.value for key in keys)), expected)
    return row.refusal(f"no known keys; found {quoted(row.value) or 'none'}", rename)
