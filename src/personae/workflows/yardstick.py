"""The untrained model beside a trained one: the yardstick of its coherence."""

from typing import TYPE_CHECKING

from personae.errors import BadInput
from personae.simulator.registry import open_model
from personae.workflows.nouns_for import base_of

if TYPE_CHECKING:
    from personae.records import Simulator


def open_untrained(model: str, named: str | None, dtype: str) -> tuple["Simulator | None", str]:
    """The model that `model` was trained from, and why there is none, where it names one that cannot be opened.

    `named` is the user's own choice, which must open; otherwise it is the one that the checkpoint names.
    """
    if named is not None:
        return open_model(named, dtype=dtype), ""
    base = base_of(model)
    if base is None:
        return None, ""
    try:
        return open_model(base, dtype=dtype), ""
    except BadInput as problem:
        return None, f"the coherence of {model} has no yardstick: {problem}"
