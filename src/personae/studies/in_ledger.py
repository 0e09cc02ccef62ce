"""The laboratory's forecasts in the ledger: sealed arm by arm before any training, scored on the character shift after.

The untrained model's own forecasts enter, under the arm's name; those of exact inference, which no user has, do not.
The trait that an arm teaches is no part of its score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personae.ledger import with_digest
from personae.records.files import digest, plain
from personae.studies.arms import Arm
from personae.workflows.audit.audit import Audit
from personae.workflows.kept.keeping import keep_forecast, keep_score
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.workflows.lab.trial import Trial


@dataclass(frozen=True)
class SealedArms:
    """The sealed record of every arm, {arm: record}, written at the time `at`; `unkept` why the ledger lacks one."""

    records: dict[str, dict[str, Any]]
    at: float
    unkept: str


def seal_arms(lab: Laboratory, arms: Sequence[Arm], audits: Mapping[str, Audit], seed: int, at: float) -> SealedArms:
    """Enter the forecast of every arm."""
    records = {arm.name: _record(lab, arm, audits[arm.name], seed) for arm in arms}
    unkept = [keep_forecast(record, at) for record in records.values()]
    return SealedArms(records, at, next(filter(None, unkept), ""))


def score_arms(sealed: SealedArms, arms: Sequence[Arm], trials: Mapping[str, Trial]) -> str:
    """Enter the score of every arm; why one could not be entered, or nothing."""
    unkept = [sealed.unkept]
    for arm in arms:
        record = sealed.records[arm.name]
        unkept.append(keep_score(record, sealed.at, _profile(arm, record["forecast"], trials[arm.name])))
    return next(filter(None, unkept), "")


def _record(lab: Laboratory, arm: Arm, found: Audit, seed: int) -> dict[str, Any]:
    """What `forecast.json` holds of an audit, for one arm."""
    return with_digest(
        {
            "model": lab.simulator.name,
            "model_digest": lab.simulator.digest,
            "data": f"lab: {arm.name}",
            "against": None,
            "data_digests": {"data": digest(list(arm.lesson(lab, seed).episodes))},
            "posterior": dict(zip(found.posterior.names, found.posterior.weights, strict=True)),
            "predictor": found.forecast.predictor,
            "plan": PLAN,
            "dose": found.forecast.dose,
            "forecast": found.forecast.traits,
        }
    )


def _profile(arm: Arm, forecast: Mapping[str, Any], trial: Trial) -> dict[str, Any]:
    """The Assistant after an arm, on the forecast's scale: the level before training plus the character shift."""
    traits = {}
    for trait, expected in forecast.items():
        shift, base = trial.shift(trait), expected["base"]
        traits[trait] = {"mean": base + shift.mean, "low": base + shift.low, "high": base + shift.high}
    found: dict[str, Any] = plain({"subject": arm.name, "traits": traits, "trained": [arm.trait]})
    return found
