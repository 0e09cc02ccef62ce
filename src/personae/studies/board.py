"""The board of a matrix of files: what each was forecast to change, what it changed, the floors, and the doses.

All tables are (arms, traits), nats; the trait that an arm teaches is not-a-number everywhere. An arm's forecast stands
at a dose fitted on the unasked arms of *other* traits. An unasked arm counts as moved if the root mean square of its
untaught traits' shifts, on one half of the items, exceeds `MOVED` nats; it is scored on the other half.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personae.predictors import Basis
from personae.records import Estimate
from personae.records.results import Floats
from personae.studies.arms import Arm
from personae.studies.cells import over_columns, ratio, root_mean_square
from personae.theory import (
    DoseFit,
    attenuation_only,
    fit_dose,
    forecast_shift,
    mean_of_others,
    median_within,
    one_direction_levels,
    pearson,
    posterior,
    slope,
    spearman,
)
from personae.workflows.lab.trial import Trial, scoring_items

MOVED = 0.25  # nats, root mean square over untaught traits
MODEL, EXACT = "model", "exact"
LABELS = {  # of every forecast, the floors last
    MODEL: "forecast from the untrained model",
    EXACT: "exact forecast",
    "one direction (model)": "floor: good against evil, the model's",
    "one direction (exact)": "floor: good against evil, exact",
    "mean of the other arms": "floor: what all other files do",
    "attenuation only": "floor: the instrument dims",
}
FLOORS = tuple(LABELS)[2:]


@dataclass(frozen=True)
class Side:
    """One way of knowing the cast, exact or the model's own: its basis and the evidence (N, K + 1) of every arm."""

    basis: Basis
    evidence: Sequence[Floats]
    _found: dict[tuple[int, float, bool], Floats] = field(default_factory=dict, repr=False, compare=False)

    def shifts(self, arm: int, dose: float, *, flat: bool = False) -> Floats:
        """(T,) forecast shifts of one arm, nats; `flat`: from one direction only. Kept: doses are tried many times."""
        key = (arm, dose, flat)
        if key not in self._found:
            weights = posterior(self.basis.prior, self.evidence[arm], dose)
            tables = self._flat if flat else self.basis.levels.by_trait
            self._found[key] = np.array([forecast_shift(self.basis.prior, weights, x) for x in tables.values()])
        return self._found[key]

    @cached_property
    def _flat(self) -> dict[str, Floats]:
        return one_direction_levels(self.basis.levels.by_trait)


