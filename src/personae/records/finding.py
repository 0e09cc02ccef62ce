"""What a study found: the claim, one sentence, pictures with the exact answer beside the measured one, a verdict.

Every number that was measured carries a 95 % interval. A `Bar` stands in the study's file before the study is run, and
how it came about is told beside it. The verdict follows from the bars alone: the claim holds where all are met, in part
where half are or more, and with fewer it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from personae.records.results import Estimate

BEFOREHAND = "Every bar was fixed before this was run."
Verdict = Literal["holds", "holds in part", "does not hold", "cannot be told"]


@dataclass(frozen=True)
class Bar:
    """A condition on `value`, fixed beforehand: at least `bar`, or at most where `at_least` is false."""

    says: str
    value: float
    bar: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it holds; a value that is not a number meets no bar."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


@dataclass(frozen=True)
class Compared:
    """One row of a picture: what was measured beside the `exact` answer and the model's own `forecast` (None: none)."""

    label: str
    measured: Estimate
    exact: float | None = None
    forecast: float | None = None
    group: str = ""


@dataclass(frozen=True)
class Rows:
    """Rows to be read against each other in one `unit`; `zero` is where nothing has changed."""

    title: str
    unit: str
    rows: tuple[Compared, ...]
    zero: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a picture of nothing."""
        _some(self.rows, f"the picture {self.title!r} has no rows")


@dataclass(frozen=True)
class Line:
    """One quantity along an axis; an `exact` line is what the measured one of the same `group` should meet.

    A `bound` is neither: a floor or a ceiling that the others are seen against.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[Estimate, ...]
    exact: bool = False
    group: str = ""
    bound: bool = False

    def __post_init__(self) -> None:
        """Refuse a line without a value for each place, or without places."""
        if len(self.x) != len(self.y):
            raise ValueError(f"the line {self.name!r} has {len(self.x)} places and {len(self.y)} values")
        _some(self.x, f"the line {self.name!r} has no places")


@dataclass(frozen=True)
class Lines:
    """How quantities go along an axis, its ticks at the values that the lines have."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log_x: bool = False

    def __post_init__(self) -> None:
        """Refuse a picture of nothing, and a place that its axis does not have."""
        _some(self.lines, f"the picture {self.title!r} has no lines")
        for line in self.lines:
            if self.log_x and any(place < 0.0 for place in line.x):
                raise ValueError(f"the line {line.name!r} has a place below zero on a logarithmic axis")


@dataclass(frozen=True)
class Point:
    """One cell: forecast (or exact) against measured."""

    label: str
    x: float
    y: float
    group: str = ""


@dataclass(frozen=True)
class Cloud:
    """Cells around the diagonal."""

    title: str
    x_label: str
    y_label: str
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        """Refuse a picture of nothing."""
        _some(self.points, f"the picture {self.title!r} has no points")


@dataclass(frozen=True)
class Matrix:
    """A number in one `unit` for each of `rows` by `columns`, not-a-number where there is none.

    `marked` cells (row, column) stand apart: what was trained, say.
    """

    title: str
    unit: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    marked: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a picture of nothing, and numbers that are not one for each cell."""
        _some(self.rows and self.columns, f"the picture {self.title!r} has no cells")
        if len(self.values) != len(self.rows) or any(len(row) != len(self.columns) for row in self.values):
            raise ValueError(f"the picture {self.title!r} has not one number for each cell")


def _some(parts: Sequence[object], lack: str) -> None:
    if not parts:
        raise ValueError(lack)


Picture = Rows | Lines | Cloud | Matrix


@dataclass(frozen=True)
class Took:
    """How long a study took, with so many `workers` training side by side on a machine of so many `cores`."""

    seconds: float
    workers: int
    cores: int


@dataclass(frozen=True)
class Finding:
    """All that a study says.

    `claim` is what the theory says, `sentence` what was found, with its numbers; `meaning` what follows for somebody
    who trains models; `controls` what stood beside the treatments. So many `trainings`, at each of so many `seeds`,
    stand behind it: none where models were looked at as they are. `command` makes it again, and `took` is how long that
    takes (None: not known, or not said where a file must be the same, byte for byte, on every run). `fixed` says when
    the bars were, and what had been seen by then.
    """

    study: str
    title: str
    claim: str
    sentence: str
    meaning: str
    picture: Picture
    bars: tuple[Bar, ...]
    controls: tuple[str, ...]
    more: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    trainings: int = 0
    seeds: int = 0
    command: str = ""
    fixed: str = BEFOREHAND
    took: Took | None = None

    @property
    def verdict(self) -> Verdict:
        """What the bars say of the claim."""
        if not self.bars or any(bar.value != bar.value for bar in self.bars):
            return "cannot be told"
        met = sum(bar.met for bar in self.bars)
        return "holds" if met == len(self.bars) else "holds in part" if 2 * met >= len(self.bars) else "does not hold"
