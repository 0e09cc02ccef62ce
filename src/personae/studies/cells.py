"""Cells: arms by traits, what is foreseen of each and what was measured, without the traits that an arm itself teaches.

What a lesson shows is learned as such; the theory is about the rest. All arrays are (A, T), nats, arms in the order
given and traits in the world's, NaN where the arm teaches the trait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from personae.records import Estimate
from personae.records.results import Floats
from personae.theory import pearson, percentile_interval, slope
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trainings import Lesson
from personae.workflows.lab.trial import Trial

DRAWS = 1000
LEAST = 1e-6  # of a change
Arms = Mapping[str, Sequence[Lesson]]  # {arm: its lessons, in order}


@dataclass(frozen=True)
class Cells:
    """The untaught traits of any arms, by `foresight` and in `trials` {arm: trial}."""

    lab: Laboratory
    foresight: Foresight
    trials: Mapping[str, Trial]

    def foreseen(self, arms: Arms) -> Floats:
        """(A, T) shifts foreseen."""
        return np.stack([self._untaught(several, self.foresight.shifts(several)) for several in arms.values()])

    def measured(self, arms: Arms) -> Floats:
        """(A, T) character shifts measured."""
        return np.stack([self._untaught(several, self.trials[name].moved()) for name, several in arms.items()])

    def by_seed(self, name: str, lessons: Sequence[Lesson]) -> Floats:
        """(S, T) character shifts measured after every training of one arm."""
        trial = self.trials[name]
        each = {t: trial.shifts_by_item(t).mean(axis=1) for t in self.lab.world.traits}
        rows = [self._untaught(lessons, {t: float(x[s]) for t, x in each.items()}) for s in range(len(trial.after))]
        return np.stack(rows)

    def agree(self, arms: Arms) -> float:
        """The correlation of both, over all cells."""
        return pearson(self.foreseen(arms), self.measured(arms))

    def slope(self, arms: Arms) -> float:
        """The slope of measured on foreseen: 1 is the right size, less is less than foreseen."""
        return slope(self.foreseen(arms), self.measured(arms))

    def same_direction(self, arms: Arms, least: float = 0.25) -> float:
        """The share of cells that went where they were foreseen to go, of those foreseen to move by `least` nats."""
        foreseen, measured = self.foreseen(arms), self.measured(arms)
        moves = np.abs(foreseen) >= least  # NaN does not
        agree = np.sign(foreseen[moves]) == np.sign(measured[moves])
        return float(agree.mean()) if moves.any() else float("nan")

    def error(self, arms: Arms, foreseen_as: Arms | None = None) -> float:
        """The root mean square error, nats, where each arm is foreseen as what `foreseen_as` has under its name."""
        return root_mean_square(self.foreseen(foreseen_as or arms) - self.measured(arms))

    def _untaught(self, lessons: Sequence[Lesson], shifts: Mapping[str, float]) -> Floats:
        shown = taught(self.lab, lessons)
        return np.array([np.nan if trait in shown else shifts[trait] for trait in self.lab.world.traits])


def taught(lab: Laboratory, lessons: Sequence[Lesson]) -> frozenset[str]:
    """The traits, fields and goals that the lessons ask about."""
    asked = (lab.language.read_request(e.prompt[-1].content) for lesson in lessons for e in lesson.episodes)
    return frozenset(request.question.variable for request in asked if request is not None)


def root_mean_square(cells: Floats) -> float:
    """The size of cells, nats; those that are NaN have no say."""
    return float(np.sqrt(np.nanmean(np.square(cells))))


def ratio(part: float, whole: float) -> float:
    """How much of a change another one is; NaN, which meets no bar, where there was no change."""
    return part / whole if abs(whole) > LEAST else float("nan")


def over_columns(figure: Callable[..., float], *tables: Floats) -> Estimate:
    """A figure of tables (A, T), with the interval of drawing their columns again: traits, of which these are some."""
    draws, columns = np.random.default_rng(0), tables[0].shape[1]
    drawn = [draws.integers(columns, size=columns) for _ in range(DRAWS)]
    found = np.array([figure(*(table[:, some] for table in tables)) for some in drawn])
    return Estimate(figure(*tables), *percentile_interval(found))


def over_seeds_and_columns(figure: Callable[..., float], *tables: Floats) -> Estimate:
    """A figure of means over the seeds of tables (S, T), with the interval of drawing seeds and columns again."""
    draws, (seeds, columns) = np.random.default_rng(0), tables[0].shape
    found = []
    for _ in range(DRAWS):
        some, those = draws.integers(seeds, size=seeds), draws.integers(columns, size=columns)
        found.append(figure(*(table[some].mean(axis=0)[those] for table in tables)))
    return Estimate(figure(*(table.mean(axis=0) for table in tables)), *percentile_interval(np.array(found)))
