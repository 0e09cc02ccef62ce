"""Transfer: every trait, trained to both poles; every other trait measured, beside what was forecast.

The question of the theory in one matrix: does a narrow training move what it does not train, and can it be told
before? Each arm's forecast stands at a dose fitted on the arms of *other* traits. An arm counts as moved if the root
mean square of its untrained traits' shifts, on one half of the items, exceeds `MOVED` nats; it is scored on the other
half. Beside the forecasts stand the floors: no change is zero, the attenuation alone, the mean of the other arms, one
direction. The arms of traits that the headline does not train also give the laboratory's doses, as entries for
`library/doses.yaml`; the world's cast names everybody there is, so no doubt about it is added.
"""

from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from personae.predictors import Basis
from personae.records import Evidence, Simulator
from personae.records.files import read_json, write_arrays, write_json
from personae.records.results import Floats
from personae.studies.arms import Arm, both_poles, jobs_for
from personae.studies.headline import LISTED, TRAINED
from personae.studies.request import Main, StudyRequest, StudyResult
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
from personae.workflows.doses import entry_for
from personae.workflows.folder import RunFolder, open_folder
from personae.workflows.gather import gather
from personae.workflows.laboratory import (
    PLAN,
    Laboratory,
    Measured,
    attenuation_of,
    character_rows,
    laboratory,
    run_jobs,
    scoring_items,
)

NAME = "transfer"
SAYS = "Every trait trained to both poles, every other trait measured: the forecast against what happened."
MOVED = 0.25  # nats, root mean square over untrained traits
SEEDS = 3
FITTED_ON = "the arms of the transfer study whose traits the headline does not train"
SHOWN = (  # in the order of the summary; a file of scores has them by name
    "model",
    "exact",
    "one direction (model)",
    "one direction (exact)",
    "mean of the other arms",
    "attenuation only",
)


@dataclass(frozen=True)
class Side:
    """One way of knowing the cast, exact or the model's own: its basis and the evidence of every arm."""

    basis: Basis
    evidence: list[Evidence]
    _found: dict[tuple[int, float, bool], Floats] = field(default_factory=dict, repr=False, compare=False)

    def shifts(self, arm: int, dose: float, *, flat: bool = False) -> Floats:
        """(T,) forecast shifts of one arm, nats; `flat`: from one direction only. Kept: doses are tried many times."""
        key = (arm, dose, flat)
        if key not in self._found:
            weights = posterior(self.basis.prior, self.evidence[arm].matrix, dose)
            tables = self._flat if flat else self.basis.levels.by_trait
            self._found[key] = np.array([forecast_shift(self.basis.prior, weights, x) for x in tables.values()])
        return self._found[key]

    @cached_property
    def _flat(self) -> dict[str, Floats]:
        return one_direction_levels(self.basis.levels.by_trait)


def run(request: StudyRequest) -> StudyResult:
    """The whole matrix, its scores and floors; a finished one is read again."""
    lab = laboratory(request.model)
    configuration = {"model": lab.simulator.digest, "plan": PLAN, "seeds": SEEDS, "seed": request.seed, "study": NAME}
    folder = open_folder("study transfer", configuration, request.out)
    if not folder.finished:
        _matrix(lab, folder, request)
        folder.finish()
    result = read_json(folder.file("score.json"))
    return StudyResult(result, _summary(result), folder.path)


def _matrix(lab: Laboratory, folder: RunFolder, request: StudyRequest) -> None:
    """Train, measure, forecast, and leave the scores and the table in `folder`."""
    arms = both_poles(lab.world.traits, lab.language)
    measured = run_jobs(jobs_for(lab, arms, SEEDS, folder.path, request.seed), request.workers, request.progress)
    sides = {
        "model": side(lab.simulator, lab.basis(), lab, arms, request.seed),
        "exact": side(lab.exact, lab.exact_basis(), lab, arms, request.seed),
    }
    board = Board(lab.world.traits, arms, measured, sides)
    board.keep(folder.file("transfer.parquet"))
    write_json(folder.file("score.json"), board.result())


def side(simulator: Simulator, basis: Basis, lab: Laboratory, arms: tuple[Arm, ...], seed: int = 0) -> Side:
    """The evidence of every arm's file, that of the first seed, as one simulator reads it."""
    return Side(basis, [gather(simulator, basis.cast, arm.episodes(lab.language, seed)) for arm in arms])


