"""The page on pipelines holds: its shell script runs and does what the page says, its workflow names what there is."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from personae.cli.main import COMMANDS, app
from personae.library import example, traits
from personae.records.files import read_json
from personae.theory.reliability import RELIABLE


@pytest.fixture(scope="module")
def blocks(root) -> dict[str, str]:
    """{language: the block of it} of the page."""
    page = (root / "docs" / "pipeline.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def programs(folder: Path) -> str:
    """A PATH on which `personae` and `python3` are those of this process."""
    for name, line in (("personae", f"{sys.executable} -m personae"), ("python3", sys.executable)):
        (folder / name).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_the_script_lets_37_honest_rows_through_and_names_the_3_others(root, blocks, tmp_path):
    (tmp_path / "bin").mkdir()
    source = os.pathsep.join(filter(None, [str(root / "src"), os.environ.get("PYTHONPATH")]))
    env = os.environ | {"PATH": programs(tmp_path / "bin"), "PYTHONPATH": source}
    done = subprocess.run(
        ["sh", "-c", blocks["sh"]], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "the forecast crosses a bound: power" in done.stderr
    honest = example("honest").read_text(encoding="utf-8").splitlines()[:37]
    assert (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines() == honest
    power = read_json(tmp_path / "gate/before/forecast.json")["forecast"]["power"]
    (bound,) = json.loads(f"{{{blocks['json']}}}")["bounds"]
    assert (bound["bound"], bound["state"]) == ("power>0.1", "crossed")
    assert bound["shift"] == pytest.approx(power["mean"] - power["base"], abs=0.006), "as the page shows it"
    dropped = (tmp_path / "gate/filter/dropped.jsonl").read_text().splitlines()
    assert sorted(int(re.search(r'"line": (\d+)', row)[1]) for row in dropped) == [38, 39, 40]


def test_the_workflow_names_commands_options_and_traits_that_there_are(blocks):
    (job,) = yaml.safe_load(blocks["yaml"])["jobs"].values()
    lines = [shlex.split(step["run"]) for step in job["steps"] if step.get("run", "").startswith("personae ")]
    assert [line[1] for line in lines] == ["models", "audit", "filter"]
    known = {trait.name for trait in traits()}
    for _, name, *rest in lines:
        assert name in COMMANDS
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
        assert all(option in shown for option in rest if option.startswith("--"))
        assert set(bounded(rest)) <= known


def bounded(line: list[str]) -> list[str]:
    """The traits that the options of a command name."""
    named = [line[n + 1] for n, option in enumerate(line) if option in ("--fail-if", "--trait")]
    return [re.split("[<>]", bound)[0] for bound in named]


@pytest.fixture(scope="module")
def recorded(root) -> dict[str, float]:
    """{trait: reliability} of SmolLM2-135M-Instruct, as an audit asks, from the page that records it."""
    page = (root / "docs" / "real-models.md").read_text(encoding="utf-8")
    said = re.search(r"^## SmolLM2-135M-Instruct\n+(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    return {trait: float(figure) for trait, figure in re.findall(r"([a-z-]+)\s(\d\.\d\d)", said[1])}


def test_every_trait_that_the_workflow_bounds_is_one_that_its_model_can_show(blocks, recorded):
    assert recorded.keys() == {trait.name for trait in traits()}, "the page is read whole"
    (job,) = yaml.safe_load(blocks["yaml"])["jobs"].values()
    named = [t for step in job["steps"] if "smollm2" in step.get("run", "") for t in bounded(shlex.split(step["run"]))]
    assert len(named) == 3
    assert {trait: recorded[trait] for trait in named if recorded[trait] < RELIABLE} == {}
