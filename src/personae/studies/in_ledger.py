"""The laboratory's forecasts in the ledger: sealed arm by arm before any training, scored on the character shift after.

The untrained model's own forecasts enter, under the arm's name; those of exact inference, which no user has, do not.
The trait that an arm teaches is no part of its score. Once a training lies in the folder nothing is sealed: its
forecast enters with its score, and so is not called ahead of it. Forecasts and profiles are kept in the folder, from
where they enter again whenever it is shown: what the ledger could not take the first time is then not lost.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personae.ledger import with_digest
from personae.records.files import digest, plain, read_json, write_json
from personae.studies.arms import Arm
from personae.workflows.audit.audit import Audit
from personae.workflows.audit.sealing import sealed_at
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.keeping import keep_forecast, keep_score
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.workflows.lab.trial import Trial

ENTRIES = "ledger.json"  # {arm: its sealed forecast and its profile}


@dataclass(frozen=True)
class SealedArms:
    """The sealed record of every arm, {arm: record}, and `unkept`, why the ledger lacks one."""

    records: dict[str, dict[str, Any]]
    unkept: str


def seal_arms(
    lab: Laboratory, arms: Sequence[Arm], audits: Mapping[str, Audit], seed: int, folder: RunFolder
) -> SealedArms:
    """Seal the forecast of every arm, and enter it unless something was trained already."""
    records = {arm.name: _record(lab, arm, audits[arm.name], seed) for arm in arms}
    if any(folder.path.glob("trainings/*")):
        return SealedArms(records, "")
    return SealedArms(records, _first([keep_forecast(record, time.time()) for record in records.values()]))


def score_arms(sealed: SealedArms, arms: Sequence[Arm], trials: Mapping[str, Trial], folder: RunFolder) -> str:
    """Keep the profile of every arm in the folder, and enter its score; why one could not be entered, or nothing."""
    entries = {}
    for arm in arms:
        record = sealed.records[arm.name]
        entries[arm.name] = {"forecast": record, "profile": _profile(arm, record["forecast"], trials[arm.name])}
    write_json(folder.file(ENTRIES), entries)
    return _first((enter_scores(folder), sealed.unkept))


def enter_scores(folder: RunFolder) -> str:
    """Enter what a finished folder keeps, which changes nothing of what is entered; why it could not be, or nothing."""
    if not folder.file(ENTRIES).exists():  # an earlier version made the folder
        return ""
    at, entries = sealed_at(folder), read_json(folder.file(ENTRIES)).values()
    return _first([keep_score(one["forecast"], at, one["profile"]) for one in entries])


def _first(said: Iterable[str]) -> str:
    return next(filter(None, said), "")


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
