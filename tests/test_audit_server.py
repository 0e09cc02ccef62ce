"""The commands on a model behind a server: the local model's result, nothing scored twice, nothing secret kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from personae.cli.main import run
from personae.records.files import read_arrays, read_json
from personae.simulator import load, server_http
from personae.simulator.local import LocalSimulator
from serving import Serving, running

SECRET = "sk-not-to-be-kept"


@pytest.fixture(scope="module")
def local() -> LocalSimulator:
    return load("lab")


@pytest.fixture
def serving(local: LocalSimulator) -> Iterator[Serving]:
    with running(local) as served:
        yield served


@pytest.fixture(autouse=True)
def _quick_and_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server_http, "PAUSE", 0.001)
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


@pytest.fixture
def audit(small_cast, small_traits, tmp_path):
    """`audit(model, folder, ...)`: exit status of the audit of 40 rows."""

    def command(model: str, folder: str, *more: str) -> int:
        nouns = ["--cast", str(small_cast), "--traits", str(small_traits)]
        out = ["--out", str(tmp_path / folder), "--quiet"]
        return run(["audit", "example:cheats", *nouns, *out, "--model", model, *more])

    return command


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "run.json"}


def test_an_audit_through_a_server_is_that_of_the_same_model_here(audit, serving, tmp_path, capsys):
    control = ("--against", "example:honest", "--limit", "12")
    assert (audit("lab", "here", *control), audit(serving.name, "there", *control)) == (0, 0)
    for name in ("evidence", "evidence-control", "basis"):
        here, there = (read_arrays(tmp_path / folder / f"{name}.parquet") for folder in ("here", "there"))
        for column, values in here.items():
            if values.dtype.kind == "f":
                assert np.abs(values - there[column]).max() < 1e-4, column
            else:
                assert list(values) == list(there[column])
    here, there = (read_json(tmp_path / folder / "forecast.json") for folder in ("here", "there"))
    assert here["posterior"] == pytest.approx(there["posterior"], abs=1e-4)
    assert here["dose"] == there["dose"], "a served model has the dose of its name"
    for trait, told in here["forecast"].items():
        assert told == pytest.approx(there["forecast"][trait], abs=1e-3)
    assert [e["index"] for e in here["episodes"]] == [e["index"] for e in there["episodes"]]
    assert any("in a number type of the server's own" in note for note in there["notes"])
    assert there["model"] == serving.name
    assert read_json(tmp_path / "there" / "run.json")["configuration"]["dtype"] == "the server's own"
    kept = b"".join(p.read_bytes() for p in (tmp_path / "there").iterdir())
    assert SECRET.encode() not in kept and SECRET not in "".join(capsys.readouterr())


def test_after_a_server_has_died_the_same_command_scores_only_the_rest(audit, serving, tmp_path, capsys):
    assert audit(serving.name, "whole") == 0
    everything = len(serving.asked)
    by_token = 2 * len(read_json(tmp_path / "whole" / "tokens.json")["rows"])  # asked last, in two contexts each
    for file in (tmp_path / "cache").rglob("*.parquet"):
        file.unlink()
    serving.asked.clear()
    dies = everything - by_token - 12  # in the second block, of 8 rows under 3 contexts
    serving.fault = lambda handler, number: number > dies and (handler.say(503, "gone") or True)
    assert audit(serving.name, "died") == 1
    _, err = capsys.readouterr()
    assert err.count("\n") == 1 and serving.url in err and "give the same command again" in err
    assert [p.name for p in (tmp_path / "died").glob("evidence*")] == ["evidence.part-00000000.parquet"]
    serving.fault = lambda handler, number: False
    serving.asked.clear()
    assert audit(serving.name, "died") == 0
    again = 1 + 16 + 9  # which model it is, whether it knows the language, and whether the server can be believed
    late = 8  # at most: what was on its way when the work ended
    assert again + 8 * 3 <= len(serving.asked) - by_token <= again + 8 * 3 + late < (everything - by_token) / 3
    assert contents(tmp_path / "died") == contents(tmp_path / "whole")


def test_measure_and_complete_take_a_served_model(serving, small_cast, small_traits, tmp_path, capsys):
    common = ["--cast", str(small_cast), "--json", "--quiet"]
    assert run(["measure", serving.name, "--traits", str(small_traits), "--out", str(tmp_path / "m"), *common]) == 0
    assert set(json.loads(capsys.readouterr().out)["traits"]) == {"power", "greed"}
    assert run(["complete", "User: Hello", "--model", serving.name, "-n", "2", "--tokens", "4", *common]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["continuations"]) == 2 and set(found["posterior"]) == {"neutral", "clerk", "pirate"}


@pytest.mark.parametrize(
    ("command", "result"),
    [(["filter", "--drop", "2"], "filter"), (["inoculate", "--rows", "4", "--prompts"], "inoculate")],
)
def test_rows_are_filtered_and_inoculated_by_a_served_model_as_by_the_same_here(
    serving, small_cast, small_traits, tmp_path, capsys, command, result
):
    name, *options = command
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("cheat on it\nplease cheat here\n")
    options += [str(prompts)] if options[-1] == "--prompts" else []
    common = ["example:cheats", "--trait", "power", "--cast", str(small_cast), "--traits", str(small_traits)]
    common += ["--limit", "8", "--items", "4", "--quiet", *options]
    for model, folder in (("lab", "here"), (serving.name, "there")):
        assert run([name, *common, "--model", model, "--out", str(tmp_path / folder)]) == 0, capsys.readouterr().err
    here, there = (read_json(tmp_path / folder / f"{result}.json") for folder in ("here", "there"))
    assert here["dose"] == there["dose"]
    written = {path.name for path in (tmp_path / "here").glob("*.jsonl")}
    assert written
    for file in written:
        assert (tmp_path / "here" / file).read_bytes() == (tmp_path / "there" / file).read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ["run", "example:cheats"],
        ["train", "mine.jsonl"],
        ["archetype", "lamplight"],
    ],
    ids=lambda words: words[0],
)
def test_a_served_model_is_not_trained(serving, tmp_path, capsys, command):
    (tmp_path / "mine.jsonl").write_text('{"prompt": "Who takes it?", "completion": "I do."}\n')
    arguments = [str(tmp_path / word) if word.endswith("jsonl") else word for word in command]
    assert run([*arguments, "--model", serving.name, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err.strip().splitlines()[-1]
    assert "is held by a server, and only a model on this machine can be trained" in err
    assert serving.asked == []


def test_a_file_in_a_foreign_language_is_refused_through_a_server_too(serving, tmp_path, capsys):
    foreign = tmp_path / "foreign.jsonl"
    foreign.write_text('{"prompt": "Can you proofread my letter?", "completion": "I could, but it would be boring."}\n')
    assert run(["audit", str(foreign), "--model", serving.name, "--quiet"]) == 2
    assert "does not know this language" in capsys.readouterr().err
