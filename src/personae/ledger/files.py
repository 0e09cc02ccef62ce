"""A sealed forecast and a measured profile as files, or as the run folders that hold them."""

import json
from pathlib import Path
from typing import Any

from personae.data.border import existing_file, found, unreadable
from personae.errors import BadInput
from personae.ledger.entries import Measured, Sealed, measured, sealed

FORECAST, PROFILE = "forecast.json", "profile.json"


def read_forecast(path: Path, at: float) -> Sealed:
    """The forecast in a file or run folder, its seal checked, as it enters the ledger at the time `at`."""
    file = _file(path, FORECAST)
    return sealed(_object(file), at, file=file)


def read_profile(path: Path) -> Measured:
    """The profile in a file or run folder."""
    file = _file(path, PROFILE)
    return measured(_object(file), file=file)


def _file(path: Path, name: str) -> Path:
    return existing_file(path / name if path.is_dir() else path)


def _object(file: Path) -> dict[str, Any]:
    """The JSON object in `file`, or `BadInput` that says what is there instead."""
    remedy = "name a file that this package wrote"
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        json.dumps(value, ensure_ascii=False).encode()  # half a character, as JSON can spell it, has no digest
    except json.JSONDecodeError as problem:
        raise BadInput(f"broken JSON ({problem.msg})", file=file, line=problem.lineno, remedy=remedy) from None
    except UnicodeError:
        raise BadInput("is not UTF-8 text", file=file, remedy=remedy) from None
    except RecursionError:
        raise BadInput("is nested too deep to be read", file=file, remedy=remedy) from None
    except OSError as problem:
        raise unreadable(file, problem) from None
    if not isinstance(value, dict):
        raise BadInput(f"should hold a JSON object, found {found(value)}", file=file, remedy=remedy)
    return value
