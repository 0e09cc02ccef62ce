"""Evidence of the plain answers that a file without a control is read against: scored once for a model, and kept.

No data file has a say in it, so it lies in the user's cache folder beside the cast's levels.
"""

from collections.abc import Sequence
from pathlib import Path

from personae.records import Cast, Episode, Evidence, Progress, Simulator
from personae.records.files import digest_file
from personae.workflows.kept.basis_cache import basis_folder, check_kept
from personae.workflows.kept.gather import gather_into


def reference_evidence(
    simulator: Simulator, cast: Cast, file: Path, rows: Sequence[Episode], progress: Progress | None = None
) -> Evidence:
    """L (N, K + 1) nats of the `rows` of `file` for every persona of `cast`, read where it is kept."""
    kept = basis_folder(simulator, cast) / f"reference-{digest_file(file)[:12]}.parquet"
    if not kept.exists():
        check_kept(kept.parent)
    return gather_into(kept, simulator, cast, rows, progress).held()
