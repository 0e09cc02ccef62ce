"""How far a piece of work is, on stderr, with the time that is left.

A bar where stderr is a terminal; elsewhere a plain line now and then, so that a log stays readable. Where the first
steps show that the work takes more than a minute, an estimate of the whole is said once, in both cases.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]  # as in `records`, which is not imported: help must come at once
Clock = Callable[[], float]
EVERY = 10.0  # seconds between plain lines
SURE = 2.0  # seconds of work before its length is estimated
LONG = 60.0  # seconds: work longer than this is announced


class Estimate:
    """Time left at the pace so far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: float | None = None
        self._first = 0

    def seconds(self, done: int, total: int) -> tuple[float, float] | None:
        """(left, whole) in seconds; None before there is a pace to go by."""
        now = self._clock()
        if self._start is None:
            self._start, self._first = now, done  # what was done before we looked took no time of ours
            return None
        steps, spent = done - self._first, now - self._start
        if steps <= 0 or spent <= 0.0:
            return None
        return spent / steps * (total - done), spent / steps * (total - self._first)


@contextmanager
def progress(
    what: str, unit: str, say: Callable[[str], None], *, quiet: bool = False, clock: Clock = time.monotonic
) -> Iterator[Progress]:
    """A `Progress` to hand to the work; `unit` is what is counted ("episodes")."""
    if quiet:
        yield lambda done, total: None
        return
    estimate, announced = Estimate(clock), [False]
    estimate.seconds(0, 1)
    with _bar(what) if sys.stderr.isatty() else _lines(what, unit, say, clock) as show:
        began = clock()

        def told(done: int, total: int) -> None:
            times = estimate.seconds(done, total)
            if times and not announced[0] and clock() - began >= SURE:
                announced[0] = True
                if times[1] >= LONG:
                    say(f"{what}: about {length(times[1])} for {total} {unit}")
            show(done, total, times[0] if times else None)

        yield told


Show = Callable[[int, int, float | None], None]  # done, total, seconds left


@contextmanager
def _lines(what: str, unit: str, say: Callable[[str], None], clock: Clock) -> Iterator[Show]:
    last = [clock()]

    def show(done: int, total: int, left: float | None) -> None:
        if done < total and left is not None and clock() - last[0] >= EVERY:
            last[0] = clock()
            say(f"{what}: {done} of {total} {unit}, {length(left)} left")

    yield show


@contextmanager
def _bar(what: str) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, left="")

        def show(done: int, total: int, left: float | None) -> None:
            bar.update(task, completed=done, total=total, left="" if left is None else f"{length(left)} left")

        yield show


def length(seconds: float) -> str:
    """A length of time in words.

    >>> length(42.4), length(187.0), length(7300.0)
    ('42 s', '3 min 7 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
