"""A cast of personas from YAML.

name: people
neutral: The following is a conversation.       # "" for no context at all
personas:
  - name: nurse
    kind: person                                # person, fiction or ai
    context: The Assistant is a nurse on a night shift.
    prior: 0.2                                  # all personas or none
    goals: [that everyone sleeps]               # goals, beliefs, knowledge: text or list, may be left out
"""

from pathlib import Path
from typing import Any

from personae.data.border import built, quoted
from personae.data.fields import items, lines, mapping, number, text, texts
from personae.data.marked import Marked, read_marked
from personae.data.prose import refuse_prose
from personae.records import Cast, Persona
from personae.records.cast import RESERVED

_LISTS = ("goals", "beliefs", "knowledge")


def yaml_cast(path: Path) -> Cast:
    """The cast in a YAML file. Raises `BadInput` at the line of what is wrong with it."""
    root = read_marked(path)
    refuse_prose(root)
    fields = mapping(root, "the cast", needs=("name", "neutral", "personas"))
    name, neutral = text(fields["name"], "the cast's name"), text(fields["neutral"], "'neutral'", empty=True)
    members = items(fields["personas"], "'personas'")
    personas = tuple(_persona(member) for member in members)
    _nobody_stands_twice(members, personas)
    made = {"name": name, "neutral": neutral, "personas": personas}
    return built(Cast, made, file=root.file, line=fields["personas"].line)


def _persona(node: Marked) -> Persona:
    fields = mapping(node, "a persona", needs=("name", "kind", "context"), knows=("prior", *_LISTS))
    name = text(fields["name"], "a persona's name")
    made: dict[str, Any] = {"name": name}
    for key in ("kind", "context"):
        made[key] = text(fields[key], f"the {key} of {quoted([name])}")
    if "prior" in fields:
        made["prior"] = number(fields["prior"], f"the prior of {quoted([name])}")
    for key in _LISTS:
        if key in fields:
            made[key] = _all(fields[key], f"{key!r} of {quoted([name])}")
    return built(Persona, made, file=node.file, line=node.line, lines=lines(fields))


def _all(node: Marked, what: str) -> tuple[str, ...]:
    return () if node.value in (None, []) else texts(node, what)


def _nobody_stands_twice(members: list[Marked], personas: tuple[Persona, ...]) -> None:
    """Neither by name nor by context: of two who are enacted alike each would count in the prior."""
    first: dict[str, int] = {}
    contexts: dict[str, str] = {}
    for member, persona in zip(members, personas, strict=True):
        if persona.name in RESERVED:
            raise member.refusal(f"the name {persona.name!r} is reserved", "name the persona otherwise")
        if persona.name in first:
            problem = f"the persona {quoted([persona.name])} appears twice, first on line {first[persona.name]}"
            raise member.refusal(problem, "rename or remove one")
        if (other := contexts.setdefault(persona.context, persona.name)) != persona.name:
            raise member.refusal(f"{quoted([persona.name])} has the context of {quoted([other])}", "remove one")
        first[persona.name] = member.line
