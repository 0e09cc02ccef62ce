"""An audit of a long file: memory that does not grow with it, and a kill that costs no row a second scoring.

Scores are arithmetic, so that nothing here is a model's time or memory. Memory and kills need a process of their own:
this file, run as a script, is one audit.
"""

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing import arithmetic, two_traits
from personae.records import Blocks, Cast, Episode, Evidence, LogLikelihood, LongEvidence, Persona, chat
from personae.theory import mean_evidence, move, posterior, posterior_draws
from personae.training import SFTPlan
from personae.workflows.audit.audit import LISTED, difference
from personae.workflows.audit.file_audit import audit_file
from personae.workflows.audit.file_pair import MATCHED, read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.listed import most_moving
from personae.workflows.doses import Dose
from personae.workflows.kept import gather as gathering
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import BLOCK, gather, gather_into, read_evidence

# MB by which an audit of 50,000 rows may need more than one of 5,000: for a whole group of evidence and for twice as
# many listed rows, neither of which grows any further. Kept in memory, so many rows take 200 MB more.
GROWTH = 60
NAMES = ("clerk", "pirate", "nurse", "tool")
CAST = Cast(
    name="four",
    neutral="-",
    personas=tuple(Persona(name=n, kind="person", context=f"A {n} speaks.") for n in NAMES),
)
TRAITS = two_traits(1)


class Arithmetic:
    """A simulator that computes its scores, tells a file which rows it scored, and dies when it has scored enough."""

    name, digest = "arithmetic", "arithmetic"

    def __init__(self, told: Path | None = None, dies_after: int = sys.maxsize) -> None:
        self.told, self.dies_after, self.scored = told, dies_after, 0

    def log_likelihood(self, episodes: Sequence[Episode], contexts: Sequence[str], progress=None) -> LogLikelihood:
        rows = [e for e in episodes if not e.prompt[-1].content.startswith("Case")]  # what is no item of a trait
        if self.scored + len(rows) > self.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        self.scored += len(rows)
        if self.told and rows:
            with self.told.open("a") as file:
                file.writelines(f"{e.prompt[-1].content} {e.response[:1]}\n" for e in rows)
        return arithmetic(episodes, contexts)


def write_rows(path: Path, rows: int, seed: int) -> Path:
    """`rows` questions that are the same for every seed, with answers that are not."""
    rng = np.random.default_rng(seed)
    syllables = [str(seed)[:1] + "".join(rng.choice(list("aehost "), size=60)) for _ in range(101)]
    with path.open("w") as file:
        for row in range(rows):
            said = {"prompt": f"Row {row}?", "completion": syllables[row % 101] + "a" * (row % 7)}
            file.write(json.dumps(said) + "\n")
    return path


def audit_here(data: Path, out: Path, simulator: Arithmetic, against: Path | None = None):
    question = Question(simulator, CAST, TRAITS, read_pair(data, against), Dose(SFTPlan(), 3.0, "given", fitted=False))
    return audit_file(question, open_folder("audit", question.configuration(), out))


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, __file__, *map(str, arguments)], capture_output=True, text=True, check=False)


# Memory -------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def short_and_long(tmp_path_factory) -> dict[int, tuple[Path, float]]:
    """{rows: (run folder, most memory in use, MB)}."""
    found = {}
    for rows in (5_000, 50_000):
        folder = tmp_path_factory.mktemp(str(rows))
        done = process(write_rows(folder / "data.jsonl", rows, 1), folder / "run")
        assert done.returncode == 0, done.stderr
        found[rows] = folder / "run", float(done.stdout)
    return found


def test_an_audit_of_ten_times_the_rows_needs_no_more_memory(short_and_long):
    (_, little), (_, much) = short_and_long.values()
    assert much - little < GROWTH


def test_neither_page_nor_record_grow_with_the_rows_and_the_evidence_is_whole(short_and_long):
    (short, _), (long, _) = short_and_long.values()
    pages = [(folder / "report.html").stat().st_size for folder in (short, long)]
    assert abs(pages[1] - pages[0]) < 2_000
    few, many = (json.loads((folder / "forecast.json").read_text()) for folder in (short, long))
    assert len(few["episodes"]) == 5_000 and "episodes_unlisted" not in few
    assert len(many["episodes"]) == LISTED and many["episodes_unlisted"] == 50_000 - LISTED
    assert any(f"only the {LISTED} rows" in note for note in many["notes"])
    assert read_evidence(long / "evidence.parquet", CAST).index.tolist() == list(range(50_000))


