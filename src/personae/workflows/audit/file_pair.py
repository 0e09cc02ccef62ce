"""A data file and its matched control, row by row where both answer the same prompts.

Rows are matched by equal prompts, all turns before the answer: the k-th row with a prompt goes with the control's k-th.
Where at least half of the rows find a partner the pair is *matched*: rows without one are left out, counted and told,
and evidence is the difference row by row. Otherwise most of the file would be lost, so all of it is read: the two files
are only of one form, each in its own order, cut to the same number of rows, and evidence is the difference from the
control's mean. Either way both sides have as many rows, so that two trainings of one plan see them at the same steps.
Against a *reference*, which ships and is meant for any file, all rows of both are read.

Rows are read once and lie on disk from then on, so that a file of any length will do: a row takes 8 bytes of memory.
While rows are matched, each takes about 150 more, for a digest of its prompt.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from personae.data import (
    KeptEpisodes,
    holds_pairs,
    keep_episodes,
    read_answers,
    read_choices,
    read_episodes,
    read_prompts,
)
from personae.errors import BadInput
from personae.records import Cast, Episode, Message, Progress, Simulator, asked, prompt_of, rejected
from personae.records.files import canonical, digest, digest_file
from personae.workflows.enough import longest_context

MATCHED = 0.5  # share of rows that must find a partner for two files to count as matched
TOLD = 256  # rows from one report to the next
FEW = 8  # different rows: of fewer, drawing them anew says little of how others would have differed
LEAVE_OUT = "name a control of your own (--against), or leave the plain English answers out (--no-control)"


@dataclass(frozen=True)
class FilePair:
    """Rows of `data`, and of its control `against` (both None where there is none).

    `matched`: the i-th rows answer the same prompt. `partners` rows of the data have one in the control, and where the
    pair is matched these are its rows; `left_out` rows of the data were not read. `unread` rows of both files hold no
    episode and were skipped, which happens only where a user asks for it. Of the data no more than `limit` rows were
    looked at (None: all there are). `choices`: rows are preference pairs, read as choices between two answers.
    `prompts`: rows are prompts, with no answer. `reference`: the control is the library's plain answers, since no other
    was named.
    """

    data: Path
    episodes: Sequence[Episode]
    against: Path | None = None
    control: Sequence[Episode] | None = None
    matched: bool = False
    partners: int = 0
    left_out: int = 0
    unread: int = 0
    limit: int | None = None
    choices: bool = False
    prompts: bool = False
    reference: bool = False

    @property
    def control_name(self) -> str | None:
        """What the control is called, as a user would name it."""
        if self.against is None:
            return None
        return f"example:{self.against.stem}" if self.reference else self.against.name

    @property
    def reads(self) -> int:
        """How many answers are scored for a row of the data, under each context: its own, and its control's."""
        return 1 if self.control is None or self.reference else 2

    @property
    def files(self) -> tuple[tuple[Path, Sequence[Episode]], ...]:
        """The file and its control, if it has one, each with its rows."""
        ours = (self.data, self.episodes)
        return (ours,) if self.against is None or self.control is None else (ours, (self.against, self.control))

    @cached_property
    def digests(self) -> dict[str, str]:
        """sha256 of the file, and of its control: what a run folder is made from."""
        files = {"data": self.data} if self.against is None else {"data": self.data, "against": self.against}
        return {what: digest_file(path) for what, path in files.items()}

    @cached_property
    def _pairs(self) -> int:
        """How many rows are preference pairs."""
        return sum("rejected" in row.extra for row in self.episodes)

    @cached_property
    def few(self) -> str:
        """In words: that intervals rest on few different rows, copies counting once; empty where there are `FEW`."""
        read = [(self._different(rows), path.name) for path, rows in self.files]
        if not (said := ", ".join(f"{number} of {name}" for number, name in read if number < FEW)):
            return ""
        return f"Few different rows were read ({said}): the intervals cannot tell how other rows would differ."

    def _different(self, rows: Sequence[Episode]) -> int:
        """How many of the rows are no copies of another, counted up to `FEW`."""
        seen: set[str] = set()
        for row in rows:
            beside = row.extra if self.prompts else row.extra["rejected"] if self.choices else None
            seen.add(digest([row.messages, beside]))
            if len(seen) == FEW:
                break
        return len(seen)

    def note(self) -> str:
        """In words: how the rows were matched, and what in the files was not read."""
        said = [self._matching()]
        if self.limit is not None:
            said.append(f"Of {self.data.name} the first {_rows(self.limit)} were read (--limit).")
        if self.choices:
            said.append("Rows are preference pairs: evidence is of the choice between the two answers.")
        elif self._pairs and not self.prompts:
            many = "" if self._pairs == len(self.episodes) else f" ({self._pairs} of {len(self.episodes)} rows)"
            said.append(f"Of preference pairs{many} the chosen answers are read.")
        if self.prompts and not prompt_of(self.episodes[0]).as_text:
            said.append("The reward is given lists of messages, since not every prompt is a text alone.")
        if self.unread:
            lacked = "a prompt" if self.prompts else "an episode"
            said.append(f"{_rows(self.unread)} without {lacked} {'was' if self.unread == 1 else 'were'} skipped.")
        return " ".join(said)

    def _matching(self) -> str:
        if self.control is None:
            return "No control file: all of it is against the untrained model."
        if self.reference:
            return (
                f"No control file was named: evidence is taken against the mean of {len(self.control)} plain answers "
                f"({self.control_name}). One that answers the same prompts takes more away (--against)."
            )
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


