"""How long a study took, which is said where one process did all of it: what it found kept cost time that nobody noted.

It stands in `run.json` alone, as all that varies from run to run.
"""

import os
from pathlib import Path

from personae.records import Took
from personae.studies.request import StudyRequest
from personae.workflows.kept.folder import RunFolder, read_record


def held(folder: RunFolder) -> frozenset[Path]:
    """The trainings and the evidence that lie in the folder."""
    return frozenset(folder.path.glob("*/*.parquet"))


def lasted(folder: RunFolder, request: StudyRequest, before: frozenset[Path]) -> Took | None:
    """How long it took until now; None where the folder held something `before`, or a cluster worked on it."""
    if before or request.engine == "ray":
        return None
    return Took(folder.spent, request.workers, os.cpu_count() or 1)


def noted(folder: RunFolder) -> Took | None:
    """How long it took, as it was noted when it ended."""
    found = read_record(folder.path).get("took")
    return Took(**found) if found else None