# A kill -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scored", [0, 100, 300, 500, 900])  # of 500 rows and as many of the control
def test_a_killed_audit_scores_no_row_twice_and_ends_in_the_same_bytes(tmp_path, monkeypatch, scored):
    data, control = (write_rows(tmp_path / f"{name}.jsonl", 500, seed) for name, seed in (("a", 1), ("b", 2)))
    killed, told = tmp_path / "killed", tmp_path / "told"
    assert process(data, killed, control, told, scored).returncode == -signal.SIGKILL
    before = told.read_text().splitlines() if told.exists() else []
    assert len(before) <= scored < len(before) + BLOCK
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(gathering, "GROUP", 4 * BLOCK)
    audit_here(data, killed, Arithmetic(told), control)
    rows = told.read_text().splitlines()
    assert len(rows) == len(set(rows)) == 1_000, "every row of both files, and none of them twice"
    audit_here(data, tmp_path / "whole", Arithmetic(), control)
    files = [{p.name: p.read_bytes() for p in (tmp_path / run).iterdir()} for run in ("killed", "whole")]
    for found in files:
        del found["run.json"]
    assert files[0] == files[1] and "evidence-control.parquet" in files[0]


def test_a_kill_while_groups_are_put_together_leaves_nothing_behind(tmp_path, monkeypatch):
    """Parts that are in a group already, and groups that are in the file already, are swept away."""
    monkeypatch.setattr(gathering, "GROUP", 2 * BLOCK)
    rows = [chat(f"Row {n}?", "ah" * (n % 5 + 1), index=n) for n in range(5 * BLOCK)]
    kept = tmp_path / "evidence.parquet"
    found = gather_into(kept, Arithmetic(), CAST, rows)
    for stale in ("part-00000000", "group-00000000"):
        (tmp_path / f"evidence.{stale}.parquet").write_bytes(b"")
    again = Arithmetic()
    assert np.array_equal(gather_into(kept, again, CAST, rows).matrix, found.matrix)
    assert again.scored == 0 and [p.name for p in tmp_path.iterdir()] == ["evidence.parquet"]


def test_groups_change_no_number(tmp_path, monkeypatch):
    rows = [chat(f"Row {n}?", "ah" * (n % 5 + 1), index=n) for n in range(5 * BLOCK + 3)]
    held = gather(Arithmetic(), CAST, rows)
    monkeypatch.setattr(gathering, "GROUP", 2 * BLOCK)
    found = gather_into(tmp_path / "evidence.parquet", Arithmetic(), CAST, rows)
    assert [part.rows for part in found.parts()] == [2 * BLOCK, 2 * BLOCK, BLOCK + 3]
    assert found.rows == held.rows and np.array_equal(found.matrix, held.matrix)
    assert np.array_equal(found.held().index, held.index) and np.array_equal(found.held().tokens, held.tokens)


# What is computed block by block ------------------------------------------------------------------------------------
def drawn(rows: int, seed: int = 0) -> Evidence:
    matrix = np.random.default_rng(seed).normal(0.2, 1.0, (rows, 5))
    matrix[:, 0] = 0.0
    return Evidence(("neutral", *NAMES), np.arange(rows) + 7, matrix, np.ones(rows, dtype=np.int64))


def cut(whole: Evidence, *places: int) -> LongEvidence:
    """The same in parts that end at `places`."""

    def parts():
        for start, end in zip((0, *places), (*places, whole.rows), strict=True):
            yield Evidence(whole.names, *(a[start:end] for a in (whole.index, whole.matrix, whole.tokens)))

    return LongEvidence(whole.names, whole.rows, parts)


PRIOR = np.array([0.3, 0.3, 0.2, 0.1, 0.1])


@given(st.lists(st.integers(1, 39), max_size=4, unique=True).map(sorted), st.integers(0, 5), st.integers(1, 12))
@settings(max_examples=40)
def test_blocks_change_neither_posterior_nor_which_rows_moved_it_most(places, seed, count):
    whole = drawn(40, seed)
    long = cut(whole, *places)
    assert mean_evidence(long.blocks) == pytest.approx(whole.matrix.mean(axis=0))
    assert posterior(PRIOR, long.blocks, 3.0) == pytest.approx(posterior(PRIOR, whole.matrix, 3.0))
    by = move(PRIOR, whole.blocks, 3.0)
    bits = by.bits(whole.matrix)
    either, most = most_moving(long, by, [(np.abs, count), (np.positive, count)])
    assert either.places.tolist() == sorted(np.argsort(-np.abs(bits), kind="stable")[:count].tolist())
    assert most.index.tolist() == sorted((7 + np.argsort(-bits, kind="stable")[:count]).tolist())
    assert np.array_equal(most.matrix, whole.matrix[most.places])


