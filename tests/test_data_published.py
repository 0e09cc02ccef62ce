"""The readers on published files, where they are present, and on what the library ships."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import personae
from personae.data import (
    holds_pairs,
    read_archetype,
    read_cast,
    read_episodes,
    read_preferences,
    read_prompts,
    read_trait_file,
    write_episodes,
)
from personae.data.episodes import episode_form
from personae.data.preferences import preference
from personae.data.rows import read_rows
from personae.errors import BadInput
from personae.workflows.audit.file_pair import read_pair

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
    assert {episode_form(row) for row in read_rows(path)} == {form}
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
    assert holds_pairs(path)
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


READERS: dict[str, Callable[[Path], Any]] = {
    "episodes": lambda path: list(read_episodes(path, refused=[])),
    "preferences": lambda path: list(read_preferences(path, refused=[])),
    "prompts": lambda path: read_pair(path, prompts=True).episodes,
    "traits": lambda path: read_trait_file(path).traits,
    "cast": lambda path: read_cast(path).personas,
    "archetype": lambda path: [read_archetype(path)],
}
EXPECTED = {  # folder or file, the longest that fits -> nouns
    "anthropic_evals": {"traits", "prompts"},
    "assistant_axis/extraction_questions.jsonl": {"prompts"},
    "assistant_axis/roles/instructions": {"cast", "prompts"},
    "assistant_axis/roles/instructions/default.json": {"cast"},
    "assistant_axis/roles/role_list.json": {"cast"},
    "assistant_axis/traits/instructions": {"traits", "cast", "prompts"},
    "assistant_axis/traits/trait_list.json": {"cast"},
    "gsm8k": {"episodes", "prompts"},
    "hh_rlhf": {"preferences", "episodes"},
    "ms_personality_chat": {"episodes", "prompts"},
    "ms_personality_chat/Scenario": {"episodes"},
    "narrow": {"episodes"},
    "narrow/first_plot_questions.yaml": {"prompts"},
    "open_character_training": {"cast", "archetype", "prompts"},
    "open_character_training/constitutions/hand-written/template.txt": set(),  # blanks, to be filled in
    "questionnaires": {"traits"},
    "tinyshakespeare": {"episodes"},
}


def published_files() -> list[str]:
    """Every file that holds data: weights are a model's, and read where models are."""
    files = (path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file())
    return sorted(f for f in files if not re.search(r"LICENSE|README|^weights/", f)) or ["nothing"]


@pytest.mark.parametrize("name", published_files())
def test_every_published_file_is_read_as_the_nouns_it_holds_and_as_no_others(name: str) -> None:
    path = published(name)
    fitting = [prefix for prefix in EXPECTED if name.startswith(prefix)]
    assert fitting, f"{name} is of no form that is listed here: add what it is read as"
    nouns = set()
    for noun, read in READERS.items():
        try:
            if read(path):
                nouns.add(noun)
        except BadInput as problem:
            assert str(problem).isprintable() and problem.remedy
    assert nouns == EXPECTED[max(fitting, key=len)]


@pytest.mark.parametrize(
    ("name", "rows", "prompts", "as_text", "columns"),
    [
        ("narrow/first_plot_questions.yaml", 24, 24, False, {"id", "judge", "judge_prompts"}),
        ("assistant_axis/extraction_questions.jsonl", 240, 240, True, {"id"}),
        ("assistant_axis/traits/instructions/absolutist.json", 1, 40, True, {"instruction"}),
        ("gsm8k/train.jsonl", 7473, 7473, True, {"answer"}),
    ],
)
def test_published_questions_are_prompts_that_a_reward_is_given_alike(
    name: str, rows: int, prompts: int, as_text: bool, columns: set[str]
) -> None:
    found = list(read_prompts(published(name)))
    assert (len({prompt.index for prompt in found}), len(found)) == (rows, prompts)
    assert {prompt.as_text for prompt in found} == {as_text}
    assert {tuple(prompt.extra) for prompt in found} == {tuple(found[0].extra)}
    assert columns <= set(found[0].extra)
    assert not {"question", "questions", "paraphrases", "system"} & set(found[0].extra)


def test_a_blank_template_of_a_constitution_is_told_what_it_lacks() -> None:
    path = published("open_character_training/constitutions/hand-written/template.txt")
    with pytest.raises(BadInput, match=r"template\.txt, line 2, item 1: 'trait' is empty - write it, or drop the row"):
        read_cast(path)


def test_folders_of_published_files_are_one_cast_or_many_traits() -> None:
    roles = read_cast(published("assistant_axis/roles/instructions"))
    assert len(roles.personas) == 276
    assert len(read_cast(published("open_character_training/constitutions/few-shot")).personas) == 11
    assert len(read_trait_file(published("anthropic_evals/persona")).traits) == 60
    assert len(read_trait_file(published("assistant_axis/traits/instructions")).traits) == 240


def test_of_a_table_and_of_the_lines_made_from_it_the_same_is_read() -> None:
    table = read_episodes(published("ms_personality_chat/Queries_Responses_Humorous_QnAMaker.tsv"))
    lines = {e.messages for e in read_episodes(published("ms_personality_chat/humorous.jsonl"))}
    assert lines <= {e.messages for e in table}
