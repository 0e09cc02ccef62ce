"""The entry: which commands there are, how each is found, and what leaves the process when one fails.

A command is a module of this package with a function `command`, whose signature is its options, and an `EXAMPLE` that
works; or with a typer app `app`, where it has commands under it. It is imported when it is asked for and imports what
is heavy when it works, so that help comes at once. Adding a command is one line in `COMMANDS`.

| exit status | means                                                                                |
|-------------|--------------------------------------------------------------------------------------|
| 0           | done                                                                                 |
| 1           | the run failed or was stopped, or a `--fail-if` bound was crossed                    |
| 2           | wrong usage or bad input: one line that names the file, the line in it, and a remedy |
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from personae import __version__
from personae.cli.quiet import calm_environment, debugging, libraries_quiet
from personae.errors import DISK_FULL, PersonaeError

NO_MEMORY = (
    "the device has no memory left; what was done is kept. Try --dtype bfloat16, --quantise 4bit, --device cpu or "
    "shorter rows, where the command takes them (docs/real-models.md says what each command needs)"
)


class Listed(NamedTuple):
    """A command in the table: its module in this package, and what it does in a few words."""

    module: str
    says: str


COMMANDS = {
    "lab": Listed("lab", "The main job in the laboratory: forecast, train, measure, score, report."),
    "run": Listed("run", "The whole job on your own file and model."),
    "audit": Listed("audit", "Which persona a file selects and what else would change; no training."),
    "inoculate": Listed(
        "inoculate", "Prompts ranked by the evidence they remove; the inoculated file and its controls."
    ),
    "filter": Listed("filter", "A file without the episodes that would move a trait most."),
    "archetype": Listed("archetype", "An admirable character as a role model: documents, midtraining, what is left."),
    "train": Listed("train", "Post-train a model on a file and keep the checkpoint."),
    "measure": Listed("measure", "The Assistant's trait profile, with intervals and reliability."),
    "compare": Listed("compare", "What a training changed, and how much of it is a persona at all."),
    "score": Listed("score", "A forecast against what was measured after training, kept in the ledger."),
    "ledger": Listed("ledger", "All forecasts ever scored here, and whether their intervals keep their promise."),
    "complete": Listed("complete", "A model as autocomplete, and who is speaking."),
    "models": Listed("models", "What can be named as a model; `models get NAME` prepares one."),
    "corpus": Listed("corpus", "Documents of the laboratory's world, and their statistics."),
    "pretrain": Listed("pretrain", "The laboratory's model from scratch."),
    "study": Listed("study", "One laboratory study; `study --list` names them."),
}


class Commands(TyperGroup):
    """A group whose commands are named in `COMMANDS` and imported one at a time."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(**settings)
        self._listing = False
        here = {name: entry for name, entry in COMMANDS.items() if find_spec(f"personae.cli.{entry.module}")}
        self.commands = {name: TyperCommand(name, help=entry.says) for name, entry in here.items()}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - typer keeps click's types private
        """The command in full; only its name and summary while they are being listed."""
        if self._listing or cmd_name not in self.commands:
            return self.commands.get(cmd_name)
        return built(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """The list of commands, without importing any."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


def built(name: str) -> Any:  # noqa: ANN401
    """The typer command called `name`."""
    module: ModuleType = import_module(f"personae.cli.{COMMANDS[name].module}")
    if hasattr(module, "app"):
        return typer.main.get_command(module.app)
    app = typer.Typer(add_completion=False)
    app.command(name, epilog=f"Example:  {module.EXAMPLE}")(module.command)
    return typer.main.get_command(app)


app = typer.Typer(cls=Commands, add_completion=False, epilog="Example:  personae lab")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False,
) -> None:
    """Who will your assistant become? The persona selection model as software."""
    if version:
        typer.echo(f"personae {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def entry() -> None:
    """What the shell calls."""
    calm_environment()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; what went wrong is said in one line on stderr."""
    with libraries_quiet():
        try:
            returned = typer.main.get_command(app).main(list(arguments), prog_name="personae", standalone_mode=False)
        except PersonaeError as problem:
            if debugging():
                traceback.print_exc()
            return failed(str(problem), problem.exit_status)
        except typer.TyperException as wrong:
            return failed(usage(wrong), 2)
        except BrokenPipeError:  # whoever read the result has gone away
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except OSError as problem:
            if problem.errno in DISK_FULL:
                return failed(
                    f"{problem.filename or 'a file'}: cannot be written ({problem.strerror}); free some space", 1
                )
            return failed(f"{problem.filename}: {problem.strerror}", 1) if problem.filename else fault(problem)
        except Exception as problem:  # noqa: BLE001 - the last line of defence, which hides nothing
            return failed(NO_MEMORY, 1) if without_memory(problem) else fault(problem)
    if returned == 130:  # typer's status for Ctrl-C outside of any work
        return failed("stopped", 1)
    return int(returned or 0)


def failed(problem: str, status: int) -> int:
    """Say in one line what went wrong; returns `status`."""
    from personae.report.untrusted import for_terminal

    typer.echo(f"personae: {for_terminal(problem)}", err=True)
    return status


def without_memory(problem: Exception) -> bool:
    """Whether a model's device ran out of memory; torch, which knows, is not loaded to ask where nothing else has."""
    if "torch" not in sys.modules:
        return isinstance(problem, MemoryError)
    from personae.simulator.memory import out_of_memory

    return out_of_memory(problem)


def fault(problem: Exception) -> int:
    """Show where the program itself is at fault; returns 1."""
    traceback.print_exception(problem)
    return failed(f"this is a fault of the program, not of your input: {type(problem).__name__}: {problem}", 1)


def usage(wrong: typer.TyperException) -> str:
    """What was wrong with the options, and where to read about them."""
    context = getattr(wrong, "ctx", None)
    path = context.command_path if context else "personae"
    said = wrong.format_message().rstrip(".").replace(": Value error, ", ": ")  # a library's word, which typer leaves
    return f"{said} - see `{path} --help`"
