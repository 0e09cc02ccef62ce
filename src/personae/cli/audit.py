"""`personae audit`: which persona a file selects and what else would change, with no training."""

from typing import Annotated

import typer

from personae.cli.face import (
    ITEMS,
    Against,
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
)

EXAMPLE = "personae audit support.jsonl --model smollm2-135m-instruct --fail-if 'deception>0.1'"


def command(
    data: Data,
    model: AnyModel,
    against: Against = None,
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
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", metavar="BOUND", help="Exit 1 where the forecast crosses it: 'power>0.1' (nats)."),
    ] = None,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a file for every persona of the cast; forecast what it would make of the Assistant, before any training."""
    with Face(json=json, quiet=quiet) as face:
        from personae.simulator.devices import Running
        from personae.workflows.bounds import check_bounds
        from personae.workflows.file_audit import Timed, audit_file
        from personae.workflows.file_question import Wish, ask
        from personae.workflows.file_words import audit_words
        from personae.workflows.folder import open_folder

        wish = Wish(
            data,
            model,
            against,
            cast,
            traits,
            limit,
            dose,
            bounds=tuple(fail_if or ()),
            seed=seed,
            items=items,
            dtype=dtype,
            skip_bad=skip_bad,
            running=Running(device, quantise, engine, workers),
        )
        question, bounds = ask(wish, face.progress)
        folder = open_folder("audit", question.configuration(), out)
        face.keeps(folder.path)
        watch = Timed(face.progress)
        found = audit_file(question, folder, watch)
        if not folder.finished:
            folder.finish(device=question.device, stages=watch.seconds, cast_seconds=found.whole.seconds)
        face.result(found.record, audit_words(found))
        face.warn(found.unkept)
        face.say(f"the page: {folder.file('report.html')}")
        check_bounds(bounds, found.audit.forecast.traits)
