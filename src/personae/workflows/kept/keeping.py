"""What the workflows enter in the ledger: forecasts as they are sealed, scores as they are measured.

The ledger is beside the job, never in its way: where it cannot be written, the job goes on, and one line says so.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from personae.errors import PersonaeError
from personae.ledger import Ledger, ledger_file, scored, sealed
from personae.ledger.entries import measured


def keep_forecast(record: Mapping[str, Any], at: float) -> str:
    """Enter a sealed record at the time `at`; why it could not be entered, or nothing.

    A forecast of no trait can never be scored, and is not entered.
    """
    if not record["forecast"]:
        return ""
    return _said(lambda: Ledger(ledger_file()).seal(sealed(record, at)))


def keep_score(record: Mapping[str, Any], at: float, profile: Mapping[str, Any]) -> str:
    """Score a sealed record, written at the time `at`, on a profile; why that could not be entered, or nothing."""

    def enter() -> None:
        forecast = sealed(record, at)
        Ledger(ledger_file()).keep(forecast, scored(forecast, measured(profile), time.time()))

    return _said(enter)


def _said(enter: Callable[[], object]) -> str:
    try:
        enter()
    except PersonaeError as problem:
        return f"not entered in the ledger: {problem}"
    return ""
