"""Score a forecast that was written down before training on what was measured after it, and keep it in the ledger.

    forecast.json (its seal checked) + profile.json [- the control's] -> score -> ledger

What is scored must be alike: the same items by the same instrument, and the control's training taken off where the
forecast was made against one (`ledger.alike`). Levels are as measured; only `personae run` takes attenuation off.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personae.errors import BadInput, PersonaeError
from personae.ledger import Ledger, Scored, Sealed, ledger_file, read_forecast, read_profile, scored
from personae.ledger.alike import UNKNOWN, check_alike, check_control, known_alike, less
from personae.ledger.entries import Measured

UNTRAINED = "{} is of the untrained model itself, so this score is not entered in the ledger."


@dataclass(frozen=True)
class ScoredFiles:
    """A forecast, its score on the profile, and in `notes` what a reader must know."""

    forecast: Sealed
    scored: Scored
    notes: tuple[str, ...]

    def result(self) -> dict[str, Any]:
        """All of it as one object."""
        figures, traits = self.scored.score, {}
        for t, level in self.scored.measured.items():
            f, counts = self.forecast.traits[t], t not in self.scored.trained
            traits[t] = {**vars(f), "measured": level, "inside": f.low <= level.mean <= f.high, "scored": counts}
        return {
            "pearson": figures.pearson,
            "spearman": figures.spearman,
            "slope": figures.slope,
            "coverage": figures.coverage,
            "n": figures.n,
            "interval_score": self.scored.interval_score,
            "trained": self.scored.trained,
            "model": self.forecast.model,
            "data": self.forecast.data,
            "forecast_digest": self.scored.forecast,
            "profile_digest": self.scored.profile,
            "traits": traits,
            "notes": self.notes,
        }


def score_files(forecast: Path, profile: Path, trained: Sequence[str] = (), control: Path | None = None) -> ScoredFiles:
    """The score of the forecast in one file (or run folder) on the profile in another, entered in the ledger.

    `trained` names traits that the training data itself trains, and `control` the profile of a model trained on the
    forecast's control, which is taken off. Raises `BadInput` where a file is not what it should be, the forecast was
    altered after it was sealed, the two are not alike, both profiles are the same, or no trait is in both.
    """
    now = time.time()
    expected, found = read_forecast(forecast, now), read_profile(profile)
    command = f"personae measure M --for {forecast}"
    check_alike(expected, found, command=command, file=profile)
    known, untrained = known_alike(expected, found), _untrained(expected, found, "The profile")
    if control is not None:
        theirs = read_profile(control)
        _check_two({profile: found, control: theirs}, control)
        check_alike(expected, theirs, command=command, file=control)
        known = known and known_alike(expected, theirs)
        untrained = untrained or _untrained(expected, theirs, "The profile to be taken off")
        found = less(expected, found, theirs)
    result = scored(expected, found, now, trained)
    check_control(expected, found, command=command, file=profile)
    kept = untrained or _kept(expected, result)
    notes = (_missing(expected, found), "" if known else UNKNOWN, _model(expected, found), kept)
    return ScoredFiles(expected, result, tuple(note for note in notes if note))


def _check_two(profiles: Mapping[Path, Measured], control: Path) -> None:
    """Raise `BadInput` unless `profiles` {file: profile} are two, and each of one training."""
    for path, one in profiles.items():
        if one.difference:
            raise BadInput(
                "this profile is a difference already: a control's training has been taken off it",
                file=path,
                remedy="leave --less out, or name the profiles of the two trained models",
            )
    if len({one.digest for one in profiles.values()}) == 1:
        raise BadInput(
            "--less names the very profile that it is to be taken off",
            file=control,
            remedy="name that of the model trained on the control",
        )


def _untrained(forecast: Sealed, profile: Measured, which: str) -> str:
    """What there is to say where a profile, called `which`, is of the model that nobody trained."""
    return UNTRAINED.format(which) if profile.model == forecast.model_digest else ""


def _missing(forecast: Sealed, profile: Measured) -> str:
    names = [t for t in forecast.traits if t not in profile.traits]
    return f"Forecast and not measured: {', '.join(names)}." if names else ""


def _model(forecast: Sealed, profile: Measured) -> str:
    """What there is to say where the profile's model was trained from another than the forecast's."""
    if profile.untrained not in (None, forecast.model_digest):
        return "The profile's model was trained from another than the forecast's, or read in another number type."
    return ""


def _kept(forecast: Sealed, score: Scored) -> str:
    """Enter the score; what there is to say of it."""
    try:
        kept = Ledger(ledger_file()).keep(forecast, score)
    except PersonaeError as problem:
        return f"Not entered in the ledger: {problem}."
    if not kept.score.same_as(score):
        left_out = ", ".join(kept.score.trained) or "no trait"
        return f"The ledger keeps the first score of this forecast on this profile, which left out {left_out}."
    return (
        "" if kept.ahead else "This forecast entered the ledger with its score: that it came before training is unseen."
    )
