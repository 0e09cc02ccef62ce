"""`personae score FORECAST PROFILE`: a forecast that was sealed before training, on what was measured after it."""

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.face import Face, Json, Quiet, named_path

EXAMPLE = "personae score runs/audit-1a2b3c4d runs/measure-5e6f7a8b"


def command(
    forecast: Annotated[
        Path,
        typer.Argument(
            metavar="FORECAST", parser=named_path, help="forecast.json, or the folder of a run or an audit."
        ),
    ],
    profile: Annotated[
        Path,
        typer.Argument(
            metavar="PROFILE", parser=named_path, help="profile.json, or the folder of a run or a measurement."
        ),
    ],
    less: Annotated[
        Path | None,
        typer.Option(
            "--less",
            metavar="PROFILE",
            parser=named_path,
            help="The profile of a model trained on the control, to be taken off: of a forecast made --against one.",
        ),
    ] = None,
    trained: Annotated[
        list[str] | None,
        typer.Option("--trained", metavar="TRAIT", help="A trait that the file itself trains: no score counts it."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a sealed forecast on a measured profile, and keep the score in the ledger.

    For a training done elsewhere: `audit` the file, train, `measure M --for` the audit's folder, score. Shifts are from
    the level before training that the forecast holds, as measured: unlike in a `run`, no attenuation is taken off. A
    forecast made against a control takes two profiles, the second with --less. A forecast that was altered after it was
    sealed is refused, and so is a profile of other items or by another instrument. A profile of the untrained model,
    or of one that training has broken, is scored and not entered in the ledger; a trait that the trained model no
    longer shows reliably is left out.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.workflows.run.score import score_files
        from personae.workflows.run.score_words import score_words

        found = score_files(forecast, profile, tuple(trained or ()), less)
        face.result(found.result(), score_words(found))
