"""What a study is asked, and what it gives back."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from personae.records import Finding, Progress
from personae.simulator.devices import Engine, check_engine
from personae.workflows.watch import Watch, unwatched

SEEDS = {"quick": 1, "default": 3, "full": 8}


@dataclass(frozen=True)
class StudyRequest:
    """`out` the run folder (default: by the configuration's digest); `quick` and `full` choose the size.

    `seeds`: how many trainings each arm has, from `seed` on (None: as many as the size has).
    `progress(done, total)` counts trainings. `model` is the laboratory's model, by name or folder. `in_site`: its page
    is one of a site, and links back. `workers` trainings run side by side on the `engine` (`workflows.parallel`).
    """

    out: Path | None = None
    seed: int = 0
    quick: bool = False
    full: bool = False
    seeds: int | None = None
    model: str = "lab"
    workers: int = 2
    engine: Engine = "local"
    progress: Progress | None = None
    in_site: bool = False
    watch: Watch = unwatched  # what else takes time, watched as a piece of work of its own

    @property
    def size(self) -> str:
        """`quick`, `default` or `full`."""
        return "quick" if self.quick else "full" if self.full else "default"

    @property
    def every_seed(self) -> range:
        """The seeds that every arm is trained at."""
        return range(self.seed, self.seed + (self.seeds or SEEDS[self.size]))

    def again(self, study: str) -> str:
        """The command that makes the study's finding again."""
        asked = "" if self.size == "default" else f" --{self.size}"
        asked += f" --seeds {self.seeds}" if self.seeds else ""
        return f"personae study {study}{asked}{self.elsewhere}"

    @property
    def elsewhere(self) -> str:
        """The options that name another seed or model than the usual."""
        asked = f" --seed {self.seed}" if self.seed else ""
        return f"{asked} --model {shlex.quote(self.model)}" if self.model != "lab" else asked

    def __post_init__(self) -> None:
        """Refuse an engine that is not there before any work."""
        check_engine(self.engine)


@dataclass(frozen=True)
class StudyResult:
    """`result` as JSON, a `summary` for the terminal, the run folder, and the `page` (HTML) if the study draws one.

    `finding` is what a study of the theory found; the laboratory's main job has a page of its own instead.
    """

    result: dict[str, Any]
    summary: str
    folder: Path
    page: str | None = None
    notes: tuple[str, ...] = field(default=())
    finding: Finding | None = None


class Runs(Protocol):
    """What can be run by name: its `claim` is what it shows, in a sentence."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def claim(self) -> str:
        """What the theory says, and the study tries."""
        ...

    def run(self, request: StudyRequest) -> StudyResult:
        """Do it."""
        ...


@dataclass(frozen=True)
class Main:
    """A job with a page of its own that is run like a study."""

    name: str
    claim: str
    work: Callable[[StudyRequest], StudyResult]

    def run(self, request: StudyRequest) -> StudyResult:
        """Do it."""
        return self.work(request)
