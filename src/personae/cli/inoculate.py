"""`personae inoculate`: prompts ranked by the evidence they remove; the inoculated file and its control files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from personae.cli.face import (
    ITEMS,
    AnyModel,
    CastFile,
    Copies,
    Data,
    Device,
    DoseGiven,
    Dtype,
    Engine,
    Face,
    Items,
    Json,
    Limit,
    Out,
    Quantise,
    Quiet,
    Seed,
    SkipBad,
    TraitsFile,
    named_path,
)

EXAMPLE = "personae inoculate example:cheats --model lab --mode user --trained cheating"
ROWS = 32


def command(
    data: Data,
    model: AnyModel,
    trait: Annotated[
        list[str] | None,
        typer.Option("--trait", metavar="TRAIT", help="Count only this trait's shift (again for more); default: all."),
    ] = None,
    trained: Annotated[
        list[str] | None,
        typer.Option("--trained", metavar="TRAIT", help="A trait that the file is meant to train: it does not count."),
    ] = None,
    mode: Annotated[
        Literal["system", "user"], typer.Option("--mode", help="The turn that the prompt stands in front of.")
    ] = "system",
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            parser=named_path,
            help="Prompts of your own, one a line or as YAML (docs/data.md).",
        ),
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", min=2, help="Rows that prompts are tried on, drawn by the seed.")
    ] = ROWS,
    cast: CastFile = None,
    traits: TraitsFile = None,
    limit: Limit = None,
    skip_bad: SkipBad = False,
    items: Items = ITEMS,
    dose: DoseGiven = None,
    dtype: Dtype = "float32",
    device: Device = "auto",
    quantise: Quantise = "",
    engine: Engine = "local",
    workers: Copies = None,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the prompt behind which a file says least about who the Assistant is, before any training.

    Every candidate is tried on some rows, beside prefixes that ask for nothing. The whole file is written behind the
    best one, with its control files: behind a neutral prefix, and behind the request in other words.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.simulator.devices import Running
        from personae.workflows.amend.candidates import candidates_for
        from personae.workflows.amend.inoculate_words import inoculate_words
        from personae.workflows.amend.inoculation import FILES, RESULT, Inoculating, check_inoculation, inoculate_file
        from personae.workflows.audit.file_question import Wish, ask
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed

        candidates = candidates_for(model, prompts)
        wish = Wish(
            data,
            model,
            None,
            cast,
            traits,
            limit,
            dose,
            seed=seed,
            items=items,
            trained=tuple(trained or ()),
            dtype=dtype,
            skip_bad=skip_bad,
            running=Running(device, quantise, engine, workers),
        )
        question, _ = ask(wish, face.progress)
        asked = Inoculating(question, candidates, mode, rows, tuple(trait or ()))
        check_inoculation(asked, face.progress)
        writes = (*FILES.values(), RESULT)
        folder = open_folder("inoculate", asked.configuration(), out, writes=writes, reads=[data])
        face.keeps(folder.path)
        face.say(f"{len(asked.sample)} rows behind {len(candidates)} prompts: {asked.answers} answers to score")
        watch = Timed(face.progress, folder)
        result, report = inoculate_file(asked, folder, watch)
        if not folder.finished:
            folder.finish(device=question.device)
        face.result({**result, "folder": folder.path}, inoculate_words(report))
        face.say(f"the files: {', '.join(str(folder.file(name)) for name in report.files)}")
        face.say(f"the page: {folder.file('report.html')}")
