"""The reference of all commands as Markdown, drawn from the same declarations as `--help`.

`python -m personae.cli.reference > docs/commands.md` writes it anew; a test compares.
"""

import sys
from collections.abc import Iterator
from typing import Any

import typer

from personae.cli.main import COMMANDS, app, built

HEAD = """# Commands

Every command answers `--help`. Progress, with the time left, goes to stderr; results to stdout, as one JSON object
with `--json`. A run folder (`--out`) is resumed by the same command, and refused to any other; Ctrl-C keeps what was
done (a training begins anew). `PERSONAE_DEBUG=1` shows tracebacks and the warnings of libraries. `PERSONAE_CACHE` names
the folder for models and measurements, `PERSONAE_DATA` that of the ledger (a disk of this machine, not of a network)
and of `doses.yaml`, doses that you have fitted yourself ([real-models.md](real-models.md#a-gpu-and-a-7b-model)).

| exit status | means |
|---|---|
| 0 | done |
| 1 | the run failed or was stopped, or a `--fail-if` bound was crossed |
| 2 | wrong usage or bad input: one line that names the file, the line in it and what to do |

`audit`, `filter`, `inoculate`, `measure` and `complete` also take a model behind a server that speaks vLLM's form:
`'http://host:8000/v1#name'`. How to start one, and what is asked of it: [servers.md](servers.md). On which device a
model runs, and how it is spread over several or over a Ray cluster: [devices.md](devices.md).

This page is written by `python -m personae.cli.reference`.
"""


def reference() -> str:
    """The whole page."""
    shown = typer.main.get_command(app).commands  # type: ignore[attr-defined] # those of the table that are there
    return "\n".join((HEAD, *(part for name in COMMANDS if name in shown for part in section(name, built(name)))))


def section(name: str, command: Any, level: int = 2) -> Iterator[str]:  # noqa: ANN401 - typer keeps its types private
    """A command: what it does, its example, its arguments and options; and the commands under it."""
    yield f"{'#' * level} personae {name}\n"
    yield f"{' '.join((command.help or '').split())}\n"
    yield f"```sh\n{(command.epilog or '').removeprefix('Example:').strip()}\n```\n"
    yield from table(name, command)
    for below, more in getattr(command, "commands", {}).items():
        yield from section(f"{name} {below}", more, level + 1)


def table(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401
    """Arguments and options with what they mean."""
    with command.make_context(name, [], resilient_parsing=True) as context:
        rows = [row for parameter in command.get_params(context) if (row := line(parameter, context))]
    yield "\n".join(("| option | what |", "|---|---|", *rows, ""))


def line(parameter: Any, context: Any) -> str:  # noqa: ANN401
    """One row; nothing for `--help` itself."""
    record = parameter.get_help_record(context)
    if record is None or parameter.name == "help":
        return ""
    written, says = (str(part).replace("|", "\\|") for part in record)
    return f"| `{written}` | {' '.join(says.split())} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
