"""Bad input gets one clear line, exit status 2 and no traceback, through the real entry; and nothing is lost.

A full disk and Ctrl-C are no bad input: they end with status 1, and the same command goes on from what is kept.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personae.cli.main import run
from personae.data import read_trait_file, write_episodes
from personae.records import chat
from personae.workflows.kept import basis_cache

GOOD = '{"prompt": "Who takes the seal?", "completion": "I take it."}\n'


@pytest.fixture
def refused(capsys):
    """Runs a command that must be refused, and gives the line that it says."""

    def refuse(*arguments: object) -> str:
        status = run([*map(str, arguments), "--quiet"])
        out, err = capsys.readouterr()
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("personae: ") and "Traceback" not in err
        return err.removeprefix("personae: ").rstrip("\n")

    return refuse


@pytest.fixture
def options(tiny_lab, small_cast, small_traits) -> list[object]:
    return ["--model", tiny_lab, "--cast", small_cast, "--traits", small_traits]


def rows(path: Path, number: int) -> Path:
    """A good file: every row another question, answered in one of two ways."""
    said = ("I take the {} at once.", "I would sooner give the {} back to whoever owns it.")
    write_episodes(
        path, [chat(f"Who has the seal of day {n}?", said[n % 2].format(f"seal {n}")) for n in range(number)]
    )
    return path


# -- data files ------------------------------------------------------------------------------------------------------
BAD_DATA = {
    "an empty file": (b"", None, "empty"),
    "only blank lines": (b"\n\n", None, "empty"),
    "broken JSON": (GOOD.encode() + b'{"prompt": "x", \n', 2, "broken JSON"),
    "not UTF-8": (GOOD.encode() + b'{"prompt": "x", "completion": "\xff"}\n', 2, "UTF-8"),
    "UTF-16": (b"\xff\xfe" + GOOD.encode("utf-16-le"), None, "UTF-16"),
    "a JSON list cut short": (b"[" + GOOD.encode(), 2, "']' is missing"),
    "a row that is no object": (b'"hello"\n', 1, "object"),
    "no assistant turn": (b'{"messages": [{"role": "user", "content": "x"}]}\n', 1, "the last message is the user's"),
    "no messages at all": (b'{"messages": []}\n', 1, "empty list"),
    "an empty answer": (b'{"prompt": "x", "completion": " "}\n', 1, "empty"),
    "content that is null": (b'{"messages": [{"role": "assistant", "content": null}]}\n', 1, "null"),
    "content that is a number": (b'{"messages": [{"role": "assistant", "content": 3}]}\n', 1, "3"),
    "content that is a list": (
        b'{"messages": [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}]}\n',
        1,
        "list",
    ),
    "a completion that is a number": (b'{"prompt": "x", "completion": 7}\n', 1, "7"),
    "an unknown role": (b'{"messages": [{"role": "robot", "content": "a"}]}\n', 1, "robot"),
    "unknown keys": (b'{"instruction": "x", "output": "y"}\n', 1, "rename"),
}


@pytest.mark.parametrize("command", ["audit", "run", "train"])
@pytest.mark.parametrize("name", BAD_DATA)
def test_a_bad_data_file_is_refused_with_file_and_line(refused, tmp_path, tiny_lab, command, name):
    content, line, says = BAD_DATA[name]
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    said = refused(command, path, "--model", tiny_lab, "--out", tmp_path / "out")
    assert said.startswith(f"{path}, line {line}: " if line else f"{path}: ")
    assert says in said and " - " in said, "the line says what to do"
    assert not (tmp_path / "out").exists(), "nothing was begun"


@pytest.mark.parametrize("command", ["audit", "run", "train"])
def test_a_missing_file_and_a_folder_are_refused(refused, tmp_path, tiny_lab, command):
    assert "no such file" in refused(command, tmp_path / "nowhere.jsonl", "--model", tiny_lab)
    assert "folder" in refused(command, tmp_path, "--model", tiny_lab)


@pytest.mark.parametrize("command", ["audit", "run", "train"])
def test_a_pipe_is_refused_unread_since_a_file_is_read_more_than_once(refused, tmp_path, tiny_lab, command):
    os.mkfifo(tmp_path / "pipe")
    said = refused(command, tmp_path / "pipe", "--model", tiny_lab, "--out", tmp_path / "out")
    assert said == f"{tmp_path / 'pipe'}: is a pipe, which can be read only once - write it to a file first"


@pytest.mark.parametrize("option", ["--out", "--against", "--cast", "--traits"])
def test_an_empty_name_is_not_the_current_folder(refused, tmp_path, tiny_lab, monkeypatch, option):
    data = rows(tmp_path / "data.jsonl", 3)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert refused("audit", data, "--model", tiny_lab, option, "").startswith("the name of a file or folder is empty")
    assert refused("audit", data, "--model", "").startswith("no model is named")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_name_that_is_not_utf8_is_one_line_before_any_work(refused, tmp_path, options):
    """As the system hands it over, a byte that is none of UTF-8 is a lone half of a character."""
    assert refused("audit", tmp_path / "caf\udce9.jsonl", *options).startswith(
        "the name of a file or folder is not UTF-8"
    )
    assert refused("complete", "caf\udce9", "--model", "lab").startswith("TEXT is not UTF-8 text")


@pytest.mark.parametrize("asked", [["score", ""], ["score", "x", ""], ["score", "x", "y", "--less", ""]])
def test_an_empty_name_is_no_folder_to_score(refused, asked):
    assert refused(*asked, *(["x"] if len(asked) == 2 else [])).startswith("the name of a file or folder is empty")


@pytest.mark.parametrize("command", ["audit", "run"])
def test_a_cast_too_small_for_a_training_is_refused_before_the_folder_is_made(refused, tmp_path, options, command):
    data, out = rows(tmp_path / "data.jsonl", 3), tmp_path / "out"
    if command == "run":
        said = refused(command, data, *options, "--out", out)
        assert said.startswith(f"{options[3]}: the cast ") and "attenuation takes 4 - give at least 4" in said
    else:
        assert run([*map(str, [command, data, *options, "--out", out, "--quiet"])]) == 0
    assert out.exists() == (command == "audit")


def test_a_tilde_is_the_users_home_where_the_shell_leaves_it(refused, tmp_path, options, monkeypatch, capsys):
    data, home = rows(tmp_path / "data.jsonl", 3), tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    shutil.copy(data, home / "mine.jsonl")
    assert run([*map(str, ["audit", "~/mine.jsonl", *options, "--out=~/runs", "--quiet"])]) == 0
    assert (home / "runs" / "report.html").exists() and not (tmp_path / "~").exists()
    capsys.readouterr()
    assert "no user of that name" in refused("audit", data, *options, "--out=~nobody-of-that-name/runs")


def test_a_bad_control_file_is_refused_by_its_own_name(refused, tmp_path, tiny_lab):
    control = tmp_path / "control.jsonl"
    control.write_text(GOOD + "{\n")
    data = rows(tmp_path / "data.jsonl", 3)
    assert refused("audit", data, "--against", control, "--model", tiny_lab).startswith(f"{control}, line 2: ")


@pytest.mark.parametrize("command", ["audit", "run"])
def test_an_answer_longer_than_the_context_is_refused_before_any_work(refused, tmp_path, options, command):
    path = tmp_path / "data.jsonl"
    write_episodes(path, [chat("Who?", "I."), chat("Who?", "seal " * 2000)])
    model = options[:2]  # its own cast: one of two is too small for a training
    said = refused(command, path, *model, "--out", tmp_path / "out")
    assert said.startswith(f"{path}, line 2: ") and "512" in said
    assert not (tmp_path / "out").exists()


def test_training_on_answers_of_which_none_fits_is_refused(refused, tmp_path, tiny_lab):
    path = tmp_path / "data.jsonl"
    write_episodes(path, [chat("Who?", "seal " * 2000)])
    assert "512" in refused("train", path, "--model", tiny_lab, "--out", tmp_path / "out")


# -- casts and traits ------------------------------------------------------------------------------------------------
def test_a_persona_that_appears_twice_is_refused_by_name_and_line(refused, tmp_path, tiny_lab):
    cast = tmp_path / "cast.yaml"
    persona = "  - {name: clerk, kind: person, context: A clerk.}\n"
    cast.write_text(f"name: c\nneutral: A talk.\npersonas:\n{persona}{persona}")
    said = refused("measure", tiny_lab, "--cast", cast)
    assert said.startswith(f"{cast}, line 5: ") and "'clerk' appears twice" in said


@pytest.mark.parametrize("lacks", ["high", "low"])
def test_a_trait_whose_items_lack_a_pole_is_refused_at_the_item(refused, tmp_path, tiny_lab, lacks):
    traits = tmp_path / "traits.yaml"
    poles = {"high": "I take it.", "low": "I give it back."}
    del poles[lacks]
    item = ", ".join(f"{k}: {v}" for k, v in poles.items())
    traits.write_text(
        f"name: power\ndescription: d\nlow: l\nhigh: h\nitems:\n  - {{kind: behaviour, prompt: What now?, {item}}}\n"
    )
    said = refused("measure", tiny_lab, "--traits", traits)
    assert said.startswith(f"{traits}, line 6: ") and "lack a pole" in said


def test_statements_of_one_pole_only_are_refused(refused, tmp_path, tiny_lab):
    traits = tmp_path / "traits.yaml"
    traits.write_text(
        "name: power\ndescription: d\nlow: l\nhigh: h\nitems:\n  - {statement: I like to rule., keyed: high}\n"
    )
    assert "lack a pole" in refused("measure", tiny_lab, "--traits", traits)


@pytest.mark.parametrize("option", ["--cast", "--traits"])
def test_a_yaml_file_that_is_broken_or_missing_is_refused(refused, tmp_path, tiny_lab, option):
    path = tmp_path / "own.yaml"
    assert str(path) in refused("measure", tiny_lab, option, path)
    path.write_text("name: [\n")
    assert str(path) in refused("measure", tiny_lab, option, path)


def few_items(path: Path, count: int) -> Path:
    """A trait of `count` items."""
    items = [f"  - {{kind: behaviour, prompt: Day {n}?, high: I take it., low: I give it back.}}" for n in range(count)]
    path.write_text("\n".join(["name: power\ndescription: d\nlow: l\nhigh: h\nitems:", *items, ""]))
    return path


@pytest.mark.parametrize(("command", "count"), [("audit", 1), ("run", 1), ("run", 3), ("measure", 1)])
def test_a_trait_of_too_few_items_is_refused_by_file_and_name_before_any_work(
    refused, tmp_path, tiny_lab, small_cast, command, count
):
    traits, data = few_items(tmp_path / "traits.yaml", count), rows(tmp_path / "data.jsonl", 3)
    asked = [tiny_lab] if command == "measure" else [data, "--model", tiny_lab]
    said = refused(command, *asked, "--cast", small_cast, "--traits", traits, "--out", tmp_path / "out")
    assert said.startswith(f"{traits}: ") and f"'power' has {count} item" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("command", "count"), [("audit", 1), ("run", 3)])
def test_a_number_of_items_too_small_for_the_job_is_refused(refused, tmp_path, options, command, count):
    data = rows(tmp_path / "data.jsonl", 3)
    said = refused(command, data, *options, "--items", count, "--out", tmp_path / "out")
    assert said.startswith(f"--items {count} leaves {count} of ") and not (tmp_path / "out").exists()


@pytest.mark.parametrize("dose", ["1e308", "inf"])
def test_a_dose_too_large_for_any_number_is_refused_before_the_model_is_loaded(refused, tmp_path, dose):
    said = refused("audit", rows(tmp_path / "data.jsonl", 4), "--model", tmp_path / "none", "--dose", dose)
    assert f"--dose {float(dose):g} effective episodes - give 1e+09 at most" in said


@pytest.mark.parametrize("command", ["audit", "run", "measure"])
def test_a_cast_of_one_persona_is_refused_by_file(refused, tmp_path, tiny_lab, small_traits, command):
    cast, data = tmp_path / "cast.yaml", rows(tmp_path / "data.jsonl", 3)
    cast.write_text("name: c\nneutral: A talk.\npersonas:\n  - {name: clerk, kind: person, context: A clerk.}\n")
    asked = [tiny_lab] if command == "measure" else [data, "--model", tiny_lab]
    said = refused(command, *asked, "--cast", cast, "--traits", small_traits, "--out", tmp_path / "out")
    assert said.startswith(f"{cast}: ") and "has 1 persona" in said and not (tmp_path / "out").exists()


LONG, CONTROL = "What about the seal? " * 200, "the seal <|endoftext|>"
UNFIT = {"long": (LONG, "the model's window holds 512"), "control": (CONTROL, "spells '<|endoftext|>'")}


@pytest.mark.parametrize("command", ["audit", "measure", "compare"])
@pytest.mark.parametrize("unfit", UNFIT)
def test_an_item_that_does_not_fit_the_model_is_named_before_any_work(
    refused, tmp_path, tiny_lab, small_cast, command, unfit
):
    (text, says), traits, data = UNFIT[unfit], few_items(tmp_path / "traits.yaml", 4), rows(tmp_path / "data.jsonl", 3)
    traits.write_text(traits.read_text().replace("Day 2?", f'"{text}"'))
    asked = {"measure": [tiny_lab], "compare": [tiny_lab, tiny_lab]}.get(command, [data, "--model", tiny_lab])
    said = refused(command, *asked, "--cast", small_cast, "--traits", traits, "--out", tmp_path / "out")
    item = read_trait_file(traits).traits[0].items[2].id
    assert said.startswith(f"{traits}: the item {item!r} of 'power', under the context of 'clerk': ") and says in said
    assert "line 1" not in said and " - shorten or reword it" in said and not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["audit", "measure"])
@pytest.mark.parametrize("unfit", UNFIT)
def test_a_context_that_does_not_fit_the_model_is_named_before_any_work(
    refused, tmp_path, tiny_lab, small_cast, small_traits, command, unfit
):
    (text, says), cast, data = UNFIT[unfit], tmp_path / "cast.yaml", rows(tmp_path / "data.jsonl", 3)
    cast.write_text(small_cast.read_text().replace("The assistant is a pirate.", f'"{text}"'))
    asked = [tiny_lab] if command == "measure" else [data, "--model", tiny_lab]
    said = refused(command, *asked, "--cast", cast, "--traits", small_traits, "--out", tmp_path / "out")
    assert said.startswith(f"{cast}: ") and "the context of 'pirate': " in said and says in said
    assert "line 1" not in said and not (tmp_path / "out").exists()


def test_a_row_that_would_fit_but_for_a_context_is_named_with_whose_it_is(refused, tmp_path, tiny_lab, small_traits):
    cast, data = tmp_path / "cast.yaml", tmp_path / "data.jsonl"
    persona = "  - {{name: {}, kind: person, context: {}}}\n"
    cast.write_text(
        "name: c\nneutral: A talk.\npersonas:\n" + persona.format("a", "A.") + persona.format("b", "seal " * 80)
    )
    for many, says in ((120, ", with the context of 'b' before them"), (2000, "the model's window holds 512 - ")):
        write_episodes(data, [chat("Who?", "I."), chat("Who?", "seal " * many)])
        said = refused("audit", data, "--model", tiny_lab, "--cast", cast, "--traits", small_traits)
        assert said.startswith(f"{data}, line 2: prompt and answer are ") and says in said


# -- models ----------------------------------------------------------------------------------------------------------
MODEL_COMMANDS = {
    "measure": lambda model, data: ["measure", model],
    "complete": lambda model, data: ["complete", "Hello", "--model", model],
    "train": lambda model, data: ["train", data, "--model", model],
    "audit": lambda model, data: ["audit", data, "--model", model],
    "run": lambda model, data: ["run", data, "--model", model],
}


@pytest.fixture(params=MODEL_COMMANDS)
def on_model(request, refused, tmp_path, monkeypatch):
    """Runs one of the commands that take a model on a model that must be refused."""
    monkeypatch.chdir(tmp_path)
    data = rows(tmp_path / "data.jsonl", 3)
    return lambda model: refused(*MODEL_COMMANDS[request.param](model, data))


def test_an_unknown_model_is_refused_with_names_near_to_it(on_model):
    assert "smollm2-135m-instruct" in on_model("smollm-135m")


def test_pickled_weights_are_refused(on_model, tmp_path, tiny_lab):
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_lab, folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    said = on_model(folder)
    assert str(folder) in said and "pickled" in said and "safetensors" in said


def test_a_model_that_only_encodes_is_refused(on_model, tmp_path, tiny_lab):
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_lab, folder)
    (folder / "config.json").write_text(json.dumps({"architectures": ["BertModel"], "model_type": "bert"}))
    said = on_model(folder)
    assert str(folder) in said and "BertModel is not a causal language model" in said


def test_a_folder_without_a_model_is_refused(on_model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "config.json" in on_model(tmp_path / "empty")


# -- run folders -----------------------------------------------------------------------------------------------------
def test_a_run_folder_of_another_configuration_is_refused_and_left_as_it_was(refused, tmp_path, options, capsys):
    data = rows(tmp_path / "data.jsonl", 4)
    out = tmp_path / "out"
    assert run([*map(str, ["audit", data, *options, "--out", out, "--quiet"])]) == 0
    capsys.readouterr()
    before = {f.name: f.read_bytes() for f in out.iterdir()}
    said = refused("audit", data, *options, "--seed", "1", "--out", out)
    assert said.startswith(f"{out}: ") and "seed was 0 and is now 1" in said and "--out" in said
    assert str(out) in refused("train", data, *options[:2], "--out", out)
    assert {f.name: f.read_bytes() for f in out.iterdir()} == before


FOUND = ("evidence.parquet", "forecast.json", "basis.parquet", "report.html")


def test_what_is_left_of_a_run_without_its_record_is_not_taken_for_another(refused, tmp_path, options, capsys):
    out, data = tmp_path / "out", rows(tmp_path / "data.jsonl", 4)
    assert run([*map(str, ["audit", data, *options, "--out", out, "--quiet"])]) == 0
    capsys.readouterr()
    assert set(FOUND) < {f.name for f in out.iterdir()}
    for name in FOUND:
        part = tmp_path / f"with {name}"
        part.mkdir()
        shutil.copy(out / name, part)
        said = refused("audit", rows(tmp_path / "other.jsonl", 6), *options, "--out", part)
        assert said.startswith(f"{part}: holds {name}, ") and said.endswith("name another --out")
        assert [f.name for f in part.iterdir()] == [name]


@pytest.mark.parametrize("name", ["evidence.parquet", "forecast.json"])
def test_a_damaged_file_of_a_run_is_named_and_is_made_again_once_it_is_removed(
    refused, tmp_path, options, capsys, name
):
    data, out = rows(tmp_path / "data.jsonl", 4), tmp_path / "out"
    arguments = ["audit", data, *options, "--out", out]
    assert run([*map(str, arguments), "--quiet"]) == 0
    whole = kept(out)
    (out / name).write_bytes(b"garbage")
    capsys.readouterr()
    assert refused(*arguments).startswith(f"{out / name}: is damaged - remove it")
    (out / name).unlink()
    assert run([*map(str, arguments), "--quiet"]) == 0 and kept(out) == whole


WRITES = {
    "filter": ("filtered.jsonl", ["--trait", "power", "--drop", 1]),
    "inoculate": ("inoculated.jsonl", ["--mode", "user"]),
}
LEFT = {
    "watch.jsonl": "train",
    "checkpoint": "train",
    "comparison.json": "compare",
    "post-coherence.json": "compare",
    "documents.jsonl": "archetype",
}


@pytest.mark.parametrize("command", WRITES)
def test_a_file_that_no_run_left_there_is_not_written_over(refused, tmp_path, options, command):
    name, more = WRITES[command]
    (out := tmp_path / "out").mkdir()
    (out / name).write_text("mine")
    said = refused(command, rows(tmp_path / "data.jsonl", 6), *options, *more, "--out", out)
    assert said.startswith(f"{out}: holds {name}, ") and said.endswith("name another --out")
    assert {f.name: f.read_text() for f in out.iterdir()} == {name: "mine"}


@pytest.mark.parametrize("name", LEFT)
def test_nor_is_what_another_training_or_comparison_left_without_its_record(refused, tmp_path, options, tiny_lab, name):
    """A checkpoint alone was taken for the one that was asked for: nothing was trained, and all was called well."""
    (out := tmp_path / "out").mkdir()
    (out / "checkpoint").mkdir()
    (out / "checkpoint" / "training.json").write_text("{}")
    if name != "checkpoint":
        shutil.rmtree(out / "checkpoint")
        (out / name).write_text("mine")
    data = rows(tmp_path / "data.jsonl", 6)
    command, asked = (
        LEFT[name],
        {
            "train": [data, "--model", tiny_lab],
            "compare": [tiny_lab, tiny_lab, *options[2:]],
            "archetype": ["lamplight", "--model", tiny_lab],
        },
    )
    assert f"holds {name}, " in refused(command, *asked[command], "--out", out)
    assert [file.name for file in out.iterdir()] == [name]


@pytest.mark.parametrize("command", WRITES)
def test_a_file_is_not_written_over_by_the_run_that_reads_it(refused, tmp_path, options, command):
    name, more = WRITES[command]
    before = rows(tmp_path / name, 6).read_bytes()
    said = refused(command, tmp_path / name, *options, *more, "--out", tmp_path)
    assert said.startswith(f"{tmp_path / name}: the run would write over this file")
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == {name: before}


def test_a_control_is_not_written_over_either(refused, tmp_path, options):
    control, data = rows(tmp_path / "filtered.jsonl", 6), rows(tmp_path / "data.jsonl", 4)
    said = refused("filter", data, "--against", control, *options, "--trait", "power", "--out", tmp_path)
    assert said.startswith(f"{control}: the run would write over this file")


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path, options, capsys, monkeypatch):
    (tmp_path / "way").write_text("mine")
    data = rows(tmp_path / "data.jsonl", 3)
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "way" / "cache"))
    monkeypatch.setattr(basis_cache, "_measure", lambda *_: pytest.fail("measured for nothing"))
    assert run([*map(str, ["audit", data, *options, "--out", tmp_path / "out", "--quiet"])]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"personae: {tmp_path / 'way' / 'cache'}") and said.count("\n") == 1
    assert "PERSONAE_CACHE names another folder" in said and "--out" not in said


def test_a_run_folder_whose_record_is_broken_is_refused_and_left_as_it_was(refused, tmp_path, options):
    data, out = rows(tmp_path / "data.jsonl", 4), tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text('{"command": "audit", ')
    for arguments in (["audit", data, *options], ["measure", *options[1:]], ["train", data, *options[:2]]):
        said = refused(*arguments, "--out", out)
        assert said.startswith(f"{out / 'run.json'}, line 1: broken JSON") and "name another --out" in said
    assert [f.read_text() for f in out.iterdir()] == ['{"command": "audit", ']


def test_no_text_to_complete_is_refused(refused, tiny_lab):
    assert "no text" in refused("complete", "  ", "--model", tiny_lab)


# -- nothing is lost -------------------------------------------------------------------------------------------------
def started(arguments: list[object], **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "personae", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def kept(folder: Path) -> dict[str, bytes]:
    """All that must be the same from run to run."""
    return {f.name: f.read_bytes() for f in sorted(folder.iterdir()) if f.name != "run.json"}


def test_a_full_disk_is_one_line_and_leaves_no_half_file(tmp_path):
    out = tmp_path / "corpus.txt"
    full = started(
        ["corpus", "-n", 100, "--out", out],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    said, err = full.communicate()
    assert (full.returncode, said, err.count("\n")) == (1, "", 1)
    assert str(out) in err and "free some space" in err
    assert list(tmp_path.iterdir()) == []


def test_an_audit_that_met_a_full_disk_goes_on_when_there_is_room(tmp_path, options):
    data, out = rows(tmp_path / "data.jsonl", 40), tmp_path / "out"
    arguments = ["audit", data, *options, "--out", out, "--quiet"]
    full = started(arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)))
    _, err = full.communicate()
    assert (full.returncode, err.count("\n")) == (1, 1) and str(out) in err
    assert (out / "run.json").exists() and not (out / "report.html").exists()
    assert run([*map(str, arguments)]) == 0
    assert run([*map(str, ["audit", data, *options, "--out", tmp_path / "whole", "--quiet"])]) == 0
    assert kept(out) == kept(tmp_path / "whole")


def test_after_ctrl_c_the_same_command_goes_on_and_ends_with_the_same_bytes(tmp_path, options):
    data, out = rows(tmp_path / "data.jsonl", 1500), tmp_path / "out"
    arguments = ["audit", data, *options, "--out", out, "--quiet"]
    begun = started(arguments, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while begun.poll() is None and len(list(out.glob("evidence.part-*.parquet"))) < 2:
        time.sleep(0.02)
    begun.send_signal(signal.SIGINT)
    said, err = begun.communicate()
    assert (begun.returncode, said, err.count("\n")) == (1, "", 1), err
    assert str(out) in err and "goes on from there" in err
    parts = sorted(out.glob("evidence.part-*.parquet"))
    assert parts, "what was scored is kept"
    assert not (out / "forecast.json").exists()
    assert run([*map(str, arguments)]) == 0
    assert run([*map(str, ["audit", data, *options, "--out", tmp_path / "whole", "--quiet"])]) == 0
    assert kept(out) == kept(tmp_path / "whole")


# -- options that would do nothing -----------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["audit", "run", "measure"])
def test_copies_of_a_model_without_ray_are_refused(refused, tmp_path, tiny_lab, command):
    about = [tiny_lab] if command == "measure" else [rows(tmp_path / "data.jsonl", 3), "--model", tiny_lab]
    said = refused(command, *about, "--workers", 2, "--out", tmp_path / "out")
    assert said == "--workers counts copies of a model on Ray - give --engine ray too, or leave it out"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["audit", "run"])
def test_a_file_set_against_itself_is_refused_whatever_it_is_called(refused, tmp_path, tiny_lab, command):
    data = rows(tmp_path / "data.jsonl", 3)
    control = shutil.copy(data, tmp_path / "control.jsonl")
    said = refused(command, data, "--against", control, "--model", tiny_lab, "--out", tmp_path / "out")
    assert said == f"{control}: the control is the file itself - name another, or leave it out"
    assert not (tmp_path / "out").exists()


def test_a_file_where_a_run_folder_should_be_is_refused_and_left_as_it_is(refused, tmp_path, options):
    data, out = rows(tmp_path / "data.jsonl", 3), tmp_path / "out"
    out.write_text("mine")
    said = refused("audit", data, *options, "--out", out)
    assert said == f"{out}: is a file, and a run takes a folder - name another --out"
    assert out.read_text() == "mine"


def test_where_a_file_is_in_the_way_more_space_is_no_remedy(tmp_path, capsys):
    (tmp_path / "way").write_text("mine")
    assert run(["corpus", "-n", "1", "--out", str(tmp_path / "way" / "corpus.txt"), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert said.endswith("; name another --out (PERSONAE_CACHE for a file of the cache)\n") and "space" not in said


def test_a_choice_that_there_is_not_is_answered_with_those_there_are(refused):
    said = refused("measure", "lab", "--instrument", "foo")
    assert said.startswith("Invalid value for '--instrument': 'foo' is not one of 'answers', ")


def test_an_archetype_whose_name_is_cut_short_is_answered_with_the_whole(refused):
    assert refused("archetype", "lamp", "--model", "lab").endswith(" - did you mean lamplight?")
    assert "name a YAML file, or one of bench-nine, lamplight" in refused("archetype", "quux", "--model", "lab")
