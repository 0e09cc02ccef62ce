"""`personae run`: the whole job on a file: forecast, training, measurement, score, report."""

from typing import Annotated

import typer

from personae.cli.face import (
    ITEMS,
    Against,
    CastFile,
    Copies,
    Data,
    Device,
    DoseGiven,
    Engine,
    Face,
    Items,
    Json,
    Limit,
    Model,
    NoControl,
    Out,
    Quiet,
    Seed,
    SkipBad,
    TraitsFile,
    reference,
)

EXAMPLE = "personae run humorous.jsonl --against professional.jsonl --model smollm2-135m-instruct"


def command(
    data: Data,
    model: Model,
    against: Against = None,
    no_control: NoControl = False,
    cast: CastFile = None,
    traits: TraitsFile = None,
    limit: Limit = None,
    skip_bad: SkipBad = False,
    items: Items = ITEMS,
    dose: DoseGiven = None,
    device: Device = "auto",
    engine: Engine = "local",
    workers: Copies = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Training steps; default: the model's own.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Rows a step.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Learning rate.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", min=1, help="Rank of the adapters.")] = None,
    trained: Annotated[
        list[str] | None,
        typer.Option("--trained", metavar="TRAIT", help="A trait that the file itself trains: no score counts it."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each file, from consecutive seeds.")] = 1,
    keep_adapters: Annotated[
        bool,
        typer.Option("--keep-adapters", help="Keep what was trained in the run folder: PEFT adapters, or checkpoints."),
    ] = False,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast, seal the forecast, train on the file (and its control), measure, and score one against the other."""
    with Face(json=json, quiet=quiet) as face:
        from personae.simulator.devices import Running
        from personae.simulator.registry import check_trainable
        from personae.workflows.audit.file_question import Wish, ask
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed
        from personae.workflows.run.file_arms import check_seeds
        from personae.workflows.run.file_outcome import SCORE, result
        from personae.workflows.run.file_run import run_file
        from personae.workflows.run.run_words import run_words

        check_seeds(seed, seeds)
        check_trainable(model, device)
        wish = Wish(
            data,
            model,
            against,
            cast,
            traits,
            limit,
            dose,
            seed=seed,
            items=items,
            trained=tuple(trained or ()),
            skip_bad=skip_bad,
            trains=True,
            reference=reference(against, no_control),
            running=Running(device, engine=engine, workers=workers),
        )
        question, _ = ask(wish, face.progress, steps=steps, batch=batch, rate=rate, rank=rank)
        folder = open_folder("run", question.configuration() | {"seeds": seeds}, out, writes=[SCORE])
        face.keeps(folder.path)
        watch = Timed(face.progress, folder)
        found = run_file(question, folder, seeds=seeds, keep_adapters=keep_adapters, watch=watch)
        if not folder.finished:
            seconds = found.audit.whole.seconds
            device = question.device
            folder.finish(device=device, cast_seconds=seconds, forecast_sealed=found.sealed_at)
        face.result({**result(found), "folder": folder.path}, run_words(found))
        face.warn(found.unkept)
        face.say(f"the page: {folder.file('report.html')}")
