"""Doses that the user has fitted: `doses.yaml` beside the ledger, entries in the form of the library's file.

An entry goes by what `--model` takes (a name, a Hub id, a folder in full), and before the library's of the same model.
`benchmarks/fit_dose.py` prints entries.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from personae.data.border import built, quoted
from personae.data.fields import lines, mapping, text
from personae.data.marked import Marked, read_marked
from personae.ledger import ledger_file


class DoseEntry(BaseModel):
    """A plan, its coefficient, and how far a new training may land; see `library/doses.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    tuning: Literal["lora", "full"]
    rank: PositiveInt
    alpha: PositiveFloat
    steps: PositiveInt
    batch: PositiveInt
    rate: PositiveFloat
    coefficient: PositiveFloat
    spread: NonNegativeFloat
    residual: NonNegativeFloat
    cast: Annotated[float, Field(ge=0.0, le=1.0)]
    share: NonNegativeFloat
    fitted_on: str


def own_file() -> Path:
    """Where the user's doses lie; there may be none."""
    return ledger_file().with_name("doses.yaml")


def own_doses() -> dict[str, dict[str, Any]]:
    """{model, as it is written: its entry}. Raises `BadInput` at the line of what is wrong with the file."""
    if not own_file().exists():
        return {}
    root = read_marked(own_file())
    models = mapping(root, "the list of doses", knows=root.value if isinstance(root.value, dict) else ())
    return {model: _entry(model, node) for model, node in models.items()}


def _entry(model: str, node: Marked) -> dict[str, Any]:
    what = f"the dose of {quoted([model])}"
    fields = mapping(node, what, needs=tuple(DoseEntry.model_fields))
    given = {key: text(value, f"{key!r} of {what}") for key, value in fields.items()}
    return built(DoseEntry, given, file=node.file, line=node.line, lines=lines(fields)).model_dump()
