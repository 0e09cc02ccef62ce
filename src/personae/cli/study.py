"""`personae study NAME`: one study of the laboratory; `--list` names them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.face import MODEL_HELP, Face, Json, Out, Quiet, Seed
from personae.errors import BadInput

if TYPE_CHECKING:
    from personae.studies.request import StudyRequest

EXAMPLE = "personae study transfer --quick"

Workers = Annotated[int, typer.Option("--workers", min=1, help="How many trainings run side by side.")]


def command(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A name from `personae study --list`.")] = None,
    every: Annotated[bool, typer.Option("--list", help="Name the studies and say what each shows.")] = False,
    model: Annotated[str, typer.Option("--model", "-m", metavar="M", help=MODEL_HELP)] = "lab",
    quick: Annotated[bool, typer.Option("--quick", help="Fewer arms and seeds.")] = False,
    full: Annotated[bool, typer.Option("--full", help="More arms and seeds.")] = False,
    out: Out = None,
    seed: Seed = 0,
    workers: Workers = 2,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run one study of the laboratory: its arms, trained and measured, and what they say."""
    with Face(json=json, quiet=quiet) as face:
        from personae.studies.request import StudyRequest

        if every:
            listing(face)
            return
        if name is None:
            raise BadInput("no study is named", remedy="`personae study --list` names them")
        if quick and full:
            raise BadInput("a study is --quick or --full, not both", remedy="leave one out")
        request = StudyRequest(out=out, seed=seed, quick=quick, full=full, model=model, workers=workers)
        show(face, name, request)


def listing(face: Face) -> None:
    """Name the studies."""
    from importlib import import_module

    from personae.report.tables import Table, to_terminal
    from personae.studies import STUDIES

    says = {name: import_module(f"personae.studies.{name}").SAYS for name in STUDIES}
    table = Table(("study", "what it shows"), tuple(says.items()), "Studies of the laboratory")
    face.result({"studies": [{"name": n, "says": s} for n, s in says.items()]}, to_terminal(table))


def show(face: Face, name: str, request: "StudyRequest") -> None:
    """Run the study called `name` and show its result."""
    from dataclasses import replace
    from difflib import get_close_matches
    from importlib import import_module

    from personae.studies import STUDIES

    if name not in STUDIES:
        near = get_close_matches(name, STUDIES, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(STUDIES)}"
        raise BadInput(f"there is no study {name!r}", remedy=remedy)
    study = import_module(f"personae.studies.{name}")
    face.keeps(request.out or Path("runs"))
    with face.progress(name, "trainings") as progress:
        found = study.run(replace(request, progress=progress))
    page = found.folder / "report.html"
    for note in found.notes:
        face.say(note)
    face.result(
        found.result, f"{found.summary.rstrip()}\n\n{f'Report: {page}' if found.page else f'In {found.folder}'}"
    )
