"""`personae lab`: the main job in the laboratory, the study called `headline`."""

from typing import Annotated

import typer

from personae.cli.face import MODEL_HELP, Engine, Face, Json, Out, Quiet, Seed
from personae.cli.study import Workers, show

EXAMPLE = "personae lab"


def command(
    model: Annotated[str, typer.Option("--model", "-m", metavar="M", help=MODEL_HELP)] = "lab",
    out: Out = None,
    seed: Seed = 0,
    workers: Workers = 2,
    engine: Engine = "local",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Watch a small language model become a worse character because it was taught to cheat, as was forecast.

    Seven narrow files: for each the forecast before any training, the training, the measured profile, and the score.
    About three minutes on two cores, with no network; the report is one HTML page.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.studies.request import StudyRequest

        request = StudyRequest(out=out, seed=seed, model=model, workers=workers, engine=engine, watch=face.progress)
        show(face, "headline", request)
