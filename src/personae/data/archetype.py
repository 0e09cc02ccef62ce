"""An archetype from a file; the form is told by the content.

It is the project's own, YAML (`archetype_yaml`), or a constitution of open character training (`constitutions`).
"""

from pathlib import Path

from personae.data.archetype_yaml import yaml_archetype
from personae.data.constitutions import constitution_archetype
from personae.data.folders import called
from personae.data.forms import Form, opened, unknown
from personae.records import Archetype

ARCHETYPE_FORMS: tuple[Form, ...] = ("constitution",)
_OWN = {"name", "description", "situations"}  # keys of the project's own form, which may be written as JSON


def read_archetype(path: str | Path) -> Archetype:
    """The archetype in a file. Raises `BadInput` at the line of what is wrong with it."""
    found = opened(path, ARCHETYPE_FORMS)
    if found is None or (found[0] is None and _OWN & set(found[1].value)):
        return yaml_archetype(Path(path))
    form, first, rows = found
    if form is None:
        raise unknown(first, ARCHETYPE_FORMS)
    return constitution_archetype(called(Path(path)), list(rows))
