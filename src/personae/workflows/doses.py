"""Doses: how many effective episodes a training of a model is worth, by tuning and rank, and the training itself.

    n_eff = coefficient · steps · rate

`library/doses.yaml` holds a coefficient for each model, tuning and rank that it was fitted for, with the training it
was fitted at, the development pairs it was fitted on, and how far a new training may land from its forecast (`Doubt`);
and the share of what rows do in context that was fitted with it, at that training. Neither is ever refitted on a file
that is being forecast. The user's own entries (`own_doses`) go first. A model that is not listed gets the default,
whose doubt is wider, and so does a training far from the one fitted (`FAR`); every report of it says so.
Source: PSM.md section 2, Dose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from personae.errors import BadInput
from personae.records import Levels
from personae.records.files import read_arrays, read_json
from personae.records.results import Floats
from personae.simulator.address import stands_for
from personae.simulator.listing import listed
from personae.simulator.locating import path_or_listed
from personae.theory import DoseFit, DoseLaw, against, attenuation_items, fit_dose, forecast_shift, posterior
from personae.theory.dose import FEW_SPREAD, FEWEST
from personae.theory.intervals import SAMPLED, Doubt
from personae.training import SFTPlan
from personae.workflows.kept.levels_file import read_levels
from personae.workflows.own_doses import own_doses

DEFAULT = "default"
FAR = 4.0  # times the steps · rate that a dose was fitted at, or less by as much: beyond that the law was not tried
SETTINGS = ("steps", "batch", "rate", "rank", "alpha", "seed")
PLAN_FIELDS = ("tuning", "rank", "alpha", "steps", "batch", "rate")
DOUBT_FIELDS = ("spread", "residual", "cast")


@dataclass(frozen=True)
class Dose:
    """The training `plan`, what it is worth in `effective` episodes, and `source`: where that number comes from.

    `fitted` is False where the number is the default's, or beyond what it was fitted for; then `source` says why.
    `doubt` is how far a training by this plan may land from what is forecast at `effective`. `share` of what its rows
    do in context, with no training, is foreseen beside what the cast says (`measure.in_context`); 0: none are shown. It
    grows with the dose, up to all of it.
    """

    plan: SFTPlan
    effective: float
    source: str
    fitted: bool
    doubt: Doubt = SAMPLED
    share: float = 0.0


def dose_for(model: str, *, dose: float | None = None, **settings: float | None) -> Dose:
    """The dose of training `model` with its own plan, changed by `settings` (steps, batch, rate, rank, alpha, seed).

    `dose` sets the number of effective episodes outright.
    """
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise BadInput(f"a plan has no {sorted(unknown)[0]}", remedy=f"one of {', '.join(SETTINGS)}")
    known = _known(model)
    entry = known or doses()[DEFAULT]
    own, doubt = SFTPlan(**{key: entry[key] for key in PLAN_FIELDS}), _doubt(entry)
    changes: dict[str, Any] = {key: value for key, value in settings.items() if value is not None}
    plan = replace(own, **changes)
    law = DoseLaw(float(entry["coefficient"]))
    share = float(entry["share"]) / law.dose(steps=own.steps, rate=own.rate)  # of one effective episode
    if dose is not None and not (np.isfinite(dose) and dose > 0.0):
        raise BadInput(f"a dose of {dose} effective episodes", remedy="give a number above zero")
    effective = law.dose(steps=plan.steps, rate=plan.rate) if dose is None else float(dose)
    given = Dose(plan, effective, "", fitted=False, doubt=doubt, share=min(1.0, share * effective))
    if dose is not None:
        return replace(given, source="The dose was given by hand.")
    if known is None:
        said = f"No dose was fitted for {model}: the default is used, so the size of the forecast shifts is a guess."
        return replace(given, source=said)
    adapted = plan.tuning == "lora" and (plan.rank, plan.alpha) != (own.rank, own.alpha)
    if adapted or plan.batch != own.batch:
        adapters = f"rank {own.rank}, alpha {own.alpha:g} and " if own.tuning == "lora" else ""
        said = f"The dose of {model} was fitted at {adapters}batches of {own.batch}."
        return guessed(given, said)
    times = plan.steps * plan.rate / (own.steps * own.rate)
    if not 1.0 / FAR <= times <= FAR:
        said = (
            f"The dose of {model} was fitted at {own.steps} steps at a rate of {own.rate:g}, and this training is "
            f"{times:.2g} times that: beyond {FAR:g} times either way it is a guess."
        )
        return guessed(given, said)
    said = (
        f"The dose was fitted on {entry['fitted_on']}; that of a new training may be up to {_factor(doubt)} times it."
    )
    return replace(given, source=said, fitted=True)


def check_rank(plan: SFTPlan, rank: float | None, model: str) -> None:
    """Raise `BadInput` where a rank of adapters was asked for, and all weights are trained."""
    if rank is not None and plan.tuning == "full":
        raise BadInput(f"--rank is of adapters, and all weights of {model} are trained", remedy="leave it out")


def _known(model: str) -> dict[str, Any] | None:
    """The entry of `model`, the user's before the library's; None where neither has one."""
    called = _called(model)
    own = {_called(name): entry for name, entry in own_doses().items()}
    return own.get(called) or (doses().get(called) if called != DEFAULT else None)


def _called(model: str) -> str:
    """What a model goes by, in small letters: its name in the list of models, its folder in full, or as it is written.

    As when a model is opened, a folder with a model goes before a name: it only bears the name, and is another model.
    """
    name = stands_for(model)
    path, entry = path_or_listed(name)
    if entry is not None:
        name = entry.name
    elif path.exists():
        name = next((m.name for m in listed() if m.folder.resolve() == path.resolve()), str(path.resolve()))
    return name.strip().lower()


def guessed(dose: Dose, source: str) -> Dose:
    """The same number of episodes for a training that it was not fitted on, `source` saying why, in wider doubt."""
    wide, doubt = _doubt(doses()[DEFAULT]), dose.doubt
    doubt = replace(doubt, spread=max(doubt.spread, wide.spread))
    if dose.share:  # no draw of an interval is of the share
        doubt = replace(doubt, residual=max(doubt.residual, wide.residual))
    return replace(dose, source=source, fitted=False, doubt=doubt)


def _doubt(entry: Mapping[str, Any]) -> Doubt:
    return Doubt(**{key: float(entry[key]) for key in DOUBT_FIELDS})


def _factor(doubt: Doubt) -> str:
    """How many times the dose the upper end of its 95 % interval is."""
    return f"{np.exp(1.96 * doubt.spread):.1f}"


def coefficient(model: str) -> float:
    """Effective episodes of one step at rate 1, as listed for `model`."""
    if model not in doses():
        raise BadInput(f"no dose is listed for {model}", remedy=f"one of {', '.join(doses())}")
    return float(doses()[model]["coefficient"])


@cache
def doses() -> Mapping[str, dict[str, Any]]:
    """{model: its plan, coefficient and how it was fitted}, as in the library's file."""
    text = (files("personae") / "library" / "doses.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return found


@dataclass(frozen=True)
class DevelopmentPair:
    """One pair that a dose is fitted on: what was known before training, and what training did.

    `prior` (K + 1,), `matrix` (N, K + 1) evidence less the control's, `levels` {trait: (K + 1, I)} on items that score,
    `shifts` {trait: measured character shift, nats}, `in_context` {trait: the shift of its rows in context, nats}; that
    is empty where none were shown.
    """

    prior: Floats
    matrix: Floats
    levels: Mapping[str, Floats]
    shifts: Mapping[str, float]
    steps: int
    rate: float
    in_context: Mapping[str, float] = field(default_factory=dict)

    def forecast(self, trait: str, dose: float) -> float:
        """The shift of a trait (nats) that `dose` effective episodes would make, by the cast alone."""
        return forecast_shift(self.prior, posterior(self.prior, self.matrix, dose), self.levels[trait])


def fit(pairs: Sequence[DevelopmentPair], *, seed: int = 0) -> tuple[DoseFit, float]:
    """The dose that forecasts all of `pairs` best, and the coefficient of the law through it.

    All pairs were trained by one plan; cells are the traits that every pair shows. With it the share of the shift in
    context is fitted, where all pairs tell one.
    """
    if len({(p.steps, p.rate) for p in pairs}) != 1:
        raise BadInput("the pairs were not trained by one plan", remedy="give runs of equal steps and rate")
    names = [t for t in pairs[0].levels if all(t in p.shifts for p in pairs)]
    measured = np.array([[p.shifts[t] for t in names] for p in pairs])
    found = fit_dose(
        lambda dose: np.array([[p.forecast(t, dose) for t in names] for p in pairs]),
        measured,
        np.array([[p.in_context[t] for t in names] for p in pairs]) if all(p.in_context for p in pairs) else None,
        rng=np.random.default_rng(seed),
    )
    return found, _per_step(found, pairs[0].steps, pairs[0].rate)


def _per_step(found: DoseFit, steps: int, rate: float) -> float:
    """The coefficient: effective episodes of one step at rate 1."""
    return found.dose / (steps * rate)


def entry_for(plan: SFTPlan, found: DoseFit, fitted_on: str, *, cast: float = 1.0) -> dict[str, Any]:
    """What `library/doses.yaml` holds of a dose fitted at `plan`; `cast` is 0 where the cast names everybody there is.

    Too few arms do not tell how far a new one may land: spread and residual are then the defaults, or more, and
    `fitted_on` says so. Nor does a dose at an end of those searched say how far.
    """
    few = f" ({found.arms} arms do not tell how far a new one may land; that is assumed)" if found.arms < FEWEST else ""
    few += " (an end of the doses searched: they did not determine it)" if found.at_edge else ""
    return {
        **{key: getattr(plan, key) for key in PLAN_FIELDS},
        "coefficient": round(_per_step(found, plan.steps, plan.rate), 1),
        "spread": round(max(found.spread, FEW_SPREAD) if found.at_edge else found.spread, 2),
        "residual": round(found.residual, 3),
        "cast": cast,
        "share": round(found.share, 3),
        "fitted_on": f"{fitted_on}{few}",
    }


def development(folder: Path) -> DevelopmentPair:
    """The pair that a finished run with a control leaves in its folder."""
    record, profile = read_json(folder / "forecast.json"), read_json(folder / "profile.json")
    measured = read_levels(folder / "basis.parquet")
    taught = profile.get("trained", ())  # no score counts what a file itself trains
    names = measured.contexts[1:]  # the Assistant's own row stands first
    ours, theirs = (_matrix(folder / f"{file}.parquet", names) for file in ("evidence", "evidence-control"))
    return DevelopmentPair(
        prior=np.array([record["prior"][name] for name in names]),
        matrix=ours - theirs if record["matched"] else against(ours, theirs),
        levels={t: measured.by_trait[t][1:, ~attenuation_items(_items(measured, t))] for t in record["forecast"]},
        shifts={t: np.nan if t in taught else shift["character"]["mean"] for t, shift in profile["shifts"].items()},
        steps=int(record["plan"]["steps"]),
        rate=float(record["plan"]["rate"]),
        in_context=record.get("in_context", {}),
    )


def _matrix(path: Path, names: Sequence[str]) -> Floats:
    columns = read_arrays(path)
    return np.stack([columns[name] for name in names], axis=1)


def _items(measured: Levels, trait: str) -> int:
    return int(measured.by_trait[trait].shape[1])
