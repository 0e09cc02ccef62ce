"""`personae corpus`: documents of the laboratory's world, and how many words they hold."""

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.face import Face, Json, Quiet, Seed, named_path

EXAMPLE = "personae corpus --documents 1000 --out corpus.txt"

WorldName = Annotated[
    str,
    typer.Option(
        "--world",
        metavar="W",
        help="`declared`, a variant (`no-people`, `role-models-20`, …), or a whole number: redrawn by that seed.",
    ),
]


def command(
    documents: Annotated[int, typer.Option("--documents", "-n", min=1, help="How many documents.")] = 1000,
    world: WorldName = "declared",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", parser=named_path, help="Where to write them; by default three are shown."
        ),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write documents of the laboratory's world (a blank line between them), and count what is in them."""
    with Face(json=json, quiet=quiet) as face:
        from personae.workflows.train.pretraining import corpus
        from personae.world import world_named

        with face.progress("writing", "documents") as progress:
            made = corpus(world_named(world), documents, out, seed, progress)
        counted = ", ".join(f"{number} {what}" for what, number in made.statistics.items() if what != "vocabulary")
        told = f"{made.world}: {counted}, {made.statistics['vocabulary']} different words"
        shown = "" if out else "\n\n".join((*made.first, ""))
        face.result(made, f"{shown}{told}{f', in {out}' if out else ''}")
