"""System turns of a dialogue: those it begins with are one text; a later one stands in its place or nowhere.

What was said in the middle of a dialogue says something else at its beginning, so a later system turn is never moved. A
chat template *keeps* it where it writes every turn once, in the order of the dialogue, and the system's turn otherwise
than it would write the same words of the user's or the Assistant's. That depends on the roles alone, and is tried with
words of no meaning.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile

from personae.records import Message

Turns = list[dict[str, str]]


def split_system(messages: Sequence[Message], context: str) -> tuple[str, list[Message]]:
    """The system text (the persona context, then the dialogue's own, a blank line between) and the other turns."""
    own = [turn.content for turn in takewhile(lambda turn: turn.role == "system", messages)]
    return "\n\n".join(part for part in (context, *own) if part), list(messages[len(own) :])


def keeps_in_place(render: Callable[[Turns], str], roles: Sequence[str]) -> bool:
    """Whether a template keeps every system turn, but one at the beginning, of a dialogue of these roles.

    `render` is the template's writing of turns; it may refuse them in whatever way it likes.
    """
    written = _rendered(render, roles)
    if written is None:
        return False
    places = [written.find(_word(n)) for n in range(len(roles))]
    once = all(written.count(_word(n)) == 1 for n in range(len(roles)))
    if not once or places != sorted(places):
        return False
    later = [n for n, role in enumerate(roles) if role == "system" and n > 0]
    others = ([*roles[:n], other, *roles[n + 1 :]] for n in later for other in ("user", "assistant"))
    return all(_rendered(render, other) != written for other in others)


def _rendered(render: Callable[[Turns], str], roles: Sequence[str]) -> str | None:
    try:
        return render([{"role": role, "content": _word(n)} for n, role in enumerate(roles)])
    except Exception:  # noqa: BLE001 - a template refuses in whatever way it likes
        return None


def _word(n: int) -> str:
    """A word that no template writes of itself, and that holds no other one of these."""
    return f"qwertz{n}x"
