"""What is written reads back: the round-trip law, whole files only, the same bytes."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personae.data import read_episodes, write_episodes
from personae.data.rows import read_rows
from personae.errors import BadInput, RunFailed
from personae.records import Episode, Message, chat, text

QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FORM_KEYS = {"messages", "prompt", "completion", "chosen", "rejected"}
EXTRA = st.dictionaries(st.text(max_size=8).filter(lambda key: key not in FORM_KEYS), JSON, max_size=3)
TURN = st.builds(Message, role=st.sampled_from(["system", "user", "assistant", "tool"]), content=st.text(max_size=30))
ANSWER = st.builds(Message, role=st.just("assistant"), content=st.text(min_size=1, max_size=30).filter(str.strip))
EPISODE = st.builds(
    lambda head, answer, extra: Episode(messages=(*head, answer), extra=extra),
    st.lists(TURN, max_size=3),
    ANSWER,
    EXTRA,
)


def renumbered(episodes: list[Episode]) -> list[Episode]:
    return [e.model_copy(update={"index": n}) for n, e in enumerate(episodes)]


@QUIET
@given(episodes=st.lists(EPISODE, min_size=1, max_size=4), name=st.sampled_from(["a.jsonl", "a.jsonl.gz"]))
def test_what_is_written_reads_back_as_the_same_episodes(tmp_path: Path, episodes: list[Episode], name: str) -> None:
    path = tmp_path / name
    assert write_episodes(path, episodes) == len(episodes)
    assert list(read_episodes(path)) == renumbered(episodes)


@QUIET
@given(episodes=st.lists(EPISODE, min_size=1, max_size=3), name=st.sampled_from(["a.jsonl", "a.jsonl.gz"]))
def test_the_same_episodes_give_the_same_bytes(tmp_path: Path, episodes: list[Episode], name: str) -> None:
    first, second = tmp_path / name, tmp_path / "again" / name
    write_episodes(first, episodes)
    write_episodes(second, read_episodes(first))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_written_is_of_the_messages_form_whatever_form_was_read(tmp_path: Path) -> None:
    source, path = tmp_path / "source.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"prompt": "Hello", "completion": "Hi.", "scenario": "greeting"}\n')
    write_episodes(path, read_episodes(source))
    assert [set(row.value) for row in read_rows(path)] == [{"messages", "scenario"}]
    assert list(read_episodes(path)) == list(read_episodes(source))


def test_a_file_can_be_read_and_written_in_one_breath(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_episodes(path, [chat("a", "b"), chat("c", "d")])
    write_episodes(path, (e for e in read_episodes(path) if e.response == "d"))
    assert [e.response for e in read_episodes(path)] == ["d"]


def test_episodes_that_fail_half_way_leave_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_episodes(path, [chat("a", "b")])
    before = path.read_bytes()

    with pytest.raises(BadInput, match="raw text"):
        write_episodes(path, [chat("c", "d"), text("e", "f")])
    with pytest.raises(BadInput, match="'messages'"):
        write_episodes(path, [chat("c", "d").model_copy(update={"extra": {"messages": []}})])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunFailed, match="cannot be written"):
        write_episodes(tmp_path / "file" / "a.jsonl", [chat("a", "b")])


def test_a_number_that_json_does_not_know_is_written_as_null(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_episodes(path, [chat("a", "b").model_copy(update={"extra": {"score": math.nan}})])
    assert next(read_episodes(path)).extra == {"score": None}
