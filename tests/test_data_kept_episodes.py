"""Episodes put aside on disk are a sequence of the same episodes, whatever they hold and however many they are."""

import errno
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.data import keep_episodes, kept_episodes
from personae.errors import RunFailed
from personae.records import Episode, Message, chat

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
EXTRA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
TURN = st.builds(Message, role=st.sampled_from(["system", "user", "tool"]), content=WORDS)
EPISODES = st.builds(
    lambda turns, said, **rest: Episode(messages=(*turns, Message(role="assistant", content=f"{said}.")), **rest),
    st.lists(TURN, max_size=3),
    WORDS,
    index=st.integers(0, 2**40),
    form=st.sampled_from(["chat", "text"]),
    extra=st.dictionaries(WORDS, EXTRA, max_size=3),
)


@given(st.lists(EPISODES, max_size=4))
def test_what_is_put_aside_comes_back_as_it_was(episodes):
    kept = keep_episodes(iter(episodes))
    assert list(kept) == episodes and kept == episodes and len(kept) == len(episodes)


ROWS = [chat(f"Row {n}?", "yes" * (n + 1), index=n) for n in range(20)]


@pytest.mark.parametrize("held", [0, 100, 10**6])
def test_they_are_found_in_any_order_in_memory_and_on_disk(monkeypatch, held):
    monkeypatch.setattr(kept_episodes, "HELD", held)
    kept = keep_episodes(ROWS)
    assert (kept[7], kept[-1], kept[0]) == (ROWS[7], ROWS[-1], ROWS[0])
    assert kept[3:9] == tuple(ROWS[3:9])
    assert list(kept.chosen([5, 2, 2, 19]).chosen([3, 0])) == [ROWS[19], ROWS[5]]
    assert kept != ROWS[:-1] and kept != [*ROWS[:-1], ROWS[0]]
    with pytest.raises(IndexError):
        kept[20]


def test_a_full_disk_is_one_line_that_says_what_helps(monkeypatch):
    class Full(tempfile.SpooledTemporaryFile):
        def write(self, *_):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Full)
    with pytest.raises(RunFailed, match=r"No space left on device.*TMPDIR"):
        keep_episodes(ROWS)
