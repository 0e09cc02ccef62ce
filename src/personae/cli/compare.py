"""`personae compare BASE POST`: what a training made of a model, and how much of it is a persona at all."""

from typing import Annotated

import typer

from personae.cli.face import ITEMS, MODEL_HELP, CastFile, Device, Face, Items, Json, Out, Quiet, Seed, TraitsFile

EXAMPLE = "personae compare lab runs/train-1a2b3c4d/checkpoint"


def command(
    base: Annotated[str, typer.Argument(metavar="BASE", help=f"The model before. {MODEL_HELP}")],
    post: Annotated[str, typer.Argument(metavar="POST", help="What a training made of it: a checkpoint or adapter.")],
    twin: Annotated[
        str | None,
        typer.Option("--twin", metavar="M", help="Another training of the same kind, by another seed: the ceiling."),
    ] = None,
    cast: CastFile = None,
    traits: TraitsFile = None,
    items: Items = ITEMS,
    device: Device = "auto",
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """How the Assistant's traits shifted, and how much of the change is a reweighting of characters that were there.

    The share is of divergence, in contexts that the fit has not seen; what is left is shown where it is. Beside it
    stands what changed outside the Assistant's turn (raw text, other speakers, coin flips in the user's turn), and how
    many answers are nobody's. Outside the laboratory the contexts are the traits' items; what the cast answers there is
    measured once for a model, by its first audit or here.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.records.files import write_text
        from personae.report.compare_page import compare_page
        from personae.workflows.compare.compare import ANSWERS, COHERENCE, RECORD, compare, question_of
        from personae.workflows.compare.compare_words import compare_report, compare_words
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed

        question = question_of(base, post, twin, cast, traits, seed, device, items)
        folder = open_folder("compare", question.configuration(), out, writes=(ANSWERS, *COHERENCE.values(), RECORD))
        face.keeps(folder.path)
        found = compare(question, folder, Timed(face.progress, folder))
        report = compare_report(found)
        write_text(folder.file("report.html"), compare_page(report))
        if not folder.finished:
            folder.finish(device=question.base.device)
        face.result(
            {**found.record, "folder": folder.path}, f"{compare_words(report)}\nReport: {folder.path}/report.html"
        )
