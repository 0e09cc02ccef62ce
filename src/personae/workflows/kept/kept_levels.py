"""The Assistant's own levels on one model, measured once for a run folder."""

from collections.abc import Sequence
from pathlib import Path

from personae.measure import NOBODY, levels
from personae.records import Simulator, Trait
from personae.records.results import Floats
from personae.workflows.kept.levels_file import read_levels, write_levels
from personae.workflows.watch import Watch


def kept_levels(simulator: Simulator, traits: Sequence[Trait], kept: Path, watch: Watch) -> dict[str, Floats]:
    """{trait: (I,)} nats, by the items' own answers; read from the file `kept`, or measured and written there."""
    if not kept.exists():
        with watch(f"{simulator.name}: traits", "answers") as progress:
            write_levels(kept, levels(simulator, traits, {NOBODY: ""}, progress))
    return read_levels(kept).row(NOBODY)
