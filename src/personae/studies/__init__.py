"""The laboratory's studies: each declares its arms and reads its finding off the workflows.

A study is a module of this package with a `STUDY`; `find(name)` imports it when it is asked for.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from personae.errors import BadInput

if TYPE_CHECKING:
    from personae.studies.request import Runs

STUDIES = (
    "headline",
    "prior",
    "narrow",
    "transfer",
    "inoculation",
    "role-models",
    "emotions",
    "human-likeness",
    "non-human",
    "refinement",
    "context",
    "declared",
    "capability",
    "preference",
    "entanglement",
    "alice-bob",
    "scale",
    "weakening",
    "fresh",
)


def find(name: str) -> "Runs":
    """The study called `name`. Raises `BadInput` where there is none."""
    if name not in STUDIES:
        near = get_close_matches(name, STUDIES, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(STUDIES)}"
        raise BadInput(f"there is no study {name!r}", remedy=remedy)
    found: Runs = import_module(f"personae.studies.{name.replace('-', '_')}").STUDY
    return found
