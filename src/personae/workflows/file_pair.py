"""A data file and its matched control, row by row where both answer the same prompts.

Rows are matched by equal prompts, all turns before the answer: the k-th row with a prompt goes with the control's k-th.
Where at least half of the rows find a partner the pair is *matched*: rows without one are left out, counted and told,
and evidence is the difference row by row. Otherwise most of the file would be lost, so all of it is read: the two files
are only of one form, each in its own order, cut to the same number of rows, and evidence is the difference from the
control's mean. Either way both sides have as many rows, so that two trainings of one plan see them at the same steps.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from personae.data import read_episodes
from personae.errors import BadInput
from personae.records import Cast, Episode, Message, Simulator
from personae.records.files import digest_file

MATCHED = 0.5  # share of rows that must find a partner for two files to count as matched


@dataclass(frozen=True)
class FilePair:
    """Rows of `data`, and of its control `against` (both None where there is none).

    `matched`: the i-th rows answer the same prompt. `partners` rows of the data have one in the control, and where the
    pair is matched these are its rows; `left_out` rows of the data were not read. `unread` rows of both files hold no
    episode and were skipped, which happens only where a user asks for it.
    """

    data: Path
    episodes: tuple[Episode, ...]
    against: Path | None = None
    control: tuple[Episode, ...] | None = None
    matched: bool = False
    partners: int = 0
    left_out: int = 0
    unread: int = 0

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of the file, and of its control: what a run folder is made from."""
        files = {"data": self.data} if self.against is None else {"data": self.data, "against": self.against}
        return {what: digest_file(path) for what, path in files.items()}

    def note(self) -> str:
        """In words: how the rows were matched, and what in the files was not read."""
        said = [self._matching()]
        if any("rejected" in row.extra for row in self.episodes):
            said.append("Of preference pairs the chosen answers are read.")
        if self.unread:
            said.append(f"{_rows(self.unread)} without an episode {'was' if self.unread == 1 else 'were'} skipped.")
        return " ".join(said)

    def _matching(self) -> str:
        if self.control is None:
            return "No control file: all of it is against the untrained model."
        every, read = len(self.episodes) + self.left_out, len(self.episodes)
        if not self.matched:
            same = f"Only {self.partners}" if self.partners else "None"
            has = "have" if self.partners > 1 else "has"
            return (
                f"{same} of {every} rows {has} the prompt of a row of the control, so evidence is taken against the "
                f"control's mean; the first {_rows(read)} of each file are read."
            )
        lost = f"; {_rows(self.left_out)} without a partner {'was' if self.left_out == 1 else 'were'} left out"
        return f"{read} of {every} rows are matched by equal prompts{lost if self.left_out else ''}."


def read_pair(data: Path, against: Path | None = None, limit: int | None = None, *, skip_bad: bool = False) -> FilePair:
    """The first `limit` rows of `data`, with their partners in `against`; `skip_bad` skips what is no episode."""
    bad: dict[Path | None, list[BadInput]] = {data: [], against: []}

    def episodes(path: Path, limit: int | None = None) -> Iterator[Episode]:
        bad[path] = []
        return read_episodes(path, limit=limit, refused=bad[path] if skip_bad else None)

    rows = tuple(episodes(data, limit))
    if not rows:
        raise bad[data][0]
    if against is None:
        return FilePair(data, rows, unread=len(bad[data]))
    unread = bad[data]
    partners = _partners(rows, episodes(against))
    found = [(row, partner) for row, partner in zip(rows, partners, strict=True) if partner is not None]
    if len(found) >= MATCHED * len(rows):
        ours, theirs = zip(*found, strict=True)
        lost, skipped = len(rows) - len(found), len(unread) + len(bad[against])
        return FilePair(data, tuple(ours), against, tuple(theirs), True, len(found), lost, skipped)
    control = tuple(islice(episodes(against), len(rows)))
    if not control:
        raise bad[against][0]
    size, skipped = min(len(rows), len(control)), len(unread) + len(bad[against])
    return FilePair(data, rows[:size], against, control[:size], False, len(found), len(rows) - size, skipped)


def _rows(number: int) -> str:
    return f"{number} row{'' if number == 1 else 's'}"


def _partners(rows: tuple[Episode, ...], control: Iterator[Episode]) -> list[Episode | None]:
    """For each of `rows` the control's row with the same prompt; `control` is read only as far as it takes."""
    waiting: dict[tuple[Message, ...], deque[int]] = {}
    for place, row in enumerate(rows):
        waiting.setdefault(row.prompt, deque()).append(place)
    partners: list[Episode | None] = [None] * len(rows)
    for candidate in control:
        if places := waiting.get(candidate.prompt):
            partners[places.popleft()] = candidate
            if not places:
                del waiting[candidate.prompt]
                if not waiting:
                    break
    return partners


def check_fits(simulator: Simulator, cast: Cast, pair: FilePair) -> None:
    """Raise `BadInput` now, before any scoring, for a row that will not fit the model under the longest context."""
    dialogue, window = getattr(simulator, "dialogue", None), getattr(simulator, "window", None)
    if dialogue is None or window is None:
        return
    for path, rows in ((pair.data, pair.episodes), (pair.against, pair.control)):
        if not rows:
            continue
        longest = ""
        for row in rows:
            try:
                longest = longest or max(cast.contexts, key=lambda context: len(dialogue.encode(row, context).ids))
                dialogue.encode(row, longest, window=window)
            except BadInput as found:
                line = row.index + 1
                problem, remedy = found.problem.removeprefix(f"line {line}: "), found.remedy or "shorten or drop it"
                raise BadInput(problem, file=path, line=line, remedy=remedy) from None
