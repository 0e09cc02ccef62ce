"""How coherent a model is, measured once for a run and kept in its folder."""

from collections.abc import Sequence
from pathlib import Path

from personae.measure import coherence
from personae.records import Simulator, Trait
from personae.records.files import read_json, write_json
from personae.workflows.watch import Watch


def kept_coherence(file: Path, what: str, simulator: Simulator, traits: Sequence[Trait], watch: Watch) -> float:
    """The coherence of `simulator`, called `what`, on all items of `traits`; measured, or read from `file`."""
    if not file.exists():
        with watch(f"the coherence of {what}", "answers") as progress:
            write_json(file, coherence(simulator, traits, progress))
    return float(read_json(file))
