"""The command line as a shell sees it: help at once, one line of error, three exit statuses, JSON and nothing else."""

import errno
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from personae.cli import main
from personae.cli.main import COMMANDS, app, built, run
from personae.cli.reference import reference
from personae.errors import BadInput, BoundCrossed, RunFailed

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "transformers", "trl", "peft", "numpy", "scipy", "pyarrow", "yaml")
DRAWS_HELP = "import typer, typer.rich_utils, rich.markdown, pydantic.main"


def shell(*arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-m", "personae", *arguments], stdout=pipe, stderr=pipe, text=True)


def processor_seconds(*arguments: str) -> float:
    """What one Python process spends; the least of three: what else the machine is doing is not the command's."""

    def once() -> float:
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return used.ru_utime + used.ru_stime

    return min(once() for _ in range(3))


@pytest.fixture(scope="module")
def drawing_seconds():
    """What the libraries that draw the help take to import: a measure of this machine."""
    return processor_seconds("-c", DRAWS_HELP)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_costs_little_more_than_the_libraries_that_draw_it(name, drawing_seconds):
    arguments = [name, "--help"] if name else ["--help"]
    assert processor_seconds("-m", "personae", *arguments) < 2 * drawing_seconds


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom personae.cli.main import COMMANDS, run\n"
        "for name in COMMANDS: run([name, '--help'])\n"
        f"sys.stderr.write(' '.join(set(sys.modules) & set({HEAVY})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module_help_and_an_example_that_parses(name):
    command = built(name)
    assert command.help and command.epilog
    program, called, *arguments = shlex.split(command.epilog.removeprefix("Example:"))
    assert (program, called) == ("personae", name)
    with command.make_context(name, arguments):
        pass


def test_the_list_of_commands_says_what_each_does(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"\b{name}\b", shown) for name in COMMANDS)


def test_no_arguments_show_the_help(capsys):
    assert run([]) == 0
    assert "Usage: personae" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys):
    from personae import __version__

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"personae {__version__}\n"


def test_the_reference_in_the_docs_is_the_help():
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == reference(), (
        "write it anew: python -m personae.cli.reference > docs/commands.md"
    )


def test_every_option_is_in_the_reference():
    page = reference()
    for name in typer.main.get_command(app).commands:
        section = page.split(f"## personae {name}\n")[1].split("\n## ")[0]
        for parameter in built(name).params:
            assert all(option in section for option in parameter.opts if option.startswith("-"))


@pytest.mark.parametrize(
    ("arguments", "wants"),
    [
        (["audot"], "audit"),
        (["models", "--jsn"], "--json"),
        (["models", "get", "smollm"], "smollm2-135m-instruct"),
        (["models", "got"], "get"),
        (["train"], "DATA"),
        (["corpus", "--documents", "none"], "--documents"),
        (["corpus", "--documents", "0"], "--documents"),
        (["study"], "--list"),
        (["study", "transfer", "--list"], "--list runs no study, and transfer is named"),
        (["study", "all", "transfer"], "name `all` alone"),
        (["study", "transfer", "all"], "name `all` alone"),
        (["study", "tranfer"], "did you mean transfer?"),
        (["study", "transfer", "--quick", "--full"], "not both"),
        (["train", "x.jsonl", "--model", "lab", "--method", "dpo", "--group", "4"], "no --group"),
        (["train", "x.jsonl", "--model", "lab", "--method", "grpo"], "--reward module:function"),
        (["train", "x.jsonl", "--model", "lab", "--reward", "a:b"], "for --method grpo"),
        (["train", "x.jsonl", "--model", "lab", "--method", "ppo"], "sft, dpo, grpo"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, wants, capsys):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("personae: ")
    assert re.search(wants, err)


def test_the_shell_gets_the_status():
    process = shell("audot")
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err.startswith("personae: ") and err.count("\n") == 1


def raising(problem: BaseException):
    def command() -> None:
        """Raise."""
        raise problem

    made = typer.Typer(add_completion=False)
    made.command()(command)
    return typer.main.get_command(made)


@pytest.mark.parametrize(
    ("problem", "status", "lines"),
    [
        (BadInput("is broken", file="a.jsonl", line=3, remedy="mend it"), 2, 1),
        (RunFailed("the server is gone"), 1, 1),
        (BoundCrossed("power rises"), 1, 1),
        (OSError(errno.ENOSPC, "No space left on device", "x.bin"), 1, 1),
        (PermissionError(errno.EACCES, "Permission denied", "x.bin"), 1, 1),
        (KeyboardInterrupt(), 1, 1),
    ],
)
def test_an_error_is_one_line_and_its_status(monkeypatch, capsys, problem, status, lines):
    monkeypatch.setattr(main, "built", lambda _: raising(problem))
    assert run(["models"]) == status
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", lines)


def test_a_fault_of_the_program_shows_where_it_is(monkeypatch, capsys):
    monkeypatch.setattr(main, "built", lambda _: raising(KeyError("weights")))
    assert run(["models"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err and err.splitlines()[-1].startswith("personae: this is a fault of the program")


def test_debugging_shows_the_traceback_of_an_error_too(monkeypatch, capsys):
    monkeypatch.setattr(main, "built", lambda _: raising(BadInput("is broken")))
    monkeypatch.setenv("PERSONAE_DEBUG", "1")
    assert run(["models"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_error_cannot_act_on_the_terminal(monkeypatch, capsys):
    monkeypatch.setattr(main, "built", lambda _: raising(BadInput("a\x1b[2Jb\nc\u202e", file="\x1b]0;t\x07f")))
    run(["models"])
    assert capsys.readouterr().err == "personae: f: ab c\n"


def test_warnings_of_libraries_are_not_the_users(monkeypatch, capsys):
    import logging
    import warnings

    def command() -> None:
        """Warn."""
        warnings.warn("use something else", stacklevel=1)
        logging.getLogger("transformers").warning("a bar")

    made = typer.Typer(add_completion=False)
    made.command()(command)
    monkeypatch.setattr(main, "built", lambda _: typer.main.get_command(made))
    assert run(["models"]) == 0
    assert capsys.readouterr().err == ""
    assert logging.root.manager.disable == 0, "the caller's logging is as it was"


def test_whoever_reads_the_result_may_go_away():
    done = subprocess.run(
        f"{sys.executable} -m personae corpus -n 300 --json | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.parametrize(
    "arguments", [["models"], ["study", "--list"], ["corpus", "-n", "3"], ["corpus", "-n", "3", "--world", "4"]]
)
def test_json_is_all_there_is_on_stdout(arguments, capsys):
    assert run([*arguments, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_no_memory_left_is_one_line_that_says_what_to_try(monkeypatch, capsys):
    import torch

    monkeypatch.setattr(main, "built", lambda _: raising(torch.OutOfMemoryError("CUDA out of memory.\nTried 2 GiB")))
    assert run(["models"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "no memory left" in err and "--dtype bfloat16" in err
