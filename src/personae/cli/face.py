"""What all commands share: the options that mean the same everywhere, and how a command speaks.

Results go to stdout, everything else to stderr. A command does its work inside a `Face`:

    with Face(json=json, quiet=quiet) as face:
        face.keeps(folder.path)
        with face.progress("evidence", "episodes") as progress:
            found = gather(simulator, cast, episodes, kept, progress)
        face.result(value, text)

`result` prints `value` as JSON with `--json`, else `text`. Ctrl-C inside becomes one line that names the folder.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal

import typer

from personae.cli.progress import Progress, progress
from personae.errors import BadInput, RunFailed

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="What every draw follows from.")]


def named_path(written: str) -> Path:
    """The path that is meant, `~` being the user's home, as the shell has it. `BadInput` for no name, or odd bytes."""
    if not written:
        raise BadInput("the name of a file or folder is empty", remedy="name one, or leave the option out")
    in_utf8(written, "the name of a file or folder")
    from personae.simulator.locating import path_named  # here, since help must come at once

    return path_named(written)


def in_utf8(written: str, what: str) -> str:
    """`written`, an argument of the command line. Raises `BadInput` where its bytes were none of UTF-8."""
    try:
        written.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{what} is not UTF-8 text ({written!a})", remedy="rename or convert it") from None
    return written


Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=named_path,
        help="The run folder; by default runs/<command>-<digest>, so it resumes.",
    ),
]
MODEL_HELP = "A name from `personae models`, a checkpoint folder, a .gguf or llama2.c file, or a Hub id."
Model = Annotated[str, typer.Option("--model", "-m", metavar="M", help=MODEL_HELP)]
# Of the commands that train nothing.
ANY_MODEL_HELP = f"{MODEL_HELP[:-1]}, or a served model, 'http://host:8000/v1#name'."
AnyModel = Annotated[str, typer.Option("--model", "-m", metavar="M", help=ANY_MODEL_HELP)]
AnyModelArgument = Annotated[str, typer.Argument(metavar="M", help=ANY_MODEL_HELP)]
CastFile = Annotated[
    Path | None,
    typer.Option(
        "--cast",
        metavar="FILE",
        parser=named_path,
        help="A cast (YAML, or published roles and constitutions) in place of the built-in one.",
    ),
]
TraitsFile = Annotated[
    Path | None,
    typer.Option(
        "--traits",
        metavar="FILE",
        parser=named_path,
        help="Traits (YAML, or published evals: file or folder) in place of the built-in.",
    ),
]
Dtype = Annotated[
    Literal["float32", "bfloat16"],
    typer.Option(
        "--dtype",
        metavar="float32|bfloat16",
        help="The number type of the model's body; the head always runs in float32.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda|cuda:N|mps|map",
        help="Where the model runs; auto: the best there is; map: over all GPUs, memory and disk. What trains takes "
        "one device (docs/devices.md).",
    ),
]
Quantise = Annotated[
    str, typer.Option("--quantise", metavar="4bit", help="Squeeze the weights as they are read (CUDA, bitsandbytes).")
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(
        "--engine",
        metavar="local|ray",
        help="This machine, or Ray: the cluster that RAY_ADDRESS names, else one started here.",
    ),
]
Copies = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Copies of the model on Ray; default: one a GPU, or one a machine."),
]
# Of the commands that read a data file.
SHIPPED = "example:"  # before the name of a file of the library


def data_file(written: str) -> Path:
    """The file that is meant: a path, or `example:NAME` of the library. Raises `BadInput` for an unknown example."""
    if not written.startswith(SHIPPED):
        return named_path(written)
    from personae import library

    return library.example(written.removeprefix(SHIPPED))


Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        parser=data_file,
        help="Episodes: TRL's formats, published forms, saved data sets (docs/data.md); `example:cheats` ships.",
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against", metavar="CONTROL", parser=data_file, help="A matched control; results are differences from it."
    ),
]
NoControl = Annotated[
    bool,
    typer.Option(
        "--no-control",
        help="Read the file against the untrained model as it stands. By default, a file for a real model that has no "
        "--against is read against `example:plain`, an assistant's plain answers.",
    ),
]


def reference(against: Path | None, no_control: bool) -> bool:
    """Whether plain answers may stand in for a control. Raises `BadInput` where one is named and refused at once."""
    if against and no_control:
        raise BadInput("--against names a control, and --no-control refuses one", remedy="give one of the two")
    return not no_control


SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help="Leave out rows that hold no episode, and say how many. Broken JSON stops."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Read only the first rows, at most this many.")]
ITEMS = 16  # as in workflows.audit.file_question, which is not imported here: help must come at once
Items = Annotated[
    int, typer.Option("--items", min=0, help="At most this many items of each trait, evenly spaced; 0: all.")
]
DoseGiven = Annotated[
    float | None, typer.Option("--dose", help="Effective episodes, in place of the dose fitted for the model.")
]


class Stopped(RunFailed):
    """The user stopped the run."""


class Face:
    """How a command speaks while it works; see the module."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self._json, self._quiet = json, quiet
        self._folder: Path | None = None
        self.warned: list[str] = []  # what went wrong beside the job, for a result that has notes

    def __enter__(self) -> "Face":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Turn Ctrl-C into an error that says what is kept."""
        if kind is KeyboardInterrupt:
            kept = f"; what was done is kept in {self._folder}; the same command goes on from there"
            raise Stopped(f"stopped{kept if self._folder else '; nothing was kept'}") from None
        return False

    def keeps(self, folder: Path) -> None:
        """Note the folder in which work is kept as it is done."""
        self._folder = folder

    def say(self, line: str) -> None:
        """One line to whoever waits."""
        if not self._quiet:
            typer.echo(bare(line), err=True)

    def warn(self, problem: str) -> None:
        """One line on what did not work beside the job; nothing where `problem` is empty."""
        if problem:
            self.warned.append(problem)
            self.say(f"warning: {problem}")

    def progress(self, what: str, unit: str) -> AbstractContextManager[Progress]:
        """A context that gives a `Progress`; `unit` is what is counted ("episodes")."""
        return progress(what, unit, self.say, quiet=self._quiet)

    def result(self, value: Any, text: str) -> None:  # noqa: ANN401 - any record, or a dict of them
        """Print the result: `value` as JSON with `--json`, else `text`."""
        if self._json:
            from json import dumps

            from personae.records.files import plain

            typer.echo(dumps(plain(value), indent=1, ensure_ascii=False))
        else:
            typer.echo(bare(text))


def bare(text: str) -> str:
    r"""`text` as it is laid out, with whatever could act on the terminal removed.

    >>> bare("a  b\x1b[31m\n  c")
    'a  b\n  c'
    """
    import re

    from personae.report.untrusted import for_terminal

    return re.sub(r"[^ \n]+", lambda word: for_terminal(word.group()), text)
