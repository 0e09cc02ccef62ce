"""Evidence is kept as it is scored: a kill loses nothing, nothing is scored twice, the file comes out the same."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from personae.records import Cast, Episode, Evidence, LogLikelihood, Persona, chat
from personae.workflows.kept.gather import BLOCK, gather, read_evidence, write_evidence

NAMES = ("clerk", "pirate", "tool")
CAST = Cast(name="c", neutral="-", personas=tuple(Persona(name=n, kind="person", context=n.upper()) for n in NAMES))
EPISODES = tuple(chat(f"question {n}", f"answer {n * n}", index=1000 + n) for n in range(2 * BLOCK + 5))


class Counting:
    """A simulator by arithmetic that counts what it scores and dies, if asked, at a given episode."""

    name, digest = "counting", "counting"

    def __init__(self, dies_at: int | None = None) -> None:
        self.scored: list[int] = []
        self.dies_at = dies_at

    def log_likelihood(self, episodes: Sequence[Episode], contexts: Sequence[str], progress=None) -> LogLikelihood:
        rows = []
        for e in episodes:
            if e.index == self.dies_at:
                raise KeyboardInterrupt
            self.scored.append(e.index)
            rows.append([-0.1 * len(e.response) - np.sin(e.index * (k + 1)) for k, _ in enumerate(contexts)])
            if progress:
                progress(len(rows) * len(contexts), len(episodes) * len(contexts))
        return LogLikelihood(np.array(rows), np.array([len(e.response) for e in episodes], dtype=np.int64))


def test_evidence_is_the_difference_from_the_neutral_context():
    found = gather(Counting(), CAST, EPISODES[:3])
    assert found.names == CAST.names
    assert found.index.tolist() == [1000, 1001, 1002]
    assert found.tokens.tolist() == [len(e.response) for e in EPISODES[:3]]
    by_hand = [[np.sin(i) - np.sin(i * (k + 1)) for k in range(4)] for i in found.index]
    assert found.matrix == pytest.approx(np.array(by_hand))
    assert np.all(found.matrix[:, 0] == 0.0)


def test_blocks_change_nothing():
    whole = Counting().log_likelihood(EPISODES, CAST.contexts).logp
    assert np.array_equal(gather(Counting(), CAST, EPISODES).matrix, whole - whole[:, :1])


def test_what_is_written_is_read_back_bit_by_bit(tmp_path: Path):
    rng = np.random.default_rng(0)
    matrix = np.column_stack([np.zeros(9), rng.normal(size=(9, 3)) * 10.0 ** rng.integers(-300, 300, (9, 3))])
    found = Evidence(CAST.names, np.arange(9)[::-1].copy(), matrix, np.arange(9) + 1)
    write_evidence(tmp_path / "e.parquet", found)
    back = read_evidence(tmp_path / "e.parquet", CAST)
    assert back.names == found.names
    for mine, theirs in ((back.matrix, matrix), (back.index, found.index), (back.tokens, found.tokens)):
        assert np.array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype


def test_a_persona_may_be_called_whatever_a_column_is_called(tmp_path: Path):
    """A cast file names its personas; none of its names may overwrite the rows' own numbers."""
    people = tuple(Persona(name=n, kind="person", context=n) for n in ("index", "tokens"))
    odd = Cast(name="odd", neutral="-", personas=people)
    found = Evidence(odd.names, np.array([4, 5]), np.array([[0.0, 1.5, -2.5], [0.0, 0.25, 3.5]]), np.array([7, 8]))
    write_evidence(tmp_path / "e.parquet", found)
    back = read_evidence(tmp_path / "e.parquet", odd)
    assert back.index.tolist() == [4, 5]
    assert back.tokens.tolist() == [7, 8]
    assert np.array_equal(back.matrix, found.matrix)


def test_a_finished_file_is_read_and_nothing_scored(tmp_path: Path):
    kept = tmp_path / "evidence.parquet"
    first = gather(Counting(), CAST, EPISODES, kept)
    again = Counting()
    assert np.array_equal(gather(again, CAST, EPISODES, kept).matrix, first.matrix)
    assert again.scored == []


@pytest.mark.parametrize("dies_at", [1000 + BLOCK, 1000 + BLOCK + 3, 1000 + 2 * BLOCK + 4])
def test_a_killed_run_goes_on_where_it_was_and_ends_as_if_nothing_had_happened(tmp_path: Path, dies_at: int):
    """Blocks that were finished are not scored again; the file is that of an uninterrupted run, byte for byte."""
    kept, whole = tmp_path / "killed" / "evidence.parquet", tmp_path / "whole" / "evidence.parquet"
    with pytest.raises(KeyboardInterrupt):
        gather(Counting(dies_at), CAST, EPISODES, kept)
    assert not kept.exists()
    second = Counting()
    resumed = gather(second, CAST, EPISODES, kept)
    done = (dies_at - 1000) // BLOCK * BLOCK
    assert second.scored == [e.index for e in EPISODES[done:]]
    assert np.array_equal(resumed.matrix, gather(Counting(), CAST, EPISODES, whole).matrix)
    assert kept.read_bytes() == whole.read_bytes()
    assert [p.name for p in kept.parent.iterdir()] == ["evidence.parquet"], "no part is left behind"


def test_progress_counts_episodes_up_to_all_of_them(tmp_path: Path):
    seen: list[tuple[int, int]] = []
    gather(Counting(), CAST, EPISODES, tmp_path / "e.parquet", lambda done, total: seen.append((done, total)))
    assert [total for _, total in seen] == [len(EPISODES)] * len(seen)
    counted = [done for done, _ in seen]
    assert counted == sorted(counted) and set(counted) == set(range(1, len(EPISODES) + 1)), "also within a block"