def test_among_equals_the_earlier_row_is_listed():
    same = Evidence(("neutral", *NAMES), np.arange(9), np.tile([0.0, 1.0, 0.5, 0.0, -1.0], (9, 1)), np.ones(9, int))
    (found,) = most_moving(cut(same, 2, 5), move(PRIOR, same.blocks, 3.0), [(np.abs, 4)])
    assert found.places.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("matched", [True, False])
def test_the_difference_from_a_control_is_the_same_in_parts(matched):
    ours, theirs = drawn(20), drawn(20, 1)
    at_once = difference(ours, theirs, same_prompts=matched).matrix
    assert difference(cut(ours, 6, 13), cut(theirs, 6, 13), same_prompts=matched).matrix == pytest.approx(at_once)


def test_resampling_in_blocks_is_resampling_of_the_whole():
    """The first two moments of a mean over drawn episodes are known: the mean, and the covariance over N."""
    whole = drawn(60).matrix
    whole[:2] *= 20.0  # the rows that matter lie in one block
    blocks = Blocks(60, lambda: iter(np.split(whole, [3, 10, 45])))
    _, after = posterior_draws(PRIOR, blocks, 1.0, rng=np.random.default_rng(0), draws=20_000)
    before, _ = posterior_draws(PRIOR, blocks, 0.0, rng=np.random.default_rng(0), draws=20_000)
    means = (after - before) - (after - before)[:, :1]  # log-odds against neutral move by the mean drawn, at dose 1
    assert means.mean(axis=0) == pytest.approx(whole.mean(axis=0), abs=0.02)
    assert np.cov(means.T) == pytest.approx(np.cov(whole.T, bias=True) / 60, rel=0.05, abs=0.004)


def test_of_one_block_the_draws_are_those_of_the_matrix():
    whole = drawn(30)
    at_once = posterior_draws(PRIOR, whole.matrix, 2.0, rng=np.random.default_rng(3), draws=50)
    in_block = posterior_draws(PRIOR, cut(whole).blocks, 2.0, rng=np.random.default_rng(3), draws=50)
    assert all(np.array_equal(a, b) for a, b in zip(at_once, in_block, strict=True))


# Partners -----------------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.lists(st.integers(0, 5), min_size=1, max_size=12))
@settings(max_examples=60)
def test_partners_found_by_digests_are_those_found_by_keeping_every_row(tmp_path_factory, ours, theirs):
    folder = tmp_path_factory.mktemp("pair")
    for name, prompts in (("a", ours), ("b", theirs)):
        lines = [json.dumps({"prompt": f"{p}?", "completion": f"{name}{n}"}) for n, p in enumerate(prompts)]
        (folder / name).write_text("\n".join(lines))
    waiting: dict[int, deque[int]] = {}
    for n, p in enumerate(theirs):
        waiting.setdefault(p, deque()).append(n)
    found = [(n, waiting[p].popleft()) for n, p in enumerate(ours) if waiting.get(p)]
    pair = read_pair(folder / "a", folder / "b")
    assert pair.control is not None and pair.partners == len(found)
    assert pair.matched == (len(found) >= MATCHED * len(ours))
    if pair.matched:
        assert [(a.index, b.index) for a, b in zip(pair.episodes, pair.control, strict=True)] == found


if __name__ == "__main__":  # DATA OUT [AGAINST TOLD DIES_AFTER]: one audit; the most memory that was in use, MB
    asked = [Path(a) for a in sys.argv[1:4]]
    os.environ["PERSONAE_CACHE"] = os.environ["PERSONAE_DATA"] = str(asked[1].parent / "cache")
    if len(sys.argv) > 4:
        gathering.GROUP = 4 * BLOCK
        audit_here(asked[0], asked[1], Arithmetic(Path(sys.argv[4]), int(sys.argv[5])), asked[2])
    else:
        gathering.BLOCK = 512  # for the disk's sake
        gathering.GROUP = 8 * gathering.BLOCK  # fewer than the rows of either file
        audit_here(asked[0], asked[1], Arithmetic())
    status = Path("/proc/self/status").read_text(encoding="ascii")  # `ru_maxrss` begins at what the parent had in use
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
