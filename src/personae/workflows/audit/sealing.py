"""The sealed forecast of a run folder: written once, before any training, and held to from then on.

`forecast.json` carries a digest over its own content. A run that goes on makes its forecast anew and must come to the
same numbers and names, but for rounding; the sentences beside them a later version may word otherwise.
"""

import time
from typing import Any

import numpy as np

from personae.errors import RunFailed
from personae.ledger import with_digest
from personae.records.files import read_json, write_json
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.keeping import keep_forecast

FORECAST = "forecast.json"
ROUNDING = 1e-6  # nats and weights: what another version, or processor, may make of a forecast that is the same
KEPT = ("trained-*", "adapters/*")  # what a run keeps of its trainings


def sealed_at(folder: RunFolder) -> float:
    """When the forecast in `folder` was written, seconds since 1970."""
    return folder.file(FORECAST).stat().st_mtime


def entered(folder: RunFolder, sealed: dict[str, Any]) -> str:
    """Tell the ledger now; why it does not have it, or nothing. What was already trained on enters with its score."""
    return "" if any(any(folder.path.glob(kept)) for kept in KEPT) else keep_forecast(sealed, time.time())


def keep_sealed(folder: RunFolder, sealed: dict[str, Any]) -> dict[str, Any]:
    """The record that stands in the folder: `sealed`, written now, or the one there, which must say the same."""
    path = folder.file(FORECAST)
    if not path.exists():
        write_json(path, sealed)
        return sealed
    found: dict[str, Any] = read_json(path)
    if found == sealed:
        return sealed
    if (
        not _alike(_said(sealed), _said(found))
        or with_digest({k: v for k, v in found.items() if k != "digest"}) != found
    ):
        raise RunFailed(f"{path}: the sealed forecast is not the one that these files give; name another --out")
    return found


def _said(record: dict[str, Any]) -> dict[str, Any]:
    """Numbers and names of a record, without its sentences, which a later version may word otherwise.

    Nor what its files are called, whose digests it has.
    """
    said = {key: value for key, value in record.items() if key not in ("digest", "notes", "data", "against")}
    for rows, sentence in (("hidden", "reason"), ("episodes", "reveals")):
        said[rows] = [{key: value for key, value in row.items() if key != sentence} for row in record.get(rows, ())]
    return said


def _alike(one: Any, other: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    """Whether two records say the same where both say something; numbers within what rounding makes of them."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_alike(one[key], other[key]) for key in one.keys() & other.keys())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol=ROUNDING, atol=ROUNDING))
    return bool(one == other)
