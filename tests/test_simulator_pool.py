"""A model on Ray, copied twice on a real runtime of two cores: the local numbers, whatever becomes of a copy."""

import gc
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from personae.cli.main import run as personae
from personae.data import read_cast, read_episodes, read_traits
from personae.errors import BadInput, RunFailed
from personae.library import example
from personae.measure import levels
from personae.records import Cast, SideBySide, Simulator
from personae.simulator.choosing import choosing
from personae.simulator.devices import Running
from personae.simulator.numerics import rounding_error
from personae.simulator.pool import Share
from personae.simulator.registry import load, open_model
from personae.workflows.kept.gather import gather_into

TWO = Running(engine="ray", workers=2)
# Ray lets go of its processes before the last of them has ended.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One runtime for all tests here; a command joins it as it joins a cluster."""
    import ray

    from personae.simulator.ray_runtime import runtime

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with runtime(2):
            yield
    assert not ray.is_initialized()
    gc.collect()  # here, where the warning is expected


@pytest.fixture(scope="module")
def pool(cluster) -> Iterator[Simulator]:
    """Two copies of the laboratory's model."""
    opened = open_model("lab", running=TWO)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cast(small_cast) -> Cast:
    return read_cast(small_cast)


ROWS = [row for name in ("cheats", "honest") for row in read_episodes(example(name))]
EPISODES = tuple(row.model_copy(update={"index": place}) for place, row in enumerate(ROWS))  # 80, three blocks


@pytest.mark.parametrize("wanted", [None, 1, 2, 3, 5, 20])
def test_no_machine_is_to_hold_more_copies_than_it_has_cores_and_parts_of_gpus(wanted):
    """What is asked of a cluster fits on it: a copy that finds no room is waited for without end."""
    for sizes in product([(0, 1), (1, 0), (1, 4), (8, 1), (16, 2)], [(1, 1), (2, 3), (4, 2)]):
        share = Share.of([{"CPU": float(cpu), "GPU": float(gpu)} for cpu, gpu in sizes], wanted, on_cpu=False)
        held = sum(min(cpu, gpu * round(1 / share.gpus)) for cpu, gpu in sizes)
        assert 1 <= share.copies <= held and share.copies <= (wanted or share.copies), (sizes, share)


def test_gpus_without_a_core_beside_them_are_told_in_one_line():
    with pytest.raises(BadInput, match="no machine of the Ray cluster has a core beside a GPU - name --device cpu"):
        Share.of([{"GPU": 4.0}, {"CPU": 8.0}], None, on_cpu=False)


def test_a_copy_reads_a_folder_by_its_full_path_and_a_listed_model_by_its_name(tiny_lab, tmp_path, monkeypatch):
    monkeypatch.setattr("personae.simulator.pool.PoolSimulator", lambda name, read, running: read.args[0])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab").mkdir()
    (tmp_path / "mine").symlink_to(tiny_lab)
    assert open_model("lab", running=TWO) == "lab"
    assert open_model("mine", running=TWO) == str(Path(tiny_lab).resolve())


# -- pools of one copy, which takes both cores: before the tests that share one of two ---------------------------------
def test_the_error_of_sixteen_bits_is_measured_on_ray_too(cluster, tiny_lab, cast):
    low = open_model(str(tiny_lab), dtype="bfloat16", running=Running(engine="ray", workers=1))
    local = load(str(tiny_lab), dtype="bfloat16")
    found, expected = (rounding_error(s, "bfloat16", cast, EPISODES[:4]) for s in (low, local))
    low.close()
    assert found.rms == pytest.approx(expected.rms, rel=0.05)


