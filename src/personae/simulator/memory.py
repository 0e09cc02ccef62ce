"""Memory that does not suffice: how it is recognised on every device, and how much a batch may then still hold."""

import gc
from dataclasses import dataclass

import torch

# What torch says of a processor and of Apple's GPU; of CUDA it raises a class of its own.
SAID = ("can't allocate memory", "DefaultCPUAllocator", "out of memory")


def out_of_memory(problem: BaseException) -> bool:
    """Whether an error says that a device, or this machine, has no memory left.

    >>> out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    True
    >>> out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    False
    """
    if isinstance(problem, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(problem, RuntimeError) and any(said in str(problem) for said in SAID)


def let_go() -> None:
    """Give back what torch holds and nothing uses; to be called once the error is no longer being handled."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


@dataclass
class Room:
    """How many tokens a batch may read: less and less, and `tight` from then on, as batches turn out not to fit."""

    tokens: int
    tight: bool = False

    def shrink(self, tried: int) -> None:
        """Allow half of what was tried, which did not fit, from now on."""
        self.tight = True
        self.tokens = max(1, min(self.tokens, tried) // 2)
