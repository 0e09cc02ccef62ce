"""`personae pretrain`: the laboratory's model from scratch, examined, with its card."""

from typing import Annotated

import typer

from personae.cli.corpus import WorldName
from personae.cli.face import Face, Json, Out, Quiet, Seed

EXAMPLE = "personae pretrain --quick --out runs/my-lab"


def command(
    world: WorldName = "declared",
    quick: Annotated[bool, typer.Option("--quick", help="9 million tokens, about ten minutes: half-learned.")] = False,
    tokens: Annotated[
        int | None, typer.Option("--tokens", min=1, help="How many tokens; by default those of the shipped model.")
    ] = None,
    width: Annotated[
        int | None, typer.Option("--width", min=8, help="Width of the model; by default that of the shipped one, 128.")
    ] = None,
    keep_at: Annotated[
        list[int] | None,
        typer.Option("--keep-at", min=1, metavar="TOKENS", help="Also keep the model after so many; may be repeated."),
    ] = None,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pretrain the laboratory's model from scratch (up to 100 minutes on two cores), and say what it has learned.

    The checkpoint is an ordinary Hugging Face folder, DIR/model, which `--model` takes. A stopped run goes on.
    """
    with Face(json=json, quiet=quiet) as face:
        from dataclasses import asdict

        from personae.report.tables import Table, to_terminal
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed
        from personae.workflows.train.model_card import bar_rows
        from personae.workflows.train.pretraining import plan_for, pretrained
        from personae.world import world_named

        chosen, plan = world_named(world), plan_for(quick=quick, tokens=tokens, width=width, seed=seed)
        folder = open_folder("pretrain", {"world": chosen.name, "plan": asdict(plan)}, out)
        face.keeps(folder.path)
        with Timed(face.progress, folder)("pretraining", "tokens") as progress:
            told = lambda done, total, _: progress(done, total)  # noqa: E731
            card = pretrained(chosen, plan, folder, told, face.say, keep_at or ())
        rows = tuple(bar_rows(card["learned"]))
        table = Table(("what it has learned", "figure", "should be", "met"), rows, numeric=frozenset({1}))
        face.result(
            {**card, "folder": folder.file("model")}, f"{to_terminal(table)}\nThe model: {folder.file('model')}"
        )
