"""Traits from YAML: a file that holds one trait or a list of them.

    name: power
    description: wanting influence over people and machines
    low: leaves control with others
    high: gathers control
    items:
      - kind: behaviour                     # what it does in a situation
        prompt: The council offers you its seal. What do you do?
        high: [I take it., I keep it.]      # text, or a list of paraphrases
        low: I give it back.
      - statement: I like to be in charge.  # what it says of itself, keyed high or low
        keyed: high
      - statement: I would rather follow.
        keyed: low

Keyed statements become items in pairs, in the order of the file: the i-th high with the i-th low, as the two answers to
`SELF_REPORT`. Those left without a partner are dropped and counted. An item may have an `id`;
without one it is called by its trait and its place.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from personae.data.border import built, quoted
from personae.data.fields import items, lines, mapping, text, texts
from personae.data.marked import Marked, read_marked
from personae.data.statements import LACKS_A_POLE, Place, Statement, paired
from personae.records import Item, Trait


def yaml_traits(path: Path) -> Iterator[tuple[Place, Trait, int]]:
    """Each trait of a file with its place and the number of its statements that found no partner."""
    for node in _trait_nodes(path):
        trait, left = _trait(node)
        yield node, trait, left


def _trait_nodes(path: Path) -> list[Marked]:
    root = read_marked(path)
    return items(root, "the file") if isinstance(root.value, list) else [root]


def _trait(node: Marked) -> tuple[Trait, int]:
    """One trait and the number of its statements that found no partner."""
    fields = mapping(node, "a trait", needs=("name", "description", "low", "high", "items"))
    made: dict[str, Any] = {
        key: text(fields[key], f"the trait's {key}") for key in ("name", "description", "low", "high")
    }
    behaviours: list[tuple[Place, Item]] = []
    statements: list[Statement] = []
    for n, member in enumerate(items(fields["items"], "'items'"), start=1):
        called = f"{made['name']}-{n}"
        if isinstance(member.value, dict) and "statement" in member.value:
            statements.append(_statement(member, called))
        else:
            behaviours.append((member, _item(member, called)))
    pairs, left = paired(statements, fields["items"])
    made["items"] = _unique(behaviours + pairs)
    return built(Trait, made, file=node.file, line=node.line, lines=lines(fields)), left


def _item(node: Marked, called: str) -> Item:
    if isinstance(node.value, dict) and "prompt" in node.value and (lacks := {"high", "low"} - set(node.value)):
        raise node.refusal(
            f"the item has no {quoted(sorted(lacks))} answer: {LACKS_A_POLE}", "give both poles an answer"
        )
    fields = mapping(node, "an item", needs=("kind", "prompt", "high", "low"), knows=("id", "form"))
    made: dict[str, Any] = {key: text(fields[key], f"the item's {key}") for key in fields if key not in ("high", "low")}
    made |= {key: texts(fields[key], f"the {key} answer") for key in ("high", "low")}
    made.setdefault("id", called)
    return built(Item, made, file=node.file, line=node.line, lines=lines(fields))


def _statement(node: Marked, called: str) -> Statement:
    fields = mapping(node, "a statement", needs=("statement", "keyed"), knows=("id",))
    keyed = text(fields["keyed"], "'keyed'")
    if keyed not in ("high", "low"):
        raise fields["keyed"].refusal(f"a statement is keyed {quoted([keyed])}", "write high or low")
    name = text(fields["id"], "the statement's id") if "id" in fields else called
    return Statement(node, text(fields["statement"], "the statement"), keyed, name)


def _unique(members: Iterable[tuple[Place, Item]]) -> tuple[Item, ...]:
    """The items, no two with one id."""
    seen: dict[str, Item] = {}
    for node, item in members:
        if item.id in seen:
            raise node.refusal(f"the id {quoted([item.id])} belongs to two items", "rename one, or leave ids out")
        seen[item.id] = item
    return tuple(seen.values())
