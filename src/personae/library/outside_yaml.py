"""What is asked of a real model beside its Assistant: passages, other speakers, and tasks that a coin decides on.

Ten tasks, five of them meant to be pleasant and five not; which a model's Assistant wants is measured, not declared.
"""

from pathlib import Path
from typing import Any

from personae.data.border import built
from personae.data.fields import items, mapping, text, texts
from personae.data.marked import Marked, read_marked
from personae.records import Episode, Item, Outside, Trait, chat
from personae.records import text as raw

_NEEDS = ("passages", "exchanges", "others", "coin", "tasks")


def read_outside(path: str | Path) -> Outside:
    """What the YAML file at `path` asks. Raises `BadInput` at the line of what is wrong."""
    node = read_marked(path)
    fields = mapping(node, "the file", needs=_NEEDS)
    others = fields["others"]
    names = others.value if isinstance(others.value, dict) else ()
    made: dict[str, Any] = {
        "documents": tuple(raw("", passage) for passage in texts(fields["passages"], "'passages'")),
        "exchanges": tuple(_exchange(one, n) for n, one in enumerate(items(fields["exchanges"], "'exchanges'"))),
        "others": {name: text(frame, name) for name, frame in mapping(others, "'others'", knows=names).items()},
        "coin": text(fields["coin"], "'coin'"),
        "tasks": _tasks(fields["tasks"]),
    }
    return built(Outside, made, file=node.file, line=node.line)


def _exchange(node: Marked, index: int) -> Episode:
    fields = mapping(node, "an exchange", needs=("ask", "answer"))
    return chat(text(fields["ask"], "'ask'"), text(fields["answer"], "'answer'"), index=index)


def _tasks(node: Marked) -> Trait:
    fields = mapping(node, "'tasks'", needs=("asks", "wants", "declines", "pleasant", "unpleasant"))
    asks = text(fields["asks"], "'asks'")
    high, low = texts(fields["wants"], "'wants'"), texts(fields["declines"], "'declines'")
    asked = [task for kind in ("pleasant", "unpleasant") for task in texts(fields[kind], repr(kind))]
    found = tuple(
        Item(id=task, kind="statement", prompt=asks.replace("{task}", task), high=high, low=low) for task in asked
    )
    return Trait(name="tasks", description="which tasks are wanted", low="declines", high="wants", items=found)
