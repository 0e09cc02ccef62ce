"""The errors a user can meet, one small tree; the command line turns each into one line and an exit status."""


class PersonaeError(Exception):
    """Anything this package raises on purpose. `exit_status` is what the command line returns."""

    exit_status = 1


class BadInput(PersonaeError):
    """A file, model or option that cannot be used: says which file, which line, and what to do."""

    exit_status = 2

    def __init__(self, problem: str, *, file: object = None, line: int | None = None, remedy: str = "") -> None:
        where = "" if file is None else f"{file}: " if line is None else f"{file}, line {line}: "
        super().__init__(f"{where}{problem}" + (f" - {remedy}" if remedy else ""))
        self.problem, self.file, self.line, self.remedy = problem, file, line, remedy


class RunFolderMismatch(BadInput):
    """A run folder that another configuration made."""


class TreatmentNotApplied(PersonaeError):
    """A prompt, hook, row or training step that should have taken effect and did not."""


class RunFailed(PersonaeError):
    """The work itself failed (disk full, server gone, loss not a number); what was done is kept."""


class BoundCrossed(PersonaeError):
    """A `--fail-if` bound was crossed."""
