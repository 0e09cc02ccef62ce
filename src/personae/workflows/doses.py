"""Doses: how many effective episodes a training of a given model, method and rank is worth, and the training itself.

    n_eff = coefficient · steps · rate

`library/doses.yaml` holds a coefficient for each model, method and rank that it was fitted for, with the training it
was fitted at and the development pairs it was fitted on. It is never refitted on a file that is being forecast. A model
that is not listed gets the default, and every report of it says so.
Source: PSM.md section 2, Dose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from personae.errors import BadInput
from personae.predictors import Basis
from personae.records import Evidence
from personae.records.results import Floats
from personae.theory import DoseFit, DoseLaw, fit_dose, forecast_shift, posterior
from personae.training import SFTPlan

SETTINGS = ("steps", "batch", "rate", "rank", "alpha", "seed")
PLAN_FIELDS = ("method", "rank", "alpha", "steps", "batch", "rate")


@dataclass(frozen=True)
class Dose:
    """The training `plan`, what it is worth in `effective` episodes, and `source`: where that number comes from.

    `fitted` is False where the number is the default's, or beyond what it was fitted for; then `source` says why.
    """

    plan: SFTPlan
    effective: float
    source: str
    fitted: bool


def dose_for(model: str, *, dose: float | None = None, **settings: float | None) -> Dose:
    """The dose of training `model` with its own plan, changed by `settings` (steps, batch, rate, rank, alpha, seed).

    `dose` sets the number of effective episodes outright.
    """
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise BadInput(f"a plan has no {sorted(unknown)[0]}", remedy=f"one of {', '.join(SETTINGS)}")
    listed = doses()
    known = Path(model).name.lower() if model.lower() not in listed else model.lower()
    entry = listed.get(known, listed["default"])
    own = SFTPlan(**{key: entry[key] for key in PLAN_FIELDS})
    plan = replace(own, **{key: value for key, value in settings.items() if value is not None})
    if dose is not None:
        if not (np.isfinite(dose) and dose > 0.0):
            raise BadInput(f"a dose of {dose} effective episodes", remedy="give a number above zero")
        return Dose(plan, float(dose), "The dose was given by hand.", fitted=False)
    effective = DoseLaw(plan.method, float(entry["coefficient"])).dose(steps=plan.steps, rate=plan.rate)
    if known not in listed:
        said = f"No dose was fitted for {model}: the default is used, so the size of the forecast shifts is a guess."
        return Dose(plan, effective, said, fitted=False)
    if plan.rank != own.rank or plan.alpha != own.alpha or plan.batch != own.batch:
        said = f"The dose of {model} was fitted at rank {own.rank}, alpha {own.alpha:g} and batches of {own.batch}."
        return Dose(plan, effective, said, fitted=False)
    return Dose(plan, effective, f"The dose was fitted on {entry['fitted_on']}.", fitted=True)


@cache
def doses() -> Mapping[str, dict[str, Any]]:
    """{model: its plan, coefficient and how it was fitted}, as in the library's file."""
    text = (files("personae") / "library" / "doses.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return found


@dataclass(frozen=True)
class DevelopmentPair:
    """One pair that a dose is fitted on: its evidence (less the control's) and measured character shifts, nats."""

    basis: Basis
    evidence: Evidence
    shifts: Mapping[str, float]
    steps: int
    rate: float


def fit(pairs: Sequence[DevelopmentPair], *, seed: int = 0) -> tuple[DoseFit, float]:
    """The dose that forecasts all of `pairs` best, and the coefficient of the law through it.

    All pairs were trained by one plan; traits are those of every pair's basis.
    """
    if len({(p.steps, p.rate) for p in pairs}) != 1:
        raise BadInput("the pairs were not trained by one plan", remedy="give runs of equal steps and rate")
    names = [t for t in pairs[0].basis.levels.by_trait if all(t in p.shifts for p in pairs)]
    measured = np.array([[p.shifts[t] for t in names] for p in pairs])

    def shift_of_dose(dose: float) -> Floats:
        return np.array([[_shift(p, t, dose) for t in names] for p in pairs])

    found = fit_dose(shift_of_dose, measured, rng=np.random.default_rng(seed))
    return found, found.dose / (pairs[0].steps * pairs[0].rate)


def _shift(pair: DevelopmentPair, trait: str, dose: float) -> float:
    weights = posterior(pair.basis.prior, pair.evidence.matrix, dose)
    return forecast_shift(pair.basis.prior, weights, pair.basis.levels.by_trait[trait])