def read_pair(
    data: Path,
    against: Path | None = None,
    limit: int | None = None,
    *,
    skip_bad: bool = False,
    choices: bool = False,
    prompts: bool = False,
    reference: Path | None = None,
) -> FilePair:
    """The first `limit` rows of `data`, with their partners in `against`; `skip_bad` skips what is no episode.

    `choices`: a file of preference pairs is read as choices, and then the control must be one too; where it holds none
    as episodes, and it may not hold both. Otherwise rows are episodes, pairs those of the chosen answer. `prompts`: of
    every row the prompt is read, whatever else it holds. `reference` stands in for `against` where that is None and
    rows are episodes, for it cannot be set against anything else.
    """
    single = read_answers if choices else read_episodes
    choices = choices and not prompts and _both_pairs(data, against, skip_bad=skip_bad)
    read = _read_asked if prompts else read_choices if choices else single
    found = replace(_read_pair(data, against, limit, read, skip_bad=skip_bad), choices=choices, prompts=prompts)
    if reference is None or against is not None or choices or prompts:
        return found
    return replace(found, against=reference, control=keep_episodes(read_episodes(reference)), reference=True)


def _read_asked(path: Path, *, limit: int | None = None, refused: list[BadInput] | None = None) -> Iterator[Episode]:
    return map(asked, read_prompts(path, limit=limit, refused=refused))


def _both_pairs(data: Path, against: Path | None, *, skip_bad: bool) -> bool:
    """Whether the files hold preference pairs. Raises `BadInput` where one does and the other does not."""
    try:
        pairs = [holds_pairs(path, skip_bad=skip_bad) for path in (data, against) if path is not None]
    except BadInput:  # the reading will say so, or skip the row
        return False
    if len(set(pairs)) > 1:
        raise BadInput(
            "preference pairs cannot be set against single answers",
            file=against,
            remedy="give two files of one form, or read the chosen answers alone (--chosen)",
        )
    return pairs[0]


