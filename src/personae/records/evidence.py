"""Evidence: how much each episode of a file speaks for each persona, held in memory or read part by part.

Who works on a file of any length goes through `parts` (or `blocks`, the numbers alone), in order and as often as need
be; with both classes that is the same. Only `LongEvidence` never has more than a part in memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.records.results import Floats


@dataclass(frozen=True)
class Blocks:
    """A table (N, K + 1) as blocks of whole rows, in order: `rows` is N, and `read` begins anew each time."""

    rows: int
    read: Callable[[], Iterator[Floats]]

    def __iter__(self) -> Iterator[Floats]:
        """The blocks, from the first."""
        return self.read()


@dataclass(frozen=True)
class Evidence:
    """L[i, k] = log p(y_i | c_k, x_i) - log p(y_i | c_0, x_i), nats: how much episode i speaks for persona k.

    `matrix` (N, K + 1), column 0 zero; `index` (N,) rows of the source file; `tokens` (N,) of the response spans.
    """

    names: tuple[str, ...]
    index: NDArray[np.int64]
    matrix: Floats
    tokens: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many episodes there are, N."""
        return len(self.matrix)

    @property
    def less(self) -> None:
        """No rows whose mean was taken off, see `LongEvidence`."""
        return

    @property
    def blocks(self) -> Blocks:
        """The matrix as one block."""
        return Blocks(self.rows, lambda: iter([self.matrix]))

    def parts(self) -> Iterator["Evidence"]:
        """All of it as one part."""
        return iter([self])


@dataclass(frozen=True)
class LongEvidence:
    """The same of `rows` episodes, too many to hold: `parts` reads it anew, in order, a part in memory at a time.

    `less` are the rows, unmatched, whose mean was taken off; those of an interval are drawn anew as the episodes are.
    """

    names: tuple[str, ...]
    rows: int
    parts: Callable[[], Iterator[Evidence]]
    less: Blocks | None = None

    @property
    def blocks(self) -> Blocks:
        """The matrix, block by block."""
        return Blocks(self.rows, lambda: (part.matrix for part in self.parts()))

    @property
    def matrix(self) -> Floats:
        """(N, K + 1) nats, all of it in memory."""
        return self.held().matrix

    def held(self) -> Evidence:
        """All of it in memory."""
        return joined(self.names, list(self.parts()))


def joined(names: tuple[str, ...], parts: list[Evidence]) -> Evidence:
    """The parts one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Evidence(
        names,
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.matrix for part in parts]),
        np.concatenate([part.tokens for part in parts]),
    )
