"""A run folder belongs to one configuration: the same is resumed, another is refused, and only run.json varies."""

import gc
import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from personae.errors import BadInput, RunFolderMismatch
from personae.records.files import digest
from personae.workflows.kept.folder import check_spared, open_folder

PLAN = {"model": "lab", "steps": 5, "nested": {"rate": 3e-4}}


def test_a_new_folder_says_what_was_asked_and_that_it_is_not_done(tmp_path: Path):
    folder = open_folder("audit", PLAN, tmp_path / "run")
    record = json.loads(folder.file("run.json").read_text())
    assert record["command"] == "audit"
    assert record["configuration"] == PLAN
    assert record["digest"] == digest({"command": "audit", "configuration": PLAN})
    assert {"personae", "python", "torch", "numpy"} <= set(record["versions"])
    assert not folder.finished


def test_the_same_command_finds_its_folder_again(tmp_path: Path):
    first = open_folder("audit", PLAN, tmp_path / "run")
    first.file("evidence.parquet").write_bytes(b"kept")
    before = first.file("run.json").read_bytes()
    again = open_folder("audit", dict(reversed(PLAN.items())), tmp_path / "run")
    assert again == first
    assert again.file("run.json").read_bytes() == before
    assert again.file("evidence.parquet").read_bytes() == b"kept"


def test_a_finished_run_is_known_to_be_finished(tmp_path: Path):
    folder = open_folder("lab", PLAN, tmp_path / "run")
    folder.finish(lab_seconds=1.5)
    assert open_folder("lab", PLAN, tmp_path / "run").finished
    record = json.loads(folder.file("run.json").read_text())
    assert record["lab_seconds"] == 1.5
    assert record["seconds"] >= 0.0


def test_what_stages_took_adds_up_over_processes_and_the_time_between_them_counts_for_nothing(tmp_path: Path):
    first = open_folder("run", PLAN, tmp_path / "run")
    first.spend("training", 20.0)
    first.spend("evidence", 1.0)
    record = json.loads(first.file("run.json").read_text())
    first.file("run.json").write_text(json.dumps({**record, "started": record["started"] - 90_000.0}))
    second = open_folder("run", PLAN, tmp_path / "run")
    second.spend("training", 30.0)
    second.finish()
    second.spend("training", 5.0)  # shown again
    record = json.loads(second.file("run.json").read_text())
    assert record["stages"] == {"training": 50.0, "evidence": 1.0}
    assert 21.0 <= record["seconds"] < 100.0


@pytest.mark.parametrize(
    ("command", "changed", "named"),
    [
        ("audit", {**PLAN, "steps": 6}, "steps was 5 and is now 6"),
        ("audit", {**PLAN, "seed": 1}, "seed was None and is now 1"),
        ("audit", {**PLAN, "nested": {"rate": 1e-4}}, "nested"),
        ("lab", PLAN, "personae audit"),
    ],
)
def test_a_folder_of_another_configuration_is_refused_and_left_alone(tmp_path: Path, command, changed, named):
    folder = open_folder("audit", PLAN, tmp_path / "run")
    before = folder.file("run.json").read_bytes()
    with pytest.raises(RunFolderMismatch, match=named) as refused:
        open_folder(command, changed, tmp_path / "run")
    assert refused.value.exit_status == 2
    assert "\n" not in str(refused.value)
    assert str(tmp_path / "run") in str(refused.value)
    assert folder.file("run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("key", "said"), [("traits", "another traits or items (--traits, --items)"), ("plan", "another plan")]
)
def test_digests_that_differ_are_told_in_words(tmp_path: Path, key, said):
    open_folder("audit", {**PLAN, key: {"of": digest(0)}}, tmp_path / "run")
    with pytest.raises(RunFolderMismatch) as refused:
        open_folder("audit", {**PLAN, key: {"of": digest(1)}}, tmp_path / "run")
    assert f"configuration: {said} - " in str(refused.value)


def test_without_a_name_the_folder_is_named_by_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    one, same, other = (open_folder("audit", {**PLAN, "seed": s}, None).path for s in (0, 0, 1))
    assert one == same != other
    mark = digest({"command": "audit", "configuration": {**PLAN, "seed": 0}})
    assert one == Path("runs") / f"audit-{mark[:8]}"


def test_a_command_of_two_words_can_name_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert open_folder("study transfer", PLAN, None).file("run.json").exists()


