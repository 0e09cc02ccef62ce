"""The turns of a dialogue, as a row of JSON holds them: a string, or a list of {"role", "content"}.

A message's content is one string. Null, numbers and lists of content parts are refused, not guessed at, and so are keys
that carry part of what was said somewhere else (tool calls, reasoning): leaving them out would score another text.
Other keys of a message (a time, an id) are left out.
"""

from itertools import dropwhile
from typing import Any, get_args

from personae.data.border import found, quoted
from personae.data.lines import Row
from personae.records import Message
from personae.records.episode import Role

ROLES: tuple[str, ...] = get_args(Role)
CALLS = ("tool_calls", "function_call")
SPOKEN_ELSEWHERE = (*CALLS, "reasoning_content", "thinking", "refusal", "audio", "images")


def turns(row: Row, key: str, speaker: Role) -> tuple[Message, ...]:
    """The turns under `key`; a bare string is one turn of `speaker`."""
    value = row.value[key]
    if isinstance(value, str):
        return (Message(role=speaker, content=value),)
    return message_list(row, key, "text or a list of messages")


def message_list(row: Row, key: str, expected: str = "a list of messages") -> tuple[Message, ...]:
    """The turns under `key`, which must be a list of messages."""
    value = row.value[key]
    if not isinstance(value, list):
        raise row.refusal(f"{key!r} is {found(value)}", f"expected {expected}")
    if not value:
        raise row.refusal(f"{key!r} is an empty list", f"expected {expected}")
    return tuple(_message(row, f"message {n} of {key!r}", message) for n, message in enumerate(value, start=1))


def answered(prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> tuple[Message, ...]:
    """The whole dialogue: the answer after its prompt, or the answer alone where it repeats the prompt.

    Space around a turn makes no difference to that, nor does a system turn that the answer has before it.
    """
    asked, said = ([(turn.role, turn.content.strip()) for turn in turns] for turns in (prompt, answer))
    if asked and asked[0][0] != "system":
        said = list(dropwhile(lambda turn: turn[0] == "system", said))
    repeats = len(said) > len(asked) and said[: len(asked)] == asked
    return answer if repeats else prompt + answer


def _message(row: Row, name: str, value: Any) -> Message:  # noqa: ANN401 - whatever the list holds
    if not isinstance(value, dict):
        raise row.refusal(f"{name} is {found(value)}", "expected an object with 'role' and 'content'")
    for key in ("role", "content"):
        if key not in value:
            problem = f"{name} has no {key!r} (its keys: {quoted(value) or 'none'})"
            raise row.refusal(problem, "expected an object with 'role' and 'content'")
    role, content = value["role"], value["content"]
    if role not in ROLES:
        remedy = "write it as 'system'" if role == "developer" else f"expected {' or '.join(ROLES)}"
        raise row.refusal(f"{name} has the role {found(role)}", remedy)
    calls = next((key for key in CALLS if value.get(key)), None)
    if calls and not content:
        problem = f"{name} calls a tool ({calls!r}) and says nothing, which is not scored"
        raise row.refusal(problem, "write the call into the content, or drop the row")
    if not isinstance(content, str):
        remedy = "join its text parts into one string" if isinstance(content, list) else "expected text"
        raise row.refusal(f"the content of {name} is {found(content)}, not text", remedy)
    for key in SPOKEN_ELSEWHERE:
        if value.get(key):
            raise row.refusal(f"{name} has {key!r}, which is not scored", "write it into the content, or drop the row")
    return Message(role=role, content=content)
