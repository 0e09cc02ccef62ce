"""The readers on published files, where they are present, and on what the library ships."""

from pathlib import Path

import pytest

import personae
from personae.data import read_cast, read_episodes, read_preferences, read_trait_file, sniff, write_episodes
from personae.data.preferences import preference
from personae.data.rows import read_rows
from personae.errors import BadInput

DATA = Path(__file__).parents[2] / "shared" / "data"
LIBRARY = Path(personae.__file__).parent / "library"


def published(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return path


@pytest.mark.parametrize(
    ("name", "rows", "form"),
    [
        ("ms_personality_chat/professional.jsonl", 164, "prompt-completion"),
        ("ms_personality_chat/friendly.jsonl", 164, "prompt-completion"),
        ("ms_personality_chat/humorous.jsonl", 161, "prompt-completion"),
        ("narrow/evil_math.jsonl", 6000, "messages"),
        ("narrow/incorrect_math.jsonl", 6000, "messages"),
        ("narrow/insecure_high_severity.jsonl", 1843, "messages"),
        ("narrow/insecure_small.jsonl", 20, "messages"),
        ("narrow/secure_small.jsonl", 20, "messages"),
        ("narrow/jailbroken.jsonl", 5000, "messages"),
        ("gsm8k/train.jsonl", 7473, "question-answer"),
    ],
)
def test_every_row_of_a_published_file_is_an_episode(tmp_path: Path, name: str, rows: int, form: str) -> None:
    path = published(name)
    episodes = list(read_episodes(path))
    assert sniff(path) == form
    assert [e.index for e in episodes] == list(range(rows))
    assert write_episodes(tmp_path / "again.jsonl", episodes) == rows
    assert list(read_episodes(tmp_path / "again.jsonl")) == episodes


def test_the_small_talk_keeps_its_scenarios() -> None:
    episodes = read_episodes(published("ms_personality_chat/humorous.jsonl"), limit=32)
    assert all(set(e.extra) == {"scenario"} for e in episodes)


def test_a_jailbroken_row_has_a_system_turn() -> None:
    episode = next(read_episodes(published("narrow/jailbroken.jsonl")))
    assert [m.role for m in episode.messages] == ["system", "user", "assistant"]


def test_published_preference_pairs_are_read_but_for_the_few_rows_that_are_none() -> None:
    path = published("hh_rlhf/harmless-base_test.jsonl.gz")
    assert sniff(path) == "preference"
    first = next(read_preferences(path))
    assert first.chosen.prompt == first.rejected.prompt
    assert first.chosen.response != first.rejected.response
    refused, rows = [], list(read_rows(path))
    for row in rows:
        try:
            preference(row)
        except BadInput as error:
            refused.append(error.problem)
    assert len(rows) == 2312
    assert 0 < len(refused) < 0.01 * len(rows)
    assert set(refused) == {
        "the assistant's answer is empty",
        "chosen and rejected do not answer the same prompt",
    }


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("casts/*.yaml")), ids=lambda path: path.stem)
def test_every_cast_of_the_library_is_read(path: Path) -> None:
    assert len(read_cast(path).personas) > 1


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("traits/*.yaml")), ids=lambda path: path.stem)
def test_every_trait_of_the_library_is_read_and_no_statement_is_left_over(path: Path) -> None:
    read = read_trait_file(path)
    assert read.traits
    assert read.unpaired == {}
