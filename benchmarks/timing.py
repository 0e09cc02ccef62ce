"""Seconds of several ways by turns, and the arithmetic that the processor reaches at best.

The ways follow each other within a round, every second round the other way about, so that a machine that slows down
slows all of them; what is told is the median of the rounds' ratios, with the least and the most of them.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from peers import Way, affordable, peer
from shapes import Subject

Found = TypeVar("Found")
PEAK_SECONDS = 0.5  # that one reading of the peak takes at least


def timed(device: torch.device, way: Callable[[], Found]) -> tuple[float, Found]:
    """Seconds, and what was found."""
    _finish(device)
    begun = time.perf_counter()
    found = way()
    _finish(device)
    return time.perf_counter() - begun, found


def by_turns(
    device: torch.device, ways: dict[str, Callable[[], Found]], rounds: int, beside: Callable[[], float]
) -> tuple[dict[str, list[float]], dict[str, Found], list[float]]:
    """Seconds of each way, round by round; what each found; and what `beside` gave, once a round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, Found] = {}
    other: list[float] = []
    for turn in range(rounds):
        for name in list(ways)[:: -1 if turn % 2 else 1]:
            took, found[name] = timed(device, ways[name])
            seconds[name].append(took)
        other.append(beside())
    return seconds, found, other


def best_size(subject: Subject, sizes: Sequence[int]) -> int:
    """The size of a batch at which the peer is fastest on the whole table, of the two fastest on its middle rows.

    The middle is by length, and each size is tried there twice; on the whole table once.
    """
    sizes, rows, device = affordable(subject, sizes), subject.rows, subject.model.device
    order = sorted(range(len(rows)), key=lambda n: len(rows[n].ids))
    first = max(0, (len(rows) - max(sizes)) // 2)
    some = [rows[n] for n in order[first : first + max(sizes)]]
    ways: dict[str, Way] = {str(size): peer(subject.model, some, size) for size in sizes}
    timed(device, ways[str(sizes[-1])])  # the first time, kernels are loaded
    if len(sizes) == 1:
        return sizes[0]
    seconds, _, _ = by_turns(device, ways, 2, lambda: 0.0)
    two = sorted(seconds, key=lambda size: min(seconds[size]))[:2]
    whole = {size: timed(device, peer(subject.model, rows, int(size)))[0] for size in two}
    return int(min(whole, key=lambda size: whole[size]))


def matmul_peak(device: torch.device, side: int) -> float:
    """FLOPs a second of the best of several float32 products of two square matrices."""
    a, b = (torch.rand(side, side, device=device) for _ in range(2))
    out: Any = torch.empty_like(a)
    took, until = [], time.perf_counter() + PEAK_SECONDS
    while time.perf_counter() < until or len(took) < 3:
        _finish(device)
        begun = time.perf_counter()
        torch.mm(a, b, out=out)
        _finish(device)
        took.append(time.perf_counter() - begun)
    return 2.0 * side**3 / float(np.min(took))


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
