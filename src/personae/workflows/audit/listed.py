"""Of a file however long, the episodes that moved the posterior most, found in one pass over its evidence.

No more is in memory than a part of the evidence and the episodes that are kept; among equals the earlier one is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.records import Evidence, LongEvidence
from personae.records.results import Floats
from personae.theory import Move

Rank = Callable[[Floats], Floats]  # of bits (M,): the highest is kept


@dataclass(frozen=True)
class Listed:
    """Some episodes of a file, in its order: their `places` among those read, and `index`, the rows of the source file.

    `moved_bits` (M,) are their shares of how far the posterior moved, `matrix` (M, K + 1) their evidence, nats.
    """

    places: NDArray[np.int64]
    index: NDArray[np.int64]
    moved_bits: Floats
    matrix: Floats

    def at(self, chosen: NDArray[np.intp]) -> "Listed":
        """Those at the positions `chosen` of this list, in that order."""
        return Listed(self.places[chosen], self.index[chosen], self.moved_bits[chosen], self.matrix[chosen])

    def best(self, rank: Rank, count: int) -> NDArray[np.intp]:
        """Positions in this list of the `count` that rank highest, the highest first."""
        return np.argsort(-rank(self.moved_bits), kind="stable")[:count]


def most_moving(evidence: Evidence | LongEvidence, move: Move, kinds: Sequence[tuple[Rank, int]]) -> tuple[Listed, ...]:
    """For each kind, a rank and a count, the episodes that rank highest by it."""
    kept: list[Listed | None] = [None] * len(kinds)
    first = 0
    for part in evidence.parts():
        places = np.arange(first, first + part.rows)
        found = Listed(places, part.index, move.bits(part.matrix), part.matrix)
        kept = [_kept(old, found, rank, count) for old, (rank, count) in zip(kept, kinds, strict=True)]
        first += part.rows
    return tuple(one for one in kept if one is not None)


def _kept(old: Listed | None, new: Listed, rank: Rank, count: int) -> Listed:
    new = new.at(np.sort(new.best(rank, count)))
    if old is None:
        return new
    both = Listed(
        np.concatenate([old.places, new.places]),
        np.concatenate([old.index, new.index]),
        np.concatenate([old.moved_bits, new.moved_bits]),
        np.concatenate([old.matrix, new.matrix]),
    )
    return both.at(np.sort(both.best(rank, count)))