class Board:
    """Forecast and measured shifts, (arms, traits) nats; the trained trait of an arm is not-a-number everywhere."""

    def __init__(
        self,
        traits: tuple[str, ...],
        arms: tuple[Arm, ...],
        measured: dict[str, list[Measured]],
        sides: dict[str, Side],
    ) -> None:
        self.traits, self.arms, self.sides = traits, arms, sides
        before = measured["untrained"][0]
        self.own = np.array([[t == arm.trait for t in traits] for arm in arms])
        self.chosen, self.scored, self.errors = (np.empty((len(arms), len(traits))) for _ in range(3))
        self.attenuation = np.array(
            [float(np.mean([attenuation_of(before, after) for after in measured[arm.name]])) for arm in arms]
        )
        for a, arm in enumerate(arms):
            seeds = [character_rows(before, after) for after in measured[arm.name]]
            for t, trait in enumerate(traits):
                rows = np.stack([s[trait] for s in seeds])  # (S, I)
                choosing, scoring = scoring_items(rows.shape[1])
                self.chosen[a, t], self.scored[a, t] = rows[:, choosing].mean(), rows[:, scoring].mean()
                self.errors[a, t] = rows[:, scoring].mean(axis=1).std(ddof=1) / np.sqrt(len(rows))
        self.base = np.array([before["assistant"].by_trait[t].mean() for t in traits])
        hidden = np.where(self.own, np.nan, self.chosen)
        self.moved = np.sqrt(np.nanmean(np.square(hidden), axis=1)) > MOVED
        self.measured = np.where(self.own, np.nan, self.scored)
        self._doses: dict[tuple[str, bool], Floats] = {}

    def doses(self, name: str, *, flat: bool = False) -> Floats:
        """(arms,) the dose of each arm, fitted on arms of other traits.

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
        """The dose fitted on the arms of traits that are not in `without`."""
        others = [a for a, arm in enumerate(self.arms) if arm.trait not in without]
        forecast = partial(self._shifts, self.sides[name], others, flat)
        return fit_dose(forecast, self.measured[others], rng=np.random.default_rng(0), points=points, draws=draws)

    def entries(self) -> dict[str, dict[str, Any]]:
        """The laboratory's entries for `library/doses.yaml`, one a side."""
        return {LISTED[name]: entry_for(PLAN, self.fit(name, TRAINED), FITTED_ON, cast=0.0) for name in self.sides}

    @staticmethod
    def _shifts(side: Side, arms: list[int], flat: bool, dose: float) -> Floats:
        return np.stack([side.shifts(a, dose, flat=flat) for a in arms])

    def forecast(self, name: str, *, flat: bool = False) -> Floats:
        """(arms, traits) forecast shifts at doses fitted on other arms."""
        doses = self.doses(name, flat=flat)
        return np.stack([self.sides[name].shifts(a, d, flat=flat) for a, d in enumerate(doses)])

    def result(self) -> dict[str, Any]:
        """Scores of both forecasts and of every floor, over the arms that moved and over all."""
        boards = {
            "model": self.forecast("model"),
            "exact": self.forecast("exact"),
            "one direction (model)": self.forecast("model", flat=True),
            "one direction (exact)": self.forecast("exact", flat=True),
            "mean of the other arms": mean_of_others(self.measured),
            "attenuation only": attenuation_only(self.base, self.measured),
        }
        every = np.ones(len(self.arms), dtype=bool)
        return {
            "arms": len(self.arms),
            "moved": [arm.name for arm, moved in zip(self.arms, self.moved, strict=True) if moved],
            "doses": {name: float(np.median(self.doses(name))) for name in self.sides},
            "entries": self.entries(),
            "attenuation": {"mean": float(self.attenuation.mean()), "largest": float(self.attenuation.max())},
            "scores": {name: self._score(shifts, self.moved) for name, shifts in boards.items()},
            "scores_all_arms": {name: self._score(shifts, every) for name, shifts in boards.items()},
        }

    def _score(self, forecast: Floats, keep: Any) -> dict[str, float]:  # noqa: ANN401
        groups = np.repeat(np.arange(len(self.arms))[:, None], len(self.traits), axis=1)[keep].ravel()
        f, m = forecast[keep].ravel(), self.measured[keep].ravel()
        known = np.isfinite(f) & np.isfinite(m)
        f, m, groups = f[known], m[known], groups[known]
        if len(f) < 3 or np.ptp(f) == 0.0:
            return {"pearson": float("nan"), "n": len(f)}
        return {
            "pearson": pearson(f, m),
            "spearman": spearman(f, m),
            "slope": slope(f, m),
            "median_within": median_within(groups, f, m),
            "n": len(f),
        }

    def keep(self, path: Path) -> None:
        """The whole table as reference figures: one row a cell."""
        model, exact = self.forecast("model"), self.forecast("exact")
        cells = [(a, t) for a in range(len(self.arms)) for t in range(len(self.traits))]
        write_arrays(
            path,
            {
                "arm": [self.arms[a].name for a, _ in cells],
                "trained": [self.arms[a].trait for a, _ in cells],
                "pole": [self.arms[a].outcome for a, _ in cells],
                "trait": [self.traits[t] for _, t in cells],
                "measured": [self.scored[c] for c in cells],
                "standard_error": [self.errors[c] for c in cells],
                "forecast": [model[c] for c in cells],
                "exact": [exact[c] for c in cells],
                "moved": [bool(self.moved[a]) for a, _ in cells],
                "attenuation": [self.attenuation[a] for a, _ in cells],
            },
        )


def _summary(result: dict[str, Any]) -> str:
    """The scores as a small table in text."""
    lines = [
        f"{len(result['moved'])} of {result['arms']} arms moved; "
        + "attenuation {mean:.3f} on average, at most {largest:.3f}".format(**result["attenuation"]),
        f"{'':26}{'Pearson':>9}{'in arm':>9}{'slope':>9}{'Pearson, all arms':>20}",
    ]
    for name in SHOWN:
        score, every = result["scores"][name], result["scores_all_arms"][name]
        shown = "".join(_number(score, key, 9) for key in ("pearson", "median_within", "slope"))
        lines.append(f"{name:26}{shown}{_number(every, 'pearson', 20)}")
    return "\n".join([*lines, "", "for library/doses.yaml:", yaml.safe_dump(result["entries"], sort_keys=False)])


def _number(score: dict[str, float | None], key: str, width: int) -> str:
    """A score in two decimals, right-aligned; blank where it was not computed."""
    if key not in score:
        return " " * width
    value = score[key]
    return f"{float('nan') if value is None else value:{width}.2f}"


STUDY = Main(NAME, SAYS, run)
