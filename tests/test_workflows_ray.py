"""Jobs on a real Ray runtime of two cores: the local engine's results byte for byte, and errors as they were raised."""

import gc
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from personae.cli.main import run
from personae.errors import BadInput
from personae.records import chat
from personae.simulator import devices
from personae.simulator.ray_runtime import runtime
from personae.simulator.registry import locate
from personae.training import SFTPlan
from personae.workflows.lab import parallel
from personae.workflows.lab.parallel import in_parallel
from personae.workflows.lab.trainings import Lesson, Training, run_trainings

ROWS = tuple(chat(f"Who broke window {n}?", f"It was somebody else, I was at window {n + 1}.") for n in range(6))
LESSON = Lesson(ROWS, SFTPlan(steps=2, batch=1))
# Ray lets go of its processes before the last of them has ended.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
RAYLET = "RAY_RAYLET_PID"  # what a task's environment names its runtime by


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a runtime that every test here shares; Ray's tasks begin anew, with nothing of this process."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with runtime(2):
            yield ray.get_runtime_context().gcs_address
    assert not ray.is_initialized()
    gc.collect()  # here, where the warning is expected


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    found = devices.find_spec
    monkeypatch.setattr(devices, "find_spec", lambda name: None if name == "ray" else found(name))


def test_each_job_comes_back_with_its_own_result(cluster):
    jobs = list(range(20))
    assert sorted(in_parallel(math.factorial, jobs, 2, "ray")) == [(job, math.factorial(job)) for job in jobs]


def test_a_training_on_ray_is_the_local_one_byte_for_byte_and_a_killed_study_goes_on_with_it(
    cluster, tiny_lab, tmp_path
):
    trainings = [Training("lie", (LESSON,), seed, model=str(tiny_lab)) for seed in (0, 1)]
    counted: list[tuple[int, int]] = []
    run_trainings(trainings, tmp_path / "ray", 2, lambda done, total: counted.append((done, total)), "ray")
    assert counted == [(0, 2), (1, 2), (2, 2)]
    run_trainings(trainings[:1], tmp_path / "local", 1)
    by_ray, by_process = ([t.kept(tmp_path / engine) for t in trainings] for engine in ("ray", "local"))
    assert by_ray[0].read_bytes() == by_process[0].read_bytes() != by_ray[1].read_bytes()

    first = by_process[0].stat().st_mtime_ns  # killed after its first training; Ray does the second
    run_trainings(trainings, tmp_path / "local", 2, engine="ray")
    assert by_process[0].stat().st_mtime_ns == first
    assert by_process[1].read_bytes() == by_ray[1].read_bytes()


@pytest.mark.parametrize("shared", [False, True])
def test_a_failure_ends_jobs_that_would_take_an_hour_and_the_cores_are_free_again(request, shared):
    """In a program of its own, on a runtime that it starts and on a cluster that it joins."""
    code = (
        "import math, time\nfrom personae.workflows.lab.parallel import in_parallel\n"
        "try:\n    list(in_parallel(time.sleep, [-1.0, 3600.0, 3600.0, 3600.0], 2, 'ray'))\n"
        "except ValueError as problem:\n    print(problem)\n"
        "print(sorted(in_parallel(math.sqrt, [4.0, 9.0], 2, 'ray')))"
    )
    address = {"RAY_ADDRESS": request.getfixturevalue("cluster")} if shared else {}
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | address
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "non-negative" in first and second == "[(4.0, 2.0), (9.0, 3.0)]"


def test_bad_input_arrives_as_it_was_raised(cluster):
    with pytest.raises(BadInput, match="unknown model 'nobody'") as raised:
        list(in_parallel(locate, ["nobody"], 1, "ray"))
    assert type(raised.value) is BadInput
    assert (raised.value.exit_status, raised.value.problem) == (2, "unknown model 'nobody'")


def test_after_a_failure_on_the_runtime_of_the_caller_no_other_job_begins_and_the_caller_goes_on(cluster, tmp_path):
    """Ten times, as Ray may crash a program that cancels a job whose reply is on its way."""
    nowhere = tmp_path / "nowhere"
    for attempt in range(10):
        made = [tmp_path / f"{attempt}-{name}" for name in range(3)]
        with pytest.raises(FileNotFoundError):
            list(in_parallel(Path.mkdir, [nowhere / "one", nowhere / "other", *made], 2, "ray"))
    time.sleep(0.5)
    assert list(tmp_path.iterdir()) == []


def test_a_program_joins_the_cluster_that_is_named_and_says_nothing(cluster):
    """It runs where the tasks of this process run, and leaves the cluster up."""
    code = (
        "from os import getenv\nfrom personae.workflows.lab.parallel import in_parallel\n"
        f"print(*(found for _, found in in_parallel(getenv, [{RAYLET!r}], 1, 'ray')))"
    )
    environment = os.environ | {"RAY_ADDRESS": cluster}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment)
    here = [found for _, found in in_parallel(os.getenv, [RAYLET], 1, "ray")]
    assert here != [None]
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, here, "")


def test_a_cluster_that_does_not_answer_is_told_in_one_line(tmp_path):
    code = "from personae.simulator.ray_runtime import runtime\nwith runtime(1):\n    print('up')"
    environment = os.environ | {"RAY_ADDRESS": "nowhere"}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "BadInput: RAY_ADDRESS=nowhere: " in done.stderr.splitlines()[-1]


def test_without_ray_or_with_an_unknown_engine_nothing_is_run(without_ray, monkeypatch):
    monkeypatch.setattr(parallel, "_in_processes", lambda *_: pytest.fail("it was run"))
    with pytest.raises(BadInput, match=r'pip install "personae\[ray\]"'):
        in_parallel(math.sqrt, [4.0], 1, "ray")
    with pytest.raises(BadInput, match="unknown engine 'dask'"):
        in_parallel(math.sqrt, [4.0], 1, "dask")


@pytest.mark.parametrize("command", [["study", "narrow"], ["lab"]])
def test_a_command_without_ray_says_so_before_any_work(command, without_ray, capsys, tmp_path):
    assert run([*command, "--engine", "ray", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and 'pip install "personae[ray]"' in said[0]
    assert not Path(tmp_path / "run").exists()
    assert run([*command, "--engine", "dask"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
