"""Some of many, spread evenly: which rows, items or personas stand for all."""

import numpy as np


def evenly(count: int, most: int) -> list[int]:
    """Up to `most` places of `count`, spread evenly, the first and the last among them; empty of nothing.

    >>> evenly(9, 3), evenly(2, 5), evenly(0, 5)
    ([0, 4, 8], [0, 1], [])
    """
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, most)).round()})