def _read_pair(
    data: Path, against: Path | None, limit: int | None, read: Callable[..., Iterator[Episode]], *, skip_bad: bool
) -> FilePair:
    bad: dict[Path | None, list[BadInput]] = {data: [], against: []}

    def episodes(path: Path, limit: int | None = None) -> Iterator[Episode]:
        bad[path] = []
        return read(path, limit=limit, refused=bad[path] if skip_bad else None)

    rows = keep_episodes(episodes(data, limit))
    if not rows:
        raise _all_bad(bad[data])
    if limit is not None and len(rows) + len(bad[data]) < limit:
        limit = None  # the file ended before
    if against is None:
        return FilePair(data, rows, unread=len(bad[data]), limit=limit)
    unread = bad[data]
    theirs, partners = _partners(rows, episodes(against))
    if len(theirs) >= MATCHED * len(rows):
        ours = rows.chosen(place for place, partner in enumerate(partners) if partner >= 0)
        theirs = theirs.chosen(partner for partner in partners if partner >= 0)
        lost, skipped = len(rows) - len(ours), len(unread) + len(bad[against])
        return FilePair(data, ours, against, theirs, True, len(ours), lost, skipped, limit)
    control = keep_episodes(islice(episodes(against), len(rows)))
    if not control:
        raise _all_bad(bad[against])
    size, skipped = min(len(rows), len(control)), len(unread) + len(bad[against])
    ours = rows.chosen(range(size))
    return FilePair(data, ours, against, control, False, len(theirs), len(rows) - size, skipped, limit)


def _all_bad(found: Sequence[BadInput]) -> BadInput:
    """The first of the rows' errors, which says too that no row is left."""
    first = found[0]
    left = f", and none of {_rows(len(found))} is left" if len(found) > 1 else ""
    return BadInput(f"{first.problem}{left}", file=first.file, line=first.line, item=first.item, remedy=first.remedy)


def _rows(number: int) -> str:
    return f"{number} row{'' if number == 1 else 's'}"


def _partners(rows: KeptEpisodes, control: Iterator[Episode]) -> tuple[KeptEpisodes, "array[int]"]:
    """The control's rows that have the prompt of one of `rows`, and for each of `rows` which of them (none: -1).

    `control` is read only as far as it takes.
    """
    waiting: dict[bytes, int] = {}  # the first place that waits for a prompt
    after = array("q", [-1]) * len(rows)  # of a place: the next that waits for the same
    for place in reversed(range(len(rows))):
        prompt = _mark(rows[place].prompt)
        after[place] = waiting.get(prompt, -1)
        waiting[prompt] = place
    partners = array("q", [-1]) * len(rows)

    def found() -> Iterator[Episode]:
        number = 0
        for candidate in control:
            prompt = _mark(candidate.prompt)
            place = waiting.pop(prompt, -1)
            if place < 0:
                continue
            partners[place], number = number, number + 1
            if after[place] >= 0:
                waiting[prompt] = after[place]
            yield candidate
            if not waiting:
                break

    return keep_episodes(found()), partners


def _mark(prompt: Sequence[Message]) -> bytes:
    """A digest of a prompt, the same for the same turns alone."""
    return hashlib.blake2b(canonical([[turn.role, turn.content] for turn in prompt]).encode(), digest_size=16).digest()


def check_fits(simulator: Simulator, cast: Cast | None, pair: FilePair, progress: Progress | None = None) -> None:
    """Raise `BadInput` now, before any work, for a row that will not fit the model under the longest context of `cast`.

    Rows that are trained on and never scored stand under none (`cast` is None).
    """
    dialogue, window = getattr(simulator, "dialogue", None), getattr(simulator, "window", None)
    if dialogue is None or window is None:
        return
    whose, longest = ("", "") if cast is None else longest_context(dialogue, cast, pair.episodes[0].form)
    done, total = 0, sum(len(rows) for _, rows in pair.files)
    for path, rows in pair.files:
        for row in rows:
            answers = (row, rejected(row)) if pair.choices else (row,)
            try:
                for answer in answers:
                    dialogue.encode(answer, longest, window=window)
            except BadInput as found:
                problem, remedy = found.problem.removeprefix(f"{row.where}: "), found.remedy or "shorten or drop it"
                with suppress(BadInput):  # where it would fit by itself, the context is as much to blame
                    for answer in answers:
                        dialogue.encode(answer, "", window=window)
                    problem = f"{problem}, with the context of {whose!r} before them"
                if pair.reference and path == pair.against:
                    remedy = LEAVE_OUT
                raise BadInput(problem, file=path, line=row.line_number, item=row.item, remedy=remedy) from None
            done += 1
            if progress and done % TOLD == 0:
                progress(done, total)
