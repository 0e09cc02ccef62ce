"""Which rows are seen when: seeded passes over the rows, each pass every row once, laid end to end.

The order depends on the number of rows, the length wanted and the seed, on nothing else: two arms with as many rows see
them at the same steps.
"""

import numpy as np
from numpy.typing import NDArray


def passes(rows: int, length: int, seed: int) -> NDArray[np.int64]:
    """(length,) row numbers in 0 … rows - 1: a fresh permutation each time the rows are exhausted.

    >>> sorted(passes(3, 6, seed=0).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    if rows < 1:
        raise ValueError("there are no rows to put in order")
    draw = np.random.default_rng(seed)
    whole = [draw.permutation(rows) for _ in range(-(-length // rows))]
    return np.concatenate(whole or [np.empty(0, dtype=np.int64)])[:length].astype(np.int64)
