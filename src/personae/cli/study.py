"""`personae study NAME`: one study of the laboratory, several or all of them; `--list` names them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.face import MODEL_HELP, Engine, Face, Json, Out, Quiet, Seed, named_path
from personae.errors import BadInput

if TYPE_CHECKING:
    from personae.studies.request import StudyRequest

EXAMPLE = "personae study transfer --quick"
ALL = "all"

Workers = Annotated[
    int,
    typer.Option("--workers", min=1, help="How many trainings run side by side; a Ray cluster takes all its cores."),
]


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Names from `personae study --list`, or `all`.")
    ] = None,
    every: Annotated[bool, typer.Option("--list", help="Name the studies and say what each shows.")] = False,
    model: Annotated[str, typer.Option("--model", "-m", metavar="M", help=MODEL_HELP)] = "lab",
    quick: Annotated[bool, typer.Option("--quick", help="Fewer arms and seeds.")] = False,
    full: Annotated[bool, typer.Option("--full", help="More arms and seeds.")] = False,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, help="Trainings of each arm; by default 1 with --quick, 3, or 8 with --full."),
    ] = None,
    docs: Annotated[
        Path | None,
        typer.Option("--docs", metavar="DIR", parser=named_path, help="Also write each as Markdown, with its picture."),
    ] = None,
    out: Out = None,
    seed: Seed = 0,
    workers: Workers = 2,
    engine: Engine = "local",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run studies of the laboratory: their arms, trained and measured, and what they say.

    One study makes one page; several, or `all`, make a site with a page that leads to each, and to those that lie in
    its folder already. A stopped study goes on.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.studies import STUDIES
        from personae.studies.request import StudyRequest

        if every:
            if names:
                raise BadInput(f"--list runs no study, and {names[0]} is named", remedy="leave one of the two out")
            listing(face)
            return
        if not names:
            raise BadInput("no study is named", remedy="`personae study --list` names them")
        if ALL in names and len(names) > 1:
            raise BadInput("`all` stands beside the name of a study", remedy="name `all` alone")
        if quick and full:
            raise BadInput("a study is --quick or --full, not both", remedy="leave one out")
        request = StudyRequest(out, seed, quick, full, seeds, model, workers, engine, watch=face.progress)
        if names == [ALL]:
            show_site(face, STUDIES, request, docs)
        elif len(names) > 1 or docs:
            show_site(face, names, request, docs)
        else:
            show(face, names[0], request)


def listing(face: Face) -> None:
    """Name the studies."""
    from personae.report.tables import Table, to_terminal
    from personae.studies import STUDIES, find

    says = {name: find(name).claim for name in STUDIES}
    table = Table(("study", "what it shows"), tuple(says.items()), "Studies of the laboratory")
    face.result({"studies": [{"name": n, "says": s} for n, s in says.items()]}, to_terminal(table))


def show(face: Face, name: str, request: "StudyRequest") -> None:
    """Run the study called `name` and show its result."""
    from dataclasses import replace

    from personae.studies import find

    chosen = find(name)
    face.keeps(request.out or Path("runs"))
    with face.progress(name, "trainings") as progress:
        found = chosen.run(replace(request, progress=progress))
    page = found.folder / "report.html"
    for note in found.notes:
        face.say(note)
    face.result(
        found.result, f"{found.summary.rstrip()}\n\n{f'Report: {page}' if found.page else f'In {found.folder}'}"
    )


def show_site(face: Face, names: "list[str] | tuple[str, ...]", request: "StudyRequest", docs: Path | None) -> None:
    """Run several studies, and show what each found in a sentence."""
    from personae.records.files import plain
    from personae.report.tables import Table, to_terminal
    from personae.studies import find
    from personae.studies.site import run_studies, site_folder, write_docs

    for name in names:
        find(name)  # a wrong name is told before any work
    face.keeps(site_folder(request))
    site = run_studies(names, request)
    if docs:
        write_docs(site.findings, docs)
    rows = tuple((f.study, f.verdict, f.sentence) for f in site.findings)
    table = to_terminal(Table(("study", "the claim", "what was found"), rows))
    found = [{**plain(f), "verdict": f.verdict} for f in site.findings]
    face.result({"studies": found, "page": site.page}, f"{table}\n\nThe site: {site.page}")
