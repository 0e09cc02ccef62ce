"""Where in an answer its evidence sits: on which tokens and, beside a matched answer, on those that differ or behind.

    e[t] = log p(y_t | y_<t, c_k, x) - log p(y_t | y_<t, c_0, x)        nats; Σ_t e[t] = L[k]

Two answers to one prompt are cut, in token ids, where their longest common beginning ends and where their longest
common end begins. Before the first cut both score alike. Between the cuts are the *unlike* tokens. After the second the
words are the same again, and what stands before them is not. What the evidence of one answer has over that of the other
is the sum of these three parts.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats


def common_ends(ours: Sequence[int], theirs: Sequence[int]) -> tuple[int, int]:
    """How many first tokens and how many last tokens two answers share; the end begins behind the beginning.

    >>> common_ends([1, 2, 3, 9], [1, 2, 4, 4, 9]), common_ends([1, 1, 9], [1, 9])
    ((2, 1), (1, 1))
    """
    most = min(len(ours), len(theirs))
    beginning = next((t for t in range(most) if ours[t] != theirs[t]), most)
    end = next((t for t in range(most - beginning) if ours[-1 - t] != theirs[-1 - t]), most - beginning)
    return beginning, end


def difference_by_part(ours: ArrayLike, theirs: ArrayLike, ends: tuple[int, int]) -> Floats:
    """(3,) nats that evidence `ours` (T,) has over `theirs` (T',) before, on and after the tokens that are unlike.

    >>> difference_by_part([0.5, 2.0, 1.0], [0.5, -1.0, -1.0, 0.5], (1, 1)).tolist()
    [0.0, 4.0, 0.5]
    """
    beginning, end = ends
    sides = [np.asarray(side, dtype=np.float64) for side in (ours, theirs)]
    if any(side.ndim != 1 or len(side) < beginning + end for side in sides):
        raise BadInput(f"answers of fewer than the {beginning} + {end} tokens that they share")
    cut = [np.split(side, [beginning, len(side) - end]) for side in sides]
    return np.array([a.sum() - b.sum() for a, b in zip(*cut, strict=True)])


def shares_by_part(parts: ArrayLike) -> Floats:
    """(3,) of the size of the differences `parts` (R, 3) nats, added up over R pairs: the share of each part.

    Sizes, not sums: what pairs say in opposite directions does not cancel. Not-a-number where nothing differs.

    >>> shares_by_part([[0.0, 4.0, 1.0], [0.0, -3.0, 0.0]]).tolist()
    [0.0, 0.875, 0.125]
    """
    sizes = np.abs(np.asarray(parts, dtype=np.float64).reshape(-1, 3)).sum(axis=0)
    total = sizes.sum()
    return np.asarray(sizes / total) if total > 0.0 else np.full(3, np.nan)
