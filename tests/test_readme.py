"""The README holds: commands and options exist, its tree is the tree, its figures are those that ship."""

import json
import re
import shlex
from importlib.resources import files

import pytest
from typer.testing import CliRunner

from personae.cli.main import COMMANDS, app
from personae.studies import STUDIES


def commands(text):
    lines = (re.sub(r"^ {4}(\w+=\S+ )*", "", line) for line in text.splitlines() if line.startswith("    "))
    return [shlex.split(line) for line in lines if line.startswith("personae ")]


@pytest.mark.parametrize("page", ["README.md", "docs/devices.md", "docs/servers.md", "docs/watching.md"])
def test_every_command_of_the_page_exists_with_its_options(root, page):
    found = commands((root / page).read_text(encoding="utf-8"))
    assert found
    for _, name, *rest in found:
        assert name in COMMANDS
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
        assert all(option in shown for option in rest if option.startswith("--"))


ROWS = ("P1", "P2", "P3", "P4", "P5", "P6", "L1", "L2", "L3", "L4", "L5", "L9", "L10", "L11", "T8")


def test_every_row_of_the_theory_is_shown_by_commands_and_studies_that_exist(root):
    page = (root / "docs/sources.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([PLT]\d+) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert tuple(row for row, _ in rows) == ROWS
    for _, cell in rows:
        named = [words.split() for words in re.findall(r"`([^`]+)`", cell)]
        assert named and {words[0] for words in named} == {"personae"}
        assert {words[1] for words in named} <= set(COMMANDS)
        assert all((len(words) == 3) == (words[1] == "study") for words in named)
        assert {words[2] for words in named if words[1] == "study"} <= set(STUDIES)


def test_the_tree_in_the_readme_names_the_parts_there_are(root):
    listed = set(re.findall(r"^      (\w+)/ ", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    there = {p.name for p in (root / "src/personae").iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert listed == there


def test_the_transfer_figures_of_the_readme_are_those_that_ship(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    scores = json.loads(files("personae.library").joinpath("figures/transfer.json").read_text())["scores"]
    row = re.search(r"\| base model alone \| ([\d.]+) \| ([\d.]+) \|", text)
    assert row is not None
    assert float(row[1]) == pytest.approx(scores["model"]["pearson"], abs=0.006)
    assert float(row[2]) == pytest.approx(scores["model"]["median_within"], abs=0.006)