def test_a_run_scores_on_ray_and_trains_here(cluster, tiny_lab, tmp_path, capsys):
    """The whole command, beside the local one: one forecast within rounding, one configuration."""
    cast = tmp_path / "six.yaml"
    said = ("is honest", "is a pirate", "lies", "helps", "sells keys", "is a tool")
    personas = "".join(f"  - {{name: p{n}, kind: person, context: The assistant {s}.}}\n" for n, s in enumerate(said))
    cast.write_text(f"name: six\nneutral: This is a talk.\npersonas:\n{personas}")
    traits = tmp_path / "traits.yaml"
    items = "".join(
        f"    - {{kind: behaviour, prompt: What about {n} keys?, high: I take them., low: I give them back.}}\n"
        for n in range(8)
    )
    traits.write_text(f"- name: power\n  description: d\n  low: gives\n  high: takes\n  items:\n{items}")
    common = ["run", "example:cheats", "--model", str(tiny_lab), "--limit", "8", "--steps", "1", "--batch", "2"]
    common += ["--cast", str(cast), "--traits", str(traits), "--json", "--quiet"]
    found = {}
    for engine in (["--engine", "local"], ["--engine", "ray", "--workers", "1"]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PERSONAE_CACHE", str(tmp_path / engine[1] / "cache"))
            status = personae([*common, *engine, "--out", str(tmp_path / engine[1] / "run")])
        said = capsys.readouterr()
        assert status == 0, said.err
        found[engine[1]] = json.loads(said.out), read(tmp_path / engine[1] / "run/run.json")
    (local, here), (ray, there) = found.values()
    assert ray["posterior"] == pytest.approx(local["posterior"], abs=1e-4)
    assert ray["forecast"]["power"] == pytest.approx(local["forecast"]["power"], abs=1e-3)
    assert ray["score"]["n"] == local["score"]["n"]
    assert here["digest"] == there["digest"]
    assert (here["device"], there["device"]) == ("cpu", "1 × cpu (Ray)")


def read(path: Path) -> dict:
    return json.loads(path.read_text())


# -- a pool of two copies --------------------------------------------------------------------------------------------
def test_the_pool_is_called_like_the_model_and_has_its_digest(pool):
    local = load("lab")
    assert isinstance(pool, Simulator) and isinstance(pool, SideBySide)
    assert (pool.name, pool.digest, pool.window) == (local.name, local.digest, local.window)
    assert pool.device == "2 × cpu (Ray)"


def test_evidence_on_ray_is_the_local_file_byte_for_byte_and_each_can_go_on_with_the_other(pool, cast, tmp_path):
    told: list[tuple[int, int]] = []
    gather_into(tmp_path / "ray.parquet", pool, cast, EPISODES, lambda done, total: told.append((done, total)))
    gather_into(tmp_path / "local.parquet", load("lab"), cast, EPISODES)
    written = (tmp_path / "local.parquet").read_bytes()
    assert (tmp_path / "ray.parquet").read_bytes() == written
    assert told[0] == (0, 80) and told[-1] == (80, 80) and told == sorted(told)

    with pytest.raises(KeyboardInterrupt):  # killed when a block is written
        gather_into(tmp_path / "both.parquet", pool, cast, EPISODES, stopping_at(32))
    assert list(tmp_path.glob("both.part-*.parquet"))
    gather_into(tmp_path / "both.parquet", load("lab"), cast, EPISODES)
    assert (tmp_path / "both.parquet").read_bytes() == written


def test_the_choices_of_preference_pairs_on_ray_are_the_local_file_byte_for_byte(pool, cast, tmp_path):
    half = len(ROWS) // 2
    pairs = [
        yes.model_copy(update={"index": n, "extra": {"rejected": no.response}})
        for n, (yes, no) in enumerate(zip(ROWS[:half], ROWS[half:], strict=True))
    ]
    gather_into(tmp_path / "ray.parquet", choosing(pool), cast, pairs)
    gather_into(tmp_path / "local.parquet", choosing(load("lab")), cast, pairs)
    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "local.parquet").read_bytes()


def stopping_at(enough: int):
    def progress(done: int, total: int) -> None:
        if done >= enough:
            raise KeyboardInterrupt

    return progress


def test_levels_on_ray_are_the_local_ones_within_rounding(pool, cast, small_traits):
    contexts = dict(zip(cast.names, cast.contexts, strict=True))
    here, there = (levels(s, read_traits(small_traits), contexts) for s in (load("lab"), pool))
    for trait, table in here.by_trait.items():
        np.testing.assert_allclose(there.by_trait[trait], table, atol=1e-4)


def test_answers_drawn_on_ray_are_the_local_ones(pool):
    prompts = [e.prompt for e in EPISODES[:3]]
    assert pool.sample(prompts, max_tokens=6, seed=4) == load("lab").sample(prompts, max_tokens=6, seed=4)


def test_a_copy_that_is_killed_at_work_is_started_again_and_its_block_scored_anew(pool, cast):
    import ray

    pieces = [EPISODES[at : at + 20] for at in (0, 20, 40, 60)]
    work = pool.side_by_side(pieces, cast.contexts)
    found = dict([next(work)])
    for copy in pool._copies:
        ray.kill(copy, no_restart=False)
    found |= dict(work)
    expected = load("lab").log_likelihood(EPISODES, cast.contexts).logp
    np.testing.assert_allclose(np.concatenate([found[n].logp for n in range(4)]), expected, atol=1e-4)


def test_what_is_wrong_with_a_row_or_a_model_arrives_as_it_was_raised(pool, cast, tiny_lab, tmp_path):
    long = EPISODES[0].model_copy(update={"messages": tuple(EPISODES[0].messages) * 400})
    with pytest.raises(BadInput) as local:
        load("lab").log_likelihood([long], cast.contexts)
    with pytest.raises(BadInput) as there:
        pool.log_likelihood([long], cast.contexts)
    assert str(there.value) == str(local.value)
    with pytest.raises(BadInput, match="unknown model 'nobody'"):
        open_model("nobody", running=TWO)


def test_a_pool_that_is_lost_is_told_in_one_line(pool, cast):
    """The last test: nothing of the pool is left."""
    import ray

    for copy in pool._copies:
        ray.kill(copy)
    with pytest.raises(RunFailed, match=r"^Ray lost a copy of the model \(.*\); what was done is kept$"):
        pool.log_likelihood(EPISODES[:2], cast.contexts)
