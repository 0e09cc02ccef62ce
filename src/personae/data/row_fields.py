"""What a reader asks of a row's value: text, or a list of texts; or `BadInput` that names the row's line."""

from personae.data.border import found
from personae.data.lines import Row


def row_text(row: Row, key: str) -> str:
    """The text under `key`, which must be there and not blank; without the space around it."""
    value = row.value.get(key)
    if not isinstance(value, str):
        raise row.refusal(f"{key!r} is {found(value)}, not text", "write it as one string")
    if not value.strip():
        raise row.refusal(f"{key!r} is empty", "write it, or drop the row")
    return value.strip()


def row_texts(row: Row, key: str) -> tuple[str, ...]:
    """The list of texts under `key`, none of them blank."""
    value = row.value.get(key)
    if not isinstance(value, list):
        raise row.refusal(f"{key!r} is {found(value)}, not a list", "expected a list of texts")
    for n, member in enumerate(value, start=1):
        if not isinstance(member, str) or not member.strip():
            problem = f"member {n} of {key!r} is {found(member)}" if member != "" else f"member {n} of {key!r} is empty"
            raise row.refusal(problem, "write it as text, or remove it")
    return tuple(member.strip() for member in value)


def optional_text(row: Row, key: str) -> str | None:
    """The text under `key`; None where there is none."""
    return None if row.value.get(key) is None else row_text(row, key)
