"""What a study is asked, and what it gives back; every study is a module with `NAME`, `SAYS` and `run`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personae.records import Progress


@dataclass(frozen=True)
class StudyRequest:
    """`out` the run folder (default: by the configuration's digest); `quick` and `full` choose the size.

    `progress(done, total)` counts trainings. `model` is the laboratory's model, by name or folder.
    """

    out: Path | None = None
    seed: int = 0
    quick: bool = False
    full: bool = False
    model: str = "lab"
    workers: int = 2
    progress: Progress | None = None


@dataclass(frozen=True)
class StudyResult:
    """`result` as JSON, the `page` (HTML) if the study draws one, a `summary` for the terminal, and the run folder."""

    result: dict[str, Any]
    summary: str
    folder: Path
    page: str | None = None
    notes: tuple[str, ...] = field(default=())
