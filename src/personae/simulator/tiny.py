"""Numbers too small for full precision, which a processor multiplies a hundred times slower than others.

The attention of a model that is sure of itself makes many of them, and none of them changes a score.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

TINY = 1e-40  # below the least normal number of 32 bits, 1.2e-38


@contextmanager
def tiny_is_zero() -> Iterator[None]:
    """Count such numbers as zero meanwhile, on the thread that this is called on."""
    before = _is_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _is_zero() -> bool:
    return bool(torch.tensor(TINY) * 1.0 == 0.0)
