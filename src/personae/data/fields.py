"""What a YAML reader asks of a value: a mapping with these keys, a list, text, a number; or `BadInput` at its line."""

import math
from collections.abc import Iterable, Mapping

from personae.data.border import nearest, quoted
from personae.data.marked import Marked


def mapping(node: Marked, what: str, *, needs: Iterable[str] = (), knows: Iterable[str] = ()) -> dict[str, Marked]:
    """The node's keys and values: all that it `needs`, and none but those and what it `knows`."""
    needs, knows = tuple(needs), tuple(knows)
    expected = f"expected {quoted(needs)}" + (f" and perhaps {quoted(knows)}" if knows else "")
    if not isinstance(node.value, dict):
        raise node.refusal(f"{what} is {node.kind}, not a mapping", expected)
    for key in needs:
        if key not in node.value:
            near = nearest(key, [name for name in node.value if name not in needs + knows])
            meant = f"rename {quoted([near])} to it" if near else f"found {quoted(node.value) or 'no keys'}; {expected}"
            raise node.refusal(f"{what} has no {key!r}", meant)
    for key, value in node.value.items():
        if key not in needs + knows:
            near = nearest(key, [name for name in needs + knows if name not in node.value])
            raise value.refusal(
                f"{what} has the unknown key {quoted([key])}", f"rename it to {near!r}" if near else expected
            )
    return node.value


def items(node: Marked, what: str) -> list[Marked]:
    """The node's members, of which there must be some."""
    if not isinstance(node.value, list):
        raise node.refusal(f"{what} is {node.kind}, not a list", "begin each member with '- '")
    if not node.value:
        raise node.refusal(f"{what} is an empty list", "give at least one")
    return node.value


def text(node: Marked, what: str, *, empty: bool = False) -> str:
    """The node's text, without the line break that ends a block; blank text only where it may be `empty`."""
    if not isinstance(node.value, str):
        raise node.refusal(f"{what} is {node.kind}, not text", "write it in quotes")
    if not empty and not node.value.strip():
        raise node.refusal(f"{what} is empty", "write it, or leave it out")
    return node.value.rstrip("\n")


def texts(node: Marked, what: str) -> tuple[str, ...]:
    """The node's text or list of texts, none of them twice."""
    if not isinstance(node.value, list):
        return (text(node, what),)
    seen: dict[str, None] = {}
    for member in items(node, what):
        words = text(member, f"a member of {what}")
        if words in seen:
            raise member.refusal(f"{what} holds {quoted([words])} twice", "remove one")
        seen[words] = None
    return tuple(seen)


def number(node: Marked, what: str) -> float:
    """The node as a finite number."""
    words = text(node, what)
    try:
        value = float(words)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise node.refusal(f"{what} is {quoted([words])}, not a number", "write it like 0.25")
    return value


def lines(fields: Mapping[str, Marked]) -> dict[str, int]:
    """Where each field stands."""
    return {name: node.line for name, node in fields.items()}
