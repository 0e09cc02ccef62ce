"""Evidence gathered in blocks, each kept as soon as it is scored, so that a killed run scores no row twice.

    evidence.part-FIRST.parquet     one block, as soon as it is scored
    evidence.group-FIRST.parquet    its group, once all blocks of that are there
    evidence.parquet                all groups, a row group each

What went into a larger file is removed. No more than a group is in memory, however many rows there are. Every file
appears under its name whole, so whatever is there is done.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.records import Cast, Episode, Evidence, LogLikelihood, LongEvidence, Progress, SideBySide, Simulator
from personae.records.evidence import joined
from personae.records.files import count_rows, read_array_groups, read_arrays, write_array_groups, write_arrays
from personae.records.results import Floats
from personae.theory import evidence

BLOCK = 32  # episodes scored at a time
GROUP = 1024 * BLOCK  # episodes in memory at a time
ROW = ("index", "tokens")  # columns that are no persona's


def gather(
    simulator: Simulator,
    cast: Cast,
    episodes: Sequence[Episode],
    kept: Path | None = None,
    progress: Progress | None = None,
) -> Evidence:
    """L (N, K + 1) nats of every episode for every persona of `cast`, in memory; with `kept`, in that file too."""
    if kept is not None:
        return gather_into(kept, simulator, cast, episodes, progress).held()
    work = _Work(simulator, cast, episodes, progress)
    return joined(cast.names, [work.block(first) for first in range(0, len(episodes), BLOCK)])


def gather_into(
    kept: Path, simulator: Simulator, cast: Cast, episodes: Sequence[Episode], progress: Progress | None = None
) -> LongEvidence:
    """The same, in a file whose name ends in .parquet; of what is there or beside it nothing is scored again."""
    if not kept.exists():
        work = _Work(simulator, cast, episodes, progress, kept)
        groups = [work.group(first) for first in range(0, len(episodes), GROUP)]
        write_array_groups(kept, map(read_arrays, groups))
    for beside in ("part", "group"):
        for done in kept.parent.glob(f"{kept.stem}.{beside}-*.parquet"):
            done.unlink(missing_ok=True)  # of a file in the user's cache another process may see to the same
    return kept_evidence(kept, cast)


def kept_evidence(path: Path, cast: Cast) -> LongEvidence:
    """What `gather_into` left in a file, for the same cast."""
    return LongEvidence(cast.names, count_rows(path), lambda: _parts(path, cast))


@dataclass(frozen=True)
class _Work:
    """What is to be scored, and beside which file it is kept on the way, if it is to be kept."""

    simulator: Simulator
    cast: Cast
    episodes: Sequence[Episode]
    progress: Progress | None
    kept: Path | None = None

    def group(self, first: int) -> Path:
        """The file of the group that begins with the episode `first`, all of it scored."""
        last, group = min(first + GROUP, len(self.episodes)), self._beside("group", first)
        assert group is not None
        if group.exists():
            self._tell(last)
            return group
        blocks = range(first, last, BLOCK)
        if isinstance(self.simulator, SideBySide):
            found = self._side_by_side(self.simulator, blocks)
        else:
            found = [self.block(at) for at in blocks]
        write_evidence(group, joined(self.cast.names, found))
        for at in blocks:
            if part := self._beside("part", at):
                part.unlink(missing_ok=True)
        return group

    def block(self, first: int) -> Evidence:
        """The evidence of the block that begins with the episode `first`, as it is kept or scored now."""
        part = self._beside("part", first)
        if part is not None and part.exists():
            found = read_evidence(part, self.cast)
        else:
            found = self._scored(first)
            if part is not None:
                write_evidence(part, found)
        self._tell(min(first + BLOCK, len(self.episodes)))
        return found

    def _side_by_side(self, simulator: SideBySide, blocks: range) -> list[Evidence]:
        """The same of several blocks in order, those scored now kept in the order in which they come."""
        parts = {at: part for at in blocks if (part := self._beside("part", at))}
        found = {at: read_evidence(part, self.cast) for at, part in parts.items() if part.exists()}
        missing = [at for at in blocks if at not in found]
        done = blocks.start + sum(len(block.index) for block in found.values())
        self._tell(done)
        pieces = (self.episodes[at : at + BLOCK] for at in missing)
        for place, scored in simulator.side_by_side(pieces, self.cast.contexts):
            at = missing[place]
            found[at] = self._evidence(at, scored)
            write_evidence(parts[at], found[at])
            done += len(found[at].index)
            self._tell(done)
        return [found[at] for at in blocks]

    def _scored(self, first: int) -> Evidence:
        episodes, contexts = self.episodes[first : first + BLOCK], self.cast.contexts
        within = None if self.progress is None else lambda done, _: self._tell(first + done // len(contexts))
        return self._evidence(first, self.simulator.log_likelihood(episodes, contexts, within))

    def _evidence(self, first: int, scored: LogLikelihood) -> Evidence:
        index = np.array([e.index for e in self.episodes[first : first + BLOCK]], dtype=np.int64)
        return Evidence(self.cast.names, index, evidence(scored.logp), scored.tokens)

    def _tell(self, done: int) -> None:
        if self.progress:
            self.progress(done, len(self.episodes))

    def _beside(self, what: str, first: int) -> Path | None:
        return self.kept.with_name(f"{self.kept.stem}.{what}-{first:08d}.parquet") if self.kept else None


def write_evidence(path: Path, found: Evidence) -> None:
    """One row an episode: its index, its response tokens, and the evidence for each persona, nats."""
    columns = {_column(name): found.matrix[:, k] for k, name in enumerate(found.names)}
    write_arrays(path, {"index": found.index, "tokens": found.tokens, **columns})


def read_evidence(path: Path, cast: Cast) -> Evidence:
    """The evidence in a file that `write_evidence` wrote, for the same cast, in memory."""
    return joined(cast.names, list(_parts(path, cast)))


def _parts(path: Path, cast: Cast) -> Iterator[Evidence]:
    """The same, a row group of the file at a time."""
    for columns in read_array_groups(path):
        matrix: Floats = np.stack([columns[_column(name)] for name in cast.names], axis=1)
        yield Evidence(cast.names, columns["index"], matrix, columns["tokens"])


def _column(name: str) -> str:
    """The column of a persona: its name, unless a row's own number has that."""
    return f"persona {name}" if name in ROW else name
