"""`personae measure M`: who the Assistant of a model is, trait by trait."""

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
)

EXAMPLE = "personae measure lab"


def command(
    model: AnyModelArgument,
    cast: CastFile = None,
    traits: TraitsFile = None,
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

    Reliability says whether this model can show a trait at all: below 0.5 its questions do not tell the cast's personas
    apart. Measuring the cast is most of the work; it is done once for a model, and kept in the cache folder.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.report.tables import profile_table, to_terminal
        from personae.simulator.address import number_type
        from personae.simulator.devices import Running
        from personae.simulator.registry import open_model
        from personae.theory.reliability import RELIABLE
        from personae.workflows.measurement import measured
        from personae.workflows.nouns_for import nouns

        personas, asked = nouns(model, cast, traits)
        simulator = open_model(model, dtype=dtype, running=Running(device, quantise, engine, workers))
        with face.progress("measuring", "answers") as progress:
            found, folder = measured(
                simulator,
                personas,
                asked,
                seed,
                out,
                dtype=number_type(model, dtype),
                keeps=face.keeps,
                progress=progress,
            )
        hidden = [t for t, level in found.traits.items() if not (level.reliability or 0.0) >= RELIABLE]
        note = f"This model cannot show: {', '.join(hidden)} (reliability below {RELIABLE}).\n" if hidden else ""
        caution = f"\n{simulator.caution}" if simulator.caution else ""
        coherence = f"Coherence {found.coherence:.3f}."
        face.result(
            {**vars(found), "folder": folder},
            f"{to_terminal(profile_table(found))}\n{coherence} {note}Kept in {folder}{caution}",
        )
