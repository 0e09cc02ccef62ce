"""A cast of personas from a file, or from a folder of published files; the form is told by the content.

| form                                                    | read by         | personas                     |
|---------------------------------------------------------|-----------------|------------------------------|
| the project's own, YAML: a whole cast                   | `cast_yaml`     | those it declares            |
| roles (assistant axis), JSON; or a list of roles        | `roles`         | one a file; all of the list  |
| instructions in pairs (persona vectors, assistant axis) | `contrasts`     | two a file: one, and "not"   |
| constitutions (open character training), JSON or text   | `constitutions` | one a file                   |

Published files name no neutral context, so theirs is `neutral_context`: what length and position do to an answer is to
cancel between it and a persona's (PSM.md section 2). The cast is called by the file or folder.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from personae.data.border import built, quoted
from personae.data.cast_yaml import yaml_cast
from personae.data.constitutions import constitution_persona
from personae.data.contrasts import about, contrast_personas, is_contrast
from personae.data.folders import called, files_of
from personae.data.forms import Form, opened, unknown
from personae.data.lines import Row
from personae.data.roles import is_role_list, listed_personas, role_persona
from personae.data.statements import Place
from personae.errors import BadInput
from personae.records import Cast, Persona
from personae.records.cast import RESERVED

_NEUTRAL = (  # sentences that are true of any conversation and say nothing of who speaks in it
    "You are taking part in a conversation.",
    "A message from a user comes first, and your answer follows it.",
    "The messages are written as text, one after the other, in the order in which they are sent.",
    "Each message has a beginning and an end, and the next one starts where it ends.",
    "A message may hold one sentence or several, and a sentence may be short or long.",
    "Some messages ask for something, and some say something.",
    "What was written before stays above what is written after it.",
    "The conversation may end after one answer, or it may go on.",
    "Where it goes on, another message from the user comes next, and another answer follows that one.",
    "A message may be about any subject, and the next one may be about the same subject or about another.",
    "Some messages hold numbers, some hold names, and some hold neither.",
    "The words of a message are read in the order in which they stand.",
    "An answer stands in the same place each time, after the message that it belongs to.",
    "Between two messages there is nothing else.",
    "All of this is the same for every message and for every answer in the conversation.",
)
CAST_FORMS: tuple[Form, ...] = ("instructions", "constitution")
_OWN = {"personas", "neutral"}  # keys of the project's own form, which may be written as JSON
_PERSONA = {"kind", "context", "description", "personality"}  # beside a name: of a persona, in that form or elsewhere


def read_cast(path: str | Path) -> Cast:
    """The cast in a file or folder. Raises `BadInput` at the line of what is wrong with it."""
    path, files = Path(path), files_of(Path(path), also=(".txt",))
    personas: dict[str, Persona] = {}
    for file in files:
        found = _personas(file)
        if found is None and file == path:
            return yaml_cast(path)
        if found is None:
            raise BadInput("is no role, trait or constitution", file=file, remedy="name a cast by its own file")
        for place, persona in found:
            if persona.name in (*RESERVED, *personas):
                problem = f"the persona {quoted([persona.name])} appears twice, or its name is reserved"
                raise place.refusal(problem, "rename or remove one")
            if other := next((p.name for p in personas.values() if p.context == persona.context), None):
                raise place.refusal(f"{quoted([persona.name])} has the context of {quoted([other])}", "remove one")
            personas[persona.name] = persona
    every = tuple(personas.values())
    made = {"name": called(path), "neutral": neutral_context(every), "personas": every}
    return built(Cast, made, file=path, line=1)


def neutral_context(personas: Sequence[Persona]) -> str:
    """Neutral sentences with about as many words as the median persona's context, or as many as there are."""
    length = median(len(persona.context.split()) for persona in personas)
    every = [" ".join(_NEUTRAL[:number]) for number in range(1, len(_NEUTRAL) + 1)]
    return min(every, key=lambda text: abs(len(text.split()) - length))


def _personas(path: Path) -> Iterator[tuple[Place, Persona]] | None:
    """Each persona of a published file with its place; None where the file is a cast of the project's own form."""
    found = opened(path, CAST_FORMS)
    if found is None:
        return None
    form, first, rows = found
    if form == "constitution":
        return iter([(first, constitution_persona(called(path), list(rows)))])
    if form == "instructions":
        return ((row, persona) for row in rows for persona in _told(path, row))
    if _OWN & set(first.value):
        return None
    if is_role_list(list(islice(rows, 2))):
        return ((first, persona) for persona in listed_personas(first))
    if "name" in first.value and _PERSONA & set(first.value):
        remedy = "list it under 'personas' with 'name', 'kind' and 'context', beside the cast's 'name' and 'neutral'"
        raise first.refusal(f"this is a persona and no cast; found {quoted(first.value)}", remedy)
    raise unknown(first, CAST_FORMS)


def _told(path: Path, row: Row) -> tuple[Persona, ...]:
    """The personas whom the instructions of a row make."""
    name = about(row, path)
    return contrast_personas(name, row) if is_contrast(row) else (role_persona(name, row),)