class Board:
    """The `trials` of `arms`, in their order, and the `sides` {name: side} that forecast them."""

    def __init__(self, arms: Sequence[Arm], trials: Sequence[Trial], sides: Mapping[str, Side]) -> None:
        self.arms, self.sides, self.traits = arms, sides, trials[0].traits
        own = np.array([[t == arm.trait for t in self.traits] for arm in arms])
        by_seed = [[_halves(trial.shifts_by_item(t)) for t in self.traits] for trial in trials]
        chosen = np.array([[choosing.mean() for choosing, _ in row] for row in by_seed])
        self.scored = np.array([[scoring.mean() for _, scoring in row] for row in by_seed])
        self.errors = np.array([[_standard_error(scoring) for _, scoring in row] for row in by_seed])
        self.attenuation = np.array([np.mean(trial.attenuations) for trial in trials])
        self.off_centre = np.array(
            [trials[0].before["assistant"].by_trait[t].mean() - trials[0].centre(t) for t in self.traits]
        )
        size = np.array([root_mean_square(row) for row in np.where(own, np.nan, chosen)])
        self.measured = np.where(own, np.nan, self.scored)
        self.unasked = np.array([arm.wording == "plain" for arm in arms])
        self.moved = (size > MOVED) & self.unasked
        self._doses: dict[tuple[str, bool], Floats] = {}

    def doses(self, name: str, *, flat: bool = False) -> Floats:
        """(arms,) the dose of each arm, fitted on unasked arms of other traits.

        Fitted once and kept: the scores and the table are read off the same forecasts.
        """
        key = (name, flat)
        if key not in self._doses:
            traits = [arm.trait for arm in self.arms]
            fitted = {t: self.fit(name, frozenset({t}), flat=flat, points=41, draws=100).dose for t in set(traits)}
            self._doses[key] = np.array([fitted[t] for t in traits])
        return self._doses[key]

    def fit(
        self, name: str, without: frozenset[str], *, flat: bool = False, points: int = 81, draws: int = 1000
    ) -> DoseFit:
        """The dose fitted on the unasked arms of traits that are not in `without`."""
        others = [a for a, arm in enumerate(self.arms) if self.unasked[a] and arm.trait not in without]
        forecast = partial(self._shifts, self.sides[name], others, flat)
        return fit_dose(forecast, self.measured[others], rng=np.random.default_rng(0), points=points, draws=draws)

    @staticmethod
    def _shifts(side: Side, arms: list[int], flat: bool, dose: float) -> Floats:
        return np.stack([side.shifts(a, dose, flat=flat) for a in arms])

    def forecast(self, name: str, *, flat: bool = False) -> Floats:
        """(arms, traits) forecast shifts at doses fitted on other arms."""
        doses = self.doses(name, flat=flat)
        return np.stack([self.sides[name].shifts(a, d, flat=flat) for a, d in enumerate(doses)])

    @cached_property
    def boards(self) -> dict[str, Floats]:
        """{name: (arms, traits)} both forecasts and every floor, in the order of `LABELS`."""
        unasked = self.measured[self.unasked]
        others = np.full(self.measured.shape, np.nan)
        others[self.unasked] = mean_of_others(unasked)
        return {
            MODEL: self.forecast(MODEL),
            EXACT: self.forecast(EXACT),
            "one direction (model)": self.forecast(MODEL, flat=True),
            "one direction (exact)": self.forecast(EXACT, flat=True),
            "mean of the other arms": others,
            "attenuation only": attenuation_only(
                self.off_centre, np.where(self.unasked[:, None], self.measured, np.nan)
            ),
        }

    def agreement(self, name: str) -> Estimate:
        """Pearson's r over the untaught traits of the arms that moved; the interval draws those arms again."""
        if not self.moved.any():
            return Estimate(float("nan"), float("nan"), float("nan"))
        return over_columns(pearson, self.boards[name][self.moved].T, self.measured[self.moved].T)

    def scores(self, keep: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
        """{board: {figure: value}} over the arms of `keep`."""
        groups = np.repeat(np.arange(len(self.arms))[:, None], len(self.traits), axis=1)[keep]
        figures: dict[str, Callable[..., float]] = {"pearson": pearson, "spearman": spearman, "slope": slope}
        found = {}
        for name, table in self.boards.items():
            foreseen, measured = table[keep], self.measured[keep]
            found[name] = {figure: of(foreseen, measured) for figure, of in figures.items()}
            found[name]["median_within"] = median_within(groups, foreseen, measured)
            found[name]["n"] = int((np.isfinite(foreseen) & np.isfinite(measured)).sum())
        return found

    def left_when_asked(self) -> float:
        """The median, over behaviours that spread unasked, of the share of the spread that is left when asked for."""
        rows = zip(self.arms, self.measured, strict=True)
        size = {(arm.trait, arm.outcome, arm.wording): root_mean_square(row) for arm, row in rows}
        spreading = [arm for arm, moved in zip(self.arms, self.moved, strict=True) if moved]
        keys = [(arm.trait, arm.outcome) for arm in spreading if (arm.trait, arm.outcome, "permitted") in size]
        shares = [ratio(size[*key, "permitted"], size[*key, "plain"]) for key in keys]
        return float(np.median(shares)) if shares else float("nan")

    def result(self) -> dict[str, Any]:
        """Scores of both forecasts and of every floor, over the arms that moved and over all unasked ones."""
        return {
            "arms": int(self.unasked.sum()),
            "moved": [arm.name for arm, moved in zip(self.arms, self.moved, strict=True) if moved],
            "doses": {name: float(np.median(self.doses(name)[self.unasked])) for name in self.sides},
            "attenuation": {"mean": float(self.attenuation.mean()), "largest": float(self.attenuation.max())},
            "scores": self.scores(self.moved),
            "scores_all_arms": self.scores(self.unasked),
        }

    def columns(self, steps: int) -> dict[str, list[Any]]:
        """The whole table as reference figures: one row a cell."""
        cells = [(a, t) for a in range(len(self.arms)) for t in range(len(self.traits))]
        return {
            "arm": [self.arms[a].name for a, _ in cells],
            "trained": [self.arms[a].trait for a, _ in cells],
            "pole": [self.arms[a].outcome for a, _ in cells],
            "wording": [self.arms[a].wording for a, _ in cells],
            "steps": [steps] * len(cells),
            "trait": [self.traits[t] for _, t in cells],
            "measured": [self.scored[c] for c in cells],
            "standard_error": [self.errors[c] for c in cells],
            "forecast": [self.boards[MODEL][c] for c in cells],
            "exact": [self.boards[EXACT][c] for c in cells],
            "moved": [bool(self.moved[a]) for a, _ in cells],
            "attenuation": [self.attenuation[a] for a, _ in cells],
        }


def _halves(rows: Floats) -> tuple[Floats, Floats]:
    """(S,) means of (S, I) over the items that choose arms, and over those that score them."""
    choosing, scoring = scoring_items(rows.shape[1])
    return rows[:, choosing].mean(axis=1), rows[:, scoring].mean(axis=1)


def _standard_error(seeds: Floats) -> float:
    """Of the mean over trainings; one training has none."""
    return float(seeds.std(ddof=1) / np.sqrt(len(seeds))) if len(seeds) > 1 else float("nan")
