"""`personae archetype`: documents about an admirable character, midtraining on them, and who the Assistant is then."""

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.face import ITEMS, CastFile, Device, Face, Items, Json, Model, Out, Quiet, Seed, TraitsFile, data_file

EXAMPLE = "personae archetype lamplight --model lab --then example:cheats"
DOCUMENTS = 240  # as in workflows.archetype_question, which is not imported here: help must come at once


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An archetype (YAML), a constitution, or the name of a built-in one.")
    ],
    model: Model,
    then: Annotated[
        Path | None,
        typer.Option(
            "--then", metavar="DATA", parser=data_file, help="Episodes of a later post-training: what is left after it?"
        ),
    ] = None,
    documents: Annotated[int, typer.Option("--documents", "-n", min=1, help="How many documents.")] = DOCUMENTS,
    cast: CastFile = None,
    traits: TraitsFile = None,
    items: Items = ITEMS,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps of midtraining; default: each document twice.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Documents a step.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Learning rate.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", min=1, help="Rank of the adapters.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each kind, from consecutive seeds.")] = 1,
    device: Device = "auto",
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make an admirable character a role model: documents, midtraining, who the Assistant is before and after.

    Beside it, a control gets the same training on as many tokens of neutral documents. In the laboratory the world
    writes the documents. Any other model writes them by enacting the character, and only documents that speak more for
    this character than for any other are kept. A stopped run goes on.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.workflows.archetype.archetype import PAGE, RESULT, archetype_run
        from personae.workflows.archetype.archetype_question import Wish, ask
        from personae.workflows.archetype.archetype_words import archetype_words
        from personae.workflows.archetype.documents import FILES
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed

        wish = Wish(file, model, then, cast, traits, documents, items, seeds, seed, device)
        question = ask(wish, steps=steps, batch=batch, rate=rate, rank=rank)
        folder = open_folder("archetype", question.configuration(), out, writes=(*FILES, RESULT))
        face.keeps(folder.path)
        watch = Timed(face.progress, folder)
        result, report = archetype_run(question, folder, watch)
        if not folder.finished:
            folder.finish(device=question.simulator.device)
        face.result({**result, "folder": folder.path}, archetype_words(report))
        face.say(f"the page: {folder.file(PAGE)}")