BROKEN = {
    "half a file": (b'{"command": "audit",\n "configuration": {', "line 2: broken JSON"),
    "nothing": (b"", "line 1: broken JSON"),
    "no text": (b"\xff\x00\xfe", "is not UTF-8 text"),
    "a list": (b"[1, 2]", "is not a JSON object"),
    "an empty object": (b"{}", "'command' is missing"),
}


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as refused:
        open_folder("audit", PLAN, path)
    assert refused.value.exit_status == 2 and "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_record_is_refused_by_name_with_what_to_do_and_left_alone(tmp_path: Path, name):
    content, says = BROKEN[name]
    record = tmp_path / "run.json"
    record.write_bytes(content)
    said = refusal(tmp_path)
    assert said.startswith(str(record)) and says in said
    assert said.endswith(f"name another --out, or delete the folder {tmp_path}")
    assert record.read_bytes() == content


@pytest.mark.parametrize("key", ["command", "configuration", "digest", "finished", "started"])
@pytest.mark.parametrize("wrong", ["absent", None, [3]])
def test_a_record_that_lacks_a_key_or_holds_something_else_under_it_is_refused(tmp_path: Path, key, wrong):
    folder = open_folder("audit", PLAN, tmp_path / "run")
    record = json.loads(folder.file("run.json").read_text())
    record[key] = wrong
    if wrong == "absent":
        del record[key]
    folder.file("run.json").write_text(json.dumps(record))
    assert f"run.json: is no record of a run: {key!r} is missing or of another kind" in refusal(tmp_path / "run")


def test_a_record_that_breaks_while_the_run_is_on_is_told_when_it_ends(tmp_path: Path):
    folder = open_folder("audit", PLAN, tmp_path / "run")
    folder.file("run.json").write_text("{")
    with pytest.raises(BadInput, match="broken JSON"):
        folder.finish()


# -- a folder without a record ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    ["evidence.parquet", "evidence-control.part-00000032.parquet", "adapters/treated-0", "trained-control-1.parquet"],
)
def test_what_a_run_left_is_nobodys_without_its_record(tmp_path: Path, name):
    kept = tmp_path / "run" / name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"kept")
    said = refusal(tmp_path / "run")
    assert said.startswith(f"{tmp_path / 'run'}: holds {name}, ") and said.endswith("name another --out")
    assert [p for p in (tmp_path / "run").rglob("*") if p.is_file()] == [kept]


def test_a_folder_of_other_files_is_taken(tmp_path: Path):
    for name in ("evidence.jsonl", "data.parquet", "run.jsonl", "report.md", "adapters/mine"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    assert open_folder("audit", PLAN, tmp_path).file("run.json").exists()


def test_a_run_writes_over_no_file_that_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "out" / "filtered.jsonl")
    for read in (Path("out/filtered.jsonl"), tmp_path / "out" / "filtered.jsonl", Path("link.jsonl")):
        with pytest.raises(BadInput, match="would write over this file, which it reads - name another --out"):
            check_spared(Path("out"), ["dropped.jsonl", "filtered.jsonl"], [Path("other.jsonl"), read])
    check_spared(Path("elsewhere"), ["filtered.jsonl"], [Path("out/filtered.jsonl")])


# -- one process at a time -------------------------------------------------------------------------------------------
OPENS = """
import sys
from pathlib import Path
from personae.workflows.kept.folder import open_folder
folder = open_folder("audit", {"seed": 0}, Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def another(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the folder open; it is killed at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", OPENS, str(path)], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        yield process
        process.kill()


def opened(path: Path) -> str:
    return open_folder("audit", {"seed": 0}, path).command


def test_a_folder_in_which_another_process_works_is_refused_until_that_one_ends_however_it_ends(tmp_path: Path):
    path = tmp_path / "run"
    with another(path), pytest.raises(BadInput, match="another process works in this folder - wait until it ends"):
        opened(path)
    assert opened(path) == "audit"
    assert [p.name for p in path.iterdir()] == ["run.json"], "no lock is left"


def test_a_folder_is_free_again_with_the_last_that_opened_it(tmp_path: Path):
    first, again = (open_folder("audit", {"seed": 0}, tmp_path / "run") for _ in range(2))
    del first
    gc.collect()
    asked = [sys.executable, "-c", OPENS, str(tmp_path / "run")]
    refused = subprocess.run(asked, input="", capture_output=True, text=True, check=False)
    assert "another process works in this folder" in refused.stderr
    del again
    gc.collect()
    assert subprocess.run(asked, input="", capture_output=True, text=True, check=False).stdout == "open\n"


def test_a_finished_run_is_shown_to_any_number(tmp_path: Path):
    folder = open_folder("audit", {"seed": 0}, tmp_path / "run")
    folder.finish()
    del folder
    gc.collect()
    with another(tmp_path / "run"):
        assert opened(tmp_path / "run") == "audit"


def test_the_workers_of_a_process_work_in_its_folder(tmp_path: Path):
    mine = open_folder("audit", {"seed": 0}, tmp_path / "run")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(open_folder, "audit", {"seed": 0}, mine.path).result() == mine
