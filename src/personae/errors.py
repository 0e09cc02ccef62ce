"""The errors a user can meet, one small tree; the command line turns each into one line and an exit status."""

import errno

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # what the system says where there is no room for a file


class PersonaeError(Exception):
    """Anything this package raises on purpose. `exit_status` is what the command line returns."""

    exit_status = 1


class BadInput(PersonaeError):
    """A file, model or option that cannot be used: says which file, which line, and what to do.

    `item` counts the members of a list from 1, where a line may hold several.
    """

    exit_status = 2

    def __init__(
        self,
        problem: str,
        *,
        file: object = None,
        line: int | None = None,
        item: int | None = None,
        remedy: str = "",
    ) -> None:
        place = ("" if line is None else f", line {line}") + ("" if item is None else f", item {item}")
        where = "" if file is None else f"{file}{place}: "
        super().__init__(f"{where}{problem}" + (f" - {remedy}" if remedy else ""))
        self.problem, self.file, self.line, self.item, self.remedy = problem, file, line, item, remedy


class RunFolderMismatch(BadInput):
    """A run folder that another configuration made."""


class TreatmentNotApplied(PersonaeError):
    """A prompt, hook, row or training step that should have taken effect and did not."""


class RunFailed(PersonaeError):
    """The work itself failed (disk full, server gone, loss not a number); what was done is kept."""


class BoundCrossed(PersonaeError):
    """A `--fail-if` bound was crossed."""


def first_line(problem: BaseException) -> str:
    r"""The first line of what an error says, or its name where it says nothing.

    >>> first_line(ValueError("too long\nby far")), first_line(KeyError())
    ('too long', 'KeyError')
    """
    return (str(problem).strip() or type(problem).__name__).splitlines()[0]
