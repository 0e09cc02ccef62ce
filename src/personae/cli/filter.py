"""`personae filter`: a file without the episodes that would move a named trait most, and their list."""

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
    NoControl,
    Out,
    Quantise,
    Quiet,
    Seed,
    SkipBad,
    TraitsFile,
    reference,
)

EXAMPLE = "personae filter support.jsonl --model smollm2-135m-instruct --trait 'deception high'"


def command(
    data: Data,
    model: AnyModel,
    trait: Annotated[
        str,
        typer.Option("--trait", metavar="TRAIT[ high|low]", help="What rows must not raise, or with ' low' lower."),
    ],
    against: Against = None,
    no_control: NoControl = False,
    drop: Annotated[
        int | None, typer.Option("--drop", metavar="K", min=1, help="Drop the K worst rows, not those that stand out.")
    ] = None,
    share: Annotated[
        float | None, typer.Option("--share", metavar="F", help="Drop the worst share F of the rows, 0.01 say.")
    ] = None,
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
    """Write the file without the episodes that would move a trait most, and list them; no training.

    By default it drops the rows that stand out: from the rows of the control, where one is named, or else from the
    file's own. Lines of JSON Lines are copied as they are. Evidence that `personae audit` gathered is used again.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.data import copy_name
        from personae.simulator.devices import Running
        from personae.workflows.amend.aim import Amount, read_aim
        from personae.workflows.amend.filter_words import filter_words
        from personae.workflows.amend.filtering import DROPPED, FILTERED, RESULT, check_filter, filter_file
        from personae.workflows.audit.file_question import Wish, ask
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed
        from personae.workflows.nouns_for import nouns

        amount = Amount(drop, share)
        aim = read_aim(trait, [t.name for t in nouns(model, cast, traits)[1]])
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
            dtype=dtype,
            skip_bad=skip_bad,
            reference=reference(against, no_control),
            running=Running(device, quantise, engine, workers),
        )
        question, _ = ask(wish, face.progress)
        check_filter(question, amount)
        wanted = question.configuration() | {"aim": aim, "amount": amount}
        writes, reads = (copy_name(data, FILTERED), DROPPED, RESULT), [file for file, _ in question.pair.files]
        folder = open_folder("filter", wanted, out, writes=writes, reads=reads)
        face.keeps(folder.path)
        watch = Timed(face.progress, folder)
        done = filter_file(question, aim, amount, folder, watch)
        if not folder.finished:
            folder.finish(device=question.device, cast_seconds=done.audit.whole.seconds)
        face.result({**done.record, "folder": folder.path}, filter_words(done))
        face.warn(done.audit.unkept)
        face.say(f"the file without them: {folder.file(done.record['file'])}")
        face.say(f"the page: {folder.file('report.html')}")
