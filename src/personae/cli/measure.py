"""`personae measure M`: who the Assistant of a model is, trait by trait."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from personae.cli.face import (
    AnyModelArgument,
    CastFile,
    Copies,
    Device,
    Dtype,
    Engine,
    Face,
    Json,
    Out,
    Quantise,
    Quiet,
    Seed,
    TraitsFile,
    named_path,
)

EXAMPLE = "personae measure lab --instrument options"
Name = Literal["answers", "behaviour", "statements", "yes-no", "options", "sampled"]


def command(
    model: AnyModelArgument,
    cast: CastFile = None,
    traits: TraitsFile = None,
    instrument: Annotated[
        Name,
        typer.Option(
            "--instrument",
            metavar="NAME",
            help="How to ask: answers (all items), behaviour, statements (one kind of them), yes-no, options, sampled.",
        ),
    ] = "answers",
    wanted: Annotated[
        Path | None,
        typer.Option(
            "--for",
            metavar="FORECAST",
            parser=named_path,
            help="Measure what this sealed forecast is about, exactly its items, so that `score` can compare the two.",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="URL#NAME", help="The served model that scores sampled answers."),
    ] = None,
    draws: Annotated[int | None, typer.Option("--draws", min=1, help="Sampled answers an item; default: 4.")] = None,
    untrained: Annotated[
        str | None,
        typer.Option(
            "--untrained",
            metavar="M",
            help="The model that M was trained from, the yardstick of coherence; default: the one that M names.",
        ),
    ] = None,
    outside: Annotated[
        bool,
        typer.Option(
            "--outside",
            help="Also ask outside the Assistant's turn: raw text, other speakers, coin flips, and answers of nobody.",
        ),
    ] = False,
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
    """The Assistant's trait profile: each trait's level in nats, with its interval and reliability.

    Reliability says whether this model can show a trait at all by this instrument: below 0.5 its questions do not tell
    the cast's personas apart. Measuring the cast is most of the work; it is done once for a model, and kept in the
    cache folder. A trained model that has lost more than half of its untrained model's coherence is called incoherent:
    its profile is not to be read.

    With --outside: how far raw text moved from the untrained model's, how much of the Assistant's shift other speakers
    took on, whether a coin in the user's turn falls as the Assistant would like, and how many answers are nobody's. Of
    a model with no untrained one, the last two.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae import library
        from personae.ledger import asked_of, read_forecast
        from personae.measure import instrument as named
        from personae.simulator.address import number_type
        from personae.simulator.devices import Running
        from personae.simulator.registry import open_model
        from personae.workflows.enough import check_enough, check_nouns_fit
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.measure.leakage_words import outside_lines, outside_report
        from personae.workflows.measure.measurement import MeasureQuestion, coherent, measure
        from personae.workflows.measure.measurement_outside import beside, check_weights
        from personae.workflows.measure.measurement_words import profile_words, rounding_words
        from personae.workflows.measure.yardstick import open_untrained
        from personae.workflows.nouns_for import nouns

        by = named(instrument, judge=judge, draws=draws, seed=seed)
        running = Running(device, quantise, engine, workers)
        if outside:
            check_weights(model, untrained, running)
        personas, asked = nouns(model, cast, traits, face.warn)
        if wanted is not None:
            asked = asked_of(read_forecast(wanted, 0.0), asked, instrument, file=wanted)
        check_enough(personas, asked, cast_file=cast, traits_file=traits)
        for trait in asked:
            by.check(trait)
        simulator = open_model(model, dtype=dtype, running=running)
        check_nouns_fit(simulator, personas, asked, cast_file=cast, traits_file=traits)
        yardstick, missing = open_untrained(model, untrained, dtype, running)
        face.warn(missing)
        turns = beside(untrained or model, simulator, yardstick, asked, seed) if outside else None
        loaded = number_type(model, dtype)
        question = MeasureQuestion(simulator, personas, asked, seed, loaded, by, yardstick, turns)
        folder = open_folder("measure", question.configuration(), out)
        face.keeps(folder.path)
        found = measure(question, folder, face.progress)
        shipped = {} if cast or traits or wanted else library.reliability(model, instrument)
        notes = [line for line in (rounding_words(loaded), simulator.caution) if line]
        value = {
            **vars(found.profile),
            "coherent": coherent(found.profile),
            "shipped_reliability": {trait: one.value for trait, one in shipped.items()},
            "shipped": shipped,
        }
        said = [profile_words(found.profile, shipped)]
        if found.outside is not None:
            value["outside"] = found.outside
            said = [said[0].rstrip(), "", outside_lines(outside_report(found.outside))]
        said += [f"Kept in {folder.path}", *notes]
        face.result({**value, "folder": folder.path, "notes": [*face.warned, *notes]}, "\n".join(said))
