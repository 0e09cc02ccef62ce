"""How far a piece of work is, on stderr, with the time that is left.

A bar where stderr is a terminal; elsewhere a plain line now and then, so that a log stays readable. Where the work
turns out to take more than a minute, an estimate of the whole is said once, in both cases.

The clock starts with the first report: what was done by then took no time of ours, and what came before was other work.
The pace is that of the last quarter of the time since, and never that of the first step, which may have loaded and
compiled what the others use. Nothing is estimated before `SURE` seconds and a hundredth of the work.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]  # as in `records`, which is not imported: help must come at once
Clock = Callable[[], float]
EVERY = 10.0  # seconds between plain lines
SURE = 5.0  # seconds of work before its length is estimated
FRACTION = 0.01  # of the work before its length is estimated
RECENT = 0.25  # of the time spent: what the pace is taken from
LONG = 60.0  # seconds: work longer than this is announced


class Estimate:
    """Time left at the pace of late; see the module."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: float | None = None
        self._first = 0
        self._reports: deque[tuple[float, int]] = deque()  # (time, done) of the last quarter of the time spent

    def seconds(self, done: int, total: int) -> tuple[float, float] | None:
        """(left, whole) in seconds; None before there is a pace to go by."""
        now = self._clock()
        if self._start is None:
            self._start, self._first = now, done
            return None
        self._reports.append((now, done))
        spent = now - self._start
        while len(self._reports) > 2 and self._reports[1][0] <= now - RECENT * spent:
            self._reports.popleft()
        then, before = self._reports[0]
        if spent < SURE or done <= before or done - self._first < FRACTION * (total - self._first):
            return None
        left = (now - then) / (done - before) * (total - done)
        return left, spent + left


@contextmanager
def progress(
    what: str, unit: str, say: Callable[[str], None], *, quiet: bool = False, clock: Clock = time.monotonic
) -> Iterator[Progress]:
    """A `Progress` to hand to the work; `unit` is what is counted ("episodes")."""
    if quiet:
        yield lambda done, total: None
        return
    estimate, announced = Estimate(clock), [False]
    with _bar(what) if sys.stderr.isatty() else _lines(what, unit, say, clock) as show:

        def told(done: int, total: int) -> None:
            times = estimate.seconds(done, total)
            if times and not announced[0]:
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

    what_stands, left_over = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[left]}"))
    columns = (what_stands, BarColumn(), MofNCompleteColumn(), left_over)
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
