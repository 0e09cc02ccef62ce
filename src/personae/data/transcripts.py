"""A dialogue written as one string: `Human:` and `Assistant:` after a blank line begin the turns (as in HH-RLHF)."""

import re

from personae.records import Message
from personae.records.episode import Role

_MARK = re.compile(r"(?:\A|\n\n)[ \t]*(Human|Assistant):")
_ROLES: dict[str, Role] = {"Human": "user", "Assistant": "assistant"}


def transcript(text: str) -> tuple[Message, ...]:
    r"""The turns of the dialogue, without the space around each; none at all where the text does not begin with a turn.

    >>> [m.content for m in transcript("\n\nHuman: Hello\n\nAssistant: Hi.\n\nBye.")]
    ['Hello', 'Hi.\n\nBye.']
    """
    before, *parts = _MARK.split(text)
    if before.strip():
        return ()
    names, contents = parts[::2], parts[1::2]
    return tuple(Message(role=_ROLES[n], content=c.strip()) for n, c in zip(names, contents, strict=True))
