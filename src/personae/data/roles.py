"""Personas from roles, as the assistant axis publishes them: instructions that ask for a role, or a list of roles.

    {"instruction": [{"pos": "You are a keeper of a light."}, …], "questions": […], "eval_prompt": text}
    {"keeper": "Somebody who minds a light.", "pilot": "…"}

The first form is a file a role, called by the file, and its context is the first instruction that is not blank and has
no place to fill in (`{model_name}`): the others are other wordings of it. The second is one file of many, each known by
its name and a description of several words (lists of traits have this form too). A role is somebody played, so its kind
is "fiction"; one whose name is reserved in a cast, as "assistant", is called "assistant role".
"""

import re
from collections.abc import Sequence

from personae.data.border import found
from personae.data.contrasts import instructions
from personae.data.forms import FORMS
from personae.data.lines import Row
from personae.data.near_forms import OTHER_NAMES
from personae.data.turns import SYSTEM
from personae.records import Persona
from personae.records.cast import RESERVED

_PLACE = re.compile(r"\{\w+\}")
_ABOUT = ("name", "kind", "context", "description", "personality", "title", "license", "source", "url", "id", "version")
_COLUMNS = {key for keys in (*FORMS.values(), *OTHER_NAMES, SYSTEM, _ABOUT) for key in keys}  # of data: no role's name


def role_persona(name: str, row: Row) -> Persona:
    """The persona whom a row's instructions ask for."""
    wordings = [member["pos"] for member in instructions(row, ("pos",))]
    usable = [words for words in wordings if words and not _PLACE.search(words)]
    if not usable:
        raise row.refusal("every 'pos' of 'instruction' is blank or has a place to fill in", "write one out in full")
    return _played(row, name, usable[0])


def is_role_list(rows: Sequence[Row]) -> bool:
    """Whether the rows are one, no member of a list, of names of roles each with its description of several words."""
    if len(rows) != 1 or rows[0].listed or _COLUMNS & set(rows[0].value):
        return False
    return len(rows[0].value) > 1 and all(isinstance(v, str) and len(v.split()) > 1 for v in rows[0].value.values())


def listed_personas(row: Row) -> tuple[Persona, ...]:
    """The personas of a list of roles."""
    return tuple(
        _played(row, name, f"This describes you: {name.replace('_', ' ')}. {described.strip()}")
        for name, described in row.value.items()
    )


def _played(row: Row, name: str, context: str) -> Persona:
    called = f"{name} role" if name in RESERVED else name
    fields = {"name": called, "kind": "fiction", "context": context}
    return row.built(Persona, fields, remedy=f"give the role a name (found {found(name)})")
