"""The turns of a dialogue, as a row of JSON holds them: a string, or a list of {"role", "content"}.

A prompt that is a transcript up to an empty `Assistant:`, as HH-RLHF is split, is the turns before that. What stands in
a column beside a dialogue was before its model too: a system text is the first turn, `context` holds the turns before a
question, and what is written into no prompt here (tools, pictures) is refused.

A message's content is one string. Null, numbers and lists of content parts are refused, not guessed at, and so are keys
that carry part of what was said somewhere else (tool calls, reasoning): leaving them out would score another text.
Other keys of a message (a time, an id) are left out.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import dropwhile
from typing import Any, get_args

from personae.data.border import found, quoted
from personae.data.lines import Row
from personae.data.transcripts import transcript
from personae.records import Message
from personae.records.episode import Role

ROLES: tuple[str, ...] = get_args(Role)
CALLS = ("tool_calls", "function_call")
UNWRITTEN = ("tools", "functions", "image", "images", "video", "videos", "audio")
SPOKEN_ELSEWHERE = (*CALLS, "reasoning_content", "thinking", "refusal", *UNWRITTEN)
SYSTEM = ("system", "system_prompt")
CONTEXT = "context"


def turns(row: Row, key: str, speaker: Role) -> tuple[Message, ...]:
    """The turns under `key`; a bare string is one turn of `speaker`."""
    value = row.value[key]
    if isinstance(value, str):
        before = _before_the_answer(value) if speaker == "user" else ()
        return before or (Message(role=speaker, content=value),)
    return message_list(row, key, "text or a list of messages")


def message_list(row: Row, key: str, expected: str = "a list of messages") -> tuple[Message, ...]:
    """The turns under `key`, which must be a list of messages."""
    value = row.value[key]
    if not isinstance(value, list):
        raise row.refusal(f"{key!r} is {found(value)}", f"expected {expected}")
    if not value:
        raise row.refusal(f"{key!r} is an empty list", f"expected {expected}")
    return tuple(_message(row, f"message {n} of {key!r}", message) for n, message in enumerate(value, start=1))


def answered(row: Row, prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> tuple[Message, ...]:
    """The whole dialogue: the answer after its prompt, or the answer alone where it repeats the prompt.

    It repeats it at its beginning or right before its last turn. Space around a turn makes no difference to that, nor
    does a system turn that the answer has before it, nor whether the answer is a list of messages or a transcript.
    Raises `BadInput` where another question than the prompt's begins the answer.
    """
    written = transcript(answer[0].content) if len(answer) == 1 else ()
    if written and written[-1].role == "assistant" and _repeats(prompt, written):
        return written
    if _repeats(prompt, answer):
        return answer
    if len(answer) > 1 and prompt[-1].role == "user" and answer[0].role in ("system", "user"):
        problem = f"the answer begins with the {answer[0].role}'s turn and does not repeat the prompt"
        raise row.refusal(problem, "give every turn once: those before the answer as the prompt")
    return prompt + answer


def asked(row: Row, key: str) -> tuple[Message, ...]:
    """The turns of the question under `key`, behind those that stand under `context`."""
    return (*earlier(row), *turns(row, key, "user"))


def earlier(row: Row) -> tuple[Message, ...]:
    """The turns before a question that stand under `context`; none where that is null or empty."""
    expected = "a list of earlier messages; write a text into the question, or rename the column"
    return message_list(row, CONTEXT, expected) if row.value.get(CONTEXT) else ()


def under_system(row: Row, said: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns `said` behind the system text that stands beside them; blank text is none.

    Raises `BadInput` where they begin with another system turn.
    """
    for key in SYSTEM:
        text = row.value.get(key) or ""
        if not isinstance(text, str):
            raise row.refusal(f"{key!r} is {found(text)}, not text", "write it as one string")
        if not (text := text.strip()):
            continue
        if not said or said[0].role != "system":
            said = (Message(role="system", content=text), *said)
        elif said[0].content.strip() != text:
            raise row.refusal(f"{key!r} is another text than the system turn", "keep one of the two")
    return said


def refuse_unwritten(row: Row, keys: Iterable[str] = UNWRITTEN) -> None:
    """Raise `BadInput` where one of `keys` holds anything: it was before the model, and is written into no prompt."""
    for key in keys:
        value = row.value.get(key)
        if isinstance(value, str):  # which is how a table holds a list
            with suppress(ValueError, RecursionError):
                value = json.loads(value.strip() or "null")
        if value:
            remedy = "write what it holds into the prompt as text, or drop the column"
            raise row.refusal(f"{key!r} is not written into the prompt", remedy)


def _before_the_answer(text: str) -> tuple[Message, ...]:
    """The turns of a transcript that ends where the Assistant's answer is to come; none of any other text."""
    *before, last = transcript(text) or (Message(role="user", content=text),)
    return tuple(before) if (last.role, last.content) == ("assistant", "") else ()


def _repeats(prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> bool:
    """Whether the answer has the prompt's turns first, or right before its last one."""
    asked, said = ([(turn.role, turn.content.strip()) for turn in turns] for turns in (prompt, answer))
    if asked and asked[0][0] != "system":
        said = list(dropwhile(lambda turn: turn[0] == "system", said))
    return len(said) > len(asked) and asked in (said[: len(asked)], said[-1 - len(asked) : -1])


def _message(row: Row, name: str, value: Any) -> Message:  # noqa: ANN401 - whatever the list holds
    if not isinstance(value, dict):
        raise row.refusal(f"{name} is {found(value)}", "expected an object with 'role' and 'content'")
    calls = next((key for key in CALLS if value.get(key)), None)
    for key in ("role", "content"):
        if key not in value and not (key == "content" and calls):
            problem = f"{name} has no {key!r} (its keys: {quoted(value) or 'none'})"
            raise row.refusal(problem, "expected an object with 'role' and 'content'")
    role, content = value["role"], value.get("content")
    if role not in ROLES:
        remedy = "write it as 'system'" if role == "developer" else f"expected {' or '.join(ROLES)}"
        raise row.refusal(f"{name} has the role {found(role)}", remedy)
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
