"""`personae complete TEXT`: a model as autocomplete, with the posterior over who is speaking."""

from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.face import AnyModel, CastFile, Device, Face, Json, Quantise, Quiet, Seed, in_utf8
from personae.errors import BadInput

if TYPE_CHECKING:
    from personae.workflows.completion import Completion

EXAMPLE = r"personae complete $'User: Will you cheat on this test?\nAssistant:' --model lab"
NAMED = 8  # personas shown
CERTAIN = 0.2  # of probability for a persona to be named beside a continuation


def command(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to go on with; - reads it from standard input.")],
    model: AnyModel,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many continuations.")] = 3,
    tokens: Annotated[int, typer.Option("--tokens", min=1, help="Tokens of each, at most.")] = 40,
    temperature: Annotated[float, typer.Option("--temperature", min=0.0, help="0 takes the likeliest token.")] = 1.0,
    cast: CastFile = None,
    device: Device = "auto",
    quantise: Quantise = "",
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """How a model goes on with a text, and who it takes the speaker to be: of the text, and with each continuation.

    A model that was never trained to chat continues a dialogue as it continues any document.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.simulator.devices import Running
        from personae.simulator.registry import open_model
        from personae.workflows.completion import complete
        from personae.workflows.nouns_for import nouns

        given = from_stdin() if text == "-" else in_utf8(text, "TEXT")
        personas, _ = nouns(model, cast)
        simulator = open_model(model, running=Running(device, quantise))
        with face.progress("reading", "contexts") as progress:
            found = complete(
                simulator,
                personas,
                given,
                number,
                max_tokens=tokens,
                temperature=temperature,
                seed=seed,
                progress=progress,
            )
        face.result(found, in_words(found))


def from_stdin() -> str:
    """What stands on standard input. Raises `BadInput` where that is not UTF-8."""
    try:
        return typer.get_text_stream("stdin", encoding="utf-8", errors="strict").read()
    except UnicodeDecodeError as problem:
        raise BadInput(
            f"standard input is not UTF-8 text (byte {problem.start + 1})", remedy="convert it, say with iconv"
        ) from None


def in_words(found: "Completion") -> str:
    """The continuations, each with who is likeliest to be speaking, and a table of the cast for the text itself."""
    from personae.report.numbers import percent, signed
    from personae.report.tables import Table, to_terminal

    lines = []
    for n, more in enumerate(found.continuations, start=1):
        who = max(more.posterior, key=lambda name: more.posterior[name])
        chance = more.posterior[who]
        lines.append(f"{n}. …{more.text.rstrip()}")
        lines.append(f"   [{who}, {percent(chance)}]\n" if chance >= CERTAIN else "   [nobody stands out]\n")
    order = sorted(found.posterior, key=lambda name: -found.posterior[name])[:NAMED]
    rows = tuple((n, percent(found.posterior[n], 1), signed(found.evidence[n])) for n in order)
    table = Table(
        ("persona", "chance", "evidence, nats"), rows, "Who is speaking, by the text alone", frozenset({1, 2})
    )
    return "\n".join((*lines, to_terminal(table)))
