"""What a reader says when a value cannot be used: one line, in words, with whatever was found made safe to print.

Text from a file is untrusted: it is shown through `repr`, cut short, so no control character reaches the terminal.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from personae.errors import BadInput

N = TypeVar("N", bound=BaseModel)
CORRECT = "correct it in the file"  # what to do where nothing better is known

NEAR = 0.75  # of two spellings, by difflib's ratio
_LONGEST = 60  # characters of a foreign value that a message shows


def found(value: Any) -> str:  # noqa: ANN401 - whatever a file may hold
    """What `value` is, in JSON's words.

    >>> found(None), found(3), found([1]), found("x")
    ('null', 'a number (3)', 'a list of 1', "'x'")
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"a number ({_cut(repr(value))})"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"an object with the keys {quoted(value)}" if value else "an empty object"
    return _cut(repr(value))


def quoted(names: Any) -> str:  # noqa: ANN401 - any iterable of names
    """Names in quotes with commas between, the first eight of them.

    >>> quoted(["question", "answer"])
    "'question', 'answer'"
    """
    shown = [_cut(repr(name)) for name in names]
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` is nearly spelt as, if there is one.

    >>> nearest("answer_matching_behaviour", ["question", "answer_matching_behavior"]), nearest("light", ["lamp"])
    ('answer_matching_behavior', None)
    """
    lower = {other.lower(): other for other in names}
    return next((lower[near] for near in get_close_matches(name.lower(), lower, n=1, cutoff=NEAR)), None)


def complaint(error: ValidationError) -> str:
    """The first thing that a record found wrong, as one line without pydantic's vocabulary."""
    first, *others = error.errors(include_url=False)
    words = first["msg"].removeprefix("Value error, ")
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        words = f"{field!r} is missing"
    elif first["type"] == "extra_forbidden":
        words = f"{field!r} is not a known key"
    elif field:
        words = f"{field!r} {words[0].lower()}{words[1:]}, found {found(first['input'])}"
        words = words.replace("input should be", "should be", 1)
    return " ".join(words.split()) + (f" (and {len(others)} more)" if others else "")


def built(
    noun: type[N],
    fields: Mapping[str, Any],
    *,
    file: Path,
    line: int,
    item: int | None = None,
    lines: Mapping[str, int] | None = None,
    remedy: str = CORRECT,
) -> N:
    """A record made of `fields`, or `BadInput` at `line`, `item` (at `lines[field]` where one field is at fault)."""
    try:
        return noun(**fields)
    except ValidationError as error:
        place = error.errors(include_url=False)[0]["loc"]
        at = (lines or {}).get(str(place[0]), line) if place else line
        raise BadInput(complaint(error), file=file, line=at, item=item, remedy=remedy) from None


def repeated(names: Sequence[str]) -> str | None:
    """The first of `names` that stood before, if there is one."""
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


def existing_file(path: str | Path) -> Path:
    """`path` as a file that is there and can be read more than once, or `BadInput`."""
    path = Path(path)
    try:
        if path.is_dir():
            raise BadInput("this is a folder, not a file", file=path, remedy="name one in it, or join several to one")
        if not path.exists():
            raise BadInput("there is no such file", file=path, remedy="check the name and the folder")
        if path.is_fifo():
            raise BadInput("is a pipe, which can be read only once", file=path, remedy="write it to a file first")
    except (OSError, ValueError) as problem:
        raise unreadable(path, problem) from None
    return path


def unreadable(path: Path, problem: Exception) -> BadInput:
    """The error for a file that the operating system does not give out."""
    said = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return BadInput(f"cannot be read ({said})", file=path, remedy="check the name and its permissions")


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
