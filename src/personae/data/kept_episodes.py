"""Episodes that were read once and then lie on disk, to be gone through again and in any order: 8 bytes of memory each.

Rows can only be read from the beginning, and a packed or parquet file has no place to jump to. So episodes are written,
one after the other, to a file without a name that is gone with the process; as long as they are few it is in memory. It
takes as much room as their text, in the folder $TMPDIR or, without one, where large passing files belong.
"""

import os
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

from personae.errors import RunFailed
from personae.records import Episode

HELD = 2**20  # bytes that are held in memory before they go to disk
LARGE = Path("/var/tmp")  # /tmp is often memory itself


class KeptEpisodes(Sequence[Episode]):
    """Episodes of a store, those that begin at `starts`, in that order."""

    def __init__(self, store: "_Store", starts: "array[int]") -> None:
        self._store, self._starts = store, starts

    def __len__(self) -> int:
        """How many there are."""
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> Episode: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Episode, ...]: ...
    def __getitem__(self, place: int | slice) -> Episode | tuple[Episode, ...]:
        """One of them, or those of a slice, in memory."""
        if isinstance(place, slice):
            return tuple(map(self._store.at, self._starts[place]))
        return self._store.at(self._starts[place])

    def __iter__(self) -> Iterator[Episode]:
        """All of them, one in memory at a time."""
        return map(self._store.at, self._starts)

    def __eq__(self, other: object) -> bool:
        """Whether `other` holds the same episodes in the same order."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def chosen(self, places: Iterable[int]) -> "KeptEpisodes":
        """Those at `places`, in that order, where they lie."""
        return KeptEpisodes(self._store, array("q", (self._starts[place] for place in places)))


def keep_episodes(episodes: Iterable[Episode]) -> KeptEpisodes:
    """The episodes, as they come, put where they take no memory. Raises `RunFailed` where there is no room."""
    store = _Store()
    try:
        starts = array("q", map(store.add, episodes))
        store.written()
    except OSError as problem:
        remedy = "free some space, or set TMPDIR to a folder that has it"
        raise RunFailed(f"the rows cannot be put aside ({problem.strerror}); {remedy}") from problem
    return KeptEpisodes(store, starts)


class _Store:
    """A passing file, one episode a line, closed when nobody holds it any more."""

    def __init__(self) -> None:
        ours = "TMPDIR" not in os.environ and os.access(LARGE, os.W_OK)
        self._file = tempfile.SpooledTemporaryFile(max_size=HELD, dir=str(LARGE) if ours else None)  # noqa: SIM115
        self._end = 0
        weakref.finalize(self, self._file.close)

    def add(self, episode: Episode) -> int:
        """Write an episode at the end; where it begins. All are written before any is read."""
        start = self._end
        self._end += self._file.write(episode.model_dump_json().encode() + b"\n")
        return start

    def written(self) -> None:
        """Nothing more is to be written."""
        self._file.flush()

    def at(self, start: int) -> Episode:
        """The episode that begins there."""
        self._file.seek(start)
        return Episode.model_validate_json(self._file.readline())
