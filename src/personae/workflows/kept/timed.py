"""How long each piece of work took, noted as it is watched."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from personae.records import Progress
from personae.workflows.kept.folder import RunFolder
from personae.workflows.watch import Watch


@dataclass
class Timed:
    """A watch that also keeps how long each piece of work took: `seconds` {what: s}, and in `folder` over processes."""

    watch: Watch
    folder: RunFolder | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, what: str, unit: str) -> Iterator[Progress]:
        """Watch a piece of work, and note its time when it ends, well or not."""
        begun = time.monotonic()
        try:
            with self.watch(what, unit) as progress:
                yield progress
        finally:
            took = time.monotonic() - begun
            self.seconds[what] = round(self.seconds.get(what, 0.0) + took, 1)
            if self.folder is not None:
                self.folder.spend(what, took)
