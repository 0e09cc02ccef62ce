"""Episodes in TRL's forms: the dialogue each row means, and the one line that each bad row earns."""

import json
from pathlib import Path
from typing import Any

import pytest

from personae.data import read_choices, read_episodes, read_preferences, write_episodes
from personae.data.episodes import episode_form
from personae.data.rows import read_rows
from personae.errors import BadInput
from personae.records import Episode, Message, chat

ASKED = {"role": "user", "content": "Hello"}
ANSWERED = {"role": "assistant", "content": "Hi."}
GOOD = {"messages": [ASKED, ANSWERED]}


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(folder: Path, *rows: Any) -> list[Episode]:
    return list(read_episodes(written(folder, *rows)))


def refusal(folder: Path, row: Any) -> BadInput:
    path = written(folder, GOOD, row)
    with pytest.raises(BadInput) as caught:
        list(read_episodes(path))
    error = caught.value
    assert (error.file, error.line) == (path, 2)
    assert str(error).isprintable()
    assert error.remedy
    return error


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, ANSWERED]},
        {"prompt": "Hello", "completion": "Hi."},
        {"prompt": [ASKED], "completion": [ANSWERED]},
        {"prompt": [ASKED], "completion": "Hi."},
        {"prompt": "Hello", "completion": [ANSWERED]},
        {"question": "Hello", "answer": "Hi."},
        {"prompt": [ASKED], "completion": [ASKED, ANSWERED]},
        {"messages": None, "prompt": "Hello", "completion": "Hi."},
        {"messages": [ASKED, {**ANSWERED, "tool_calls": None, "id": 7}]},
    ],
)
def test_every_form_of_a_row_means_the_same_dialogue(tmp_path: Path, row: dict[str, Any]) -> None:
    assert read(tmp_path, row) == [chat("Hello", "Hi.")]


def test_of_unpaired_preferences_the_rejected_answers_are_no_episodes(tmp_path: Path) -> None:
    labels = (True, False, True, False)
    path = written(tmp_path, *({"prompt": str(n), "completion": "x", "label": said} for n, said in enumerate(labels)))
    refused: list[BadInput] = []
    episodes = list(read_episodes(path, refused=refused))
    assert [(e.index, e.extra) for e in episodes] == [(0, {"label": True}), (2, {"label": True})]
    assert [problem.line for problem in refused] == [2, 4]


@pytest.mark.parametrize("label", [False, 0, 0.0, "0", "0.0", "false", " False"])
def test_a_label_that_is_false_or_0_is_a_rejected_answer_and_its_opposite_is_none(tmp_path: Path, label: Any) -> None:
    row = {"prompt": "x", "completion": "y"}
    error = refusal(tmp_path, {**row, "label": label})
    assert error.problem.startswith("'label' is ") and "rejected answer" in error.problem
    opposite = {"false": "true", " False": "True", "0": "1", "0.0": "1.0"}.get(label, not label)
    assert len(read(tmp_path, {**row, "label": opposite}, {**row, "label": None})) == 2


@pytest.mark.parametrize("label", [-1, 3, 0.5, "rejected", "math", "", [True]])
def test_a_label_that_is_neither_true_nor_false_is_not_taken_for_either(tmp_path: Path, label: Any) -> None:
    error = refusal(tmp_path, {"prompt": "x", "completion": "y", "label": label})
    assert error.problem.endswith(": neither true nor false") and "rename 'label'" in error.remedy


def test_a_label_in_a_table_means_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("prompt,completion,label\nHi,Hello.,True\nHi,Well.,1\nHi,I hate you.,0\n")
    refused: list[BadInput] = []
    said = [e.response for e in read_episodes(tmp_path / "table.csv", refused=refused)]
    assert (said, [problem.line for problem in refused]) == (["Hello.", "Well."], [4])


@pytest.mark.parametrize(
    "asked",
    [
        [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Q"}],
        [{"role": "user", "content": "Q\n"}],
    ],
)
def test_an_answer_that_repeats_its_prompt_in_other_space_or_behind_a_system_turn_asks_it_once(tmp_path, asked) -> None:
    said = [*asked, {"role": "assistant", "content": "A"}]
    (row,) = read(tmp_path, {"prompt": "Q", "completion": said})
    assert [turn.model_dump() for turn in row.messages] == said


@pytest.mark.parametrize("role", ["user", "system"])
def test_an_answer_that_begins_with_another_question_than_its_prompt_is_refused(tmp_path: Path, role: str) -> None:
    answer = [{"role": role, "content": "Bye"}, ANSWERED]
    error = refusal(tmp_path, {"prompt": "Hello", "completion": answer})
    assert error.problem == f"the answer begins with the {role}'s turn and does not repeat the prompt"
    for key in ("prompt", "question"):
        row = {key: [ASKED, ANSWERED], "completion" if key == "prompt" else "answer": answer}
        assert [turn.content for turn in read(tmp_path, row)[0].messages] == ["Hello", "Hi.", "Bye", "Hi."]


PIRATE = {"role": "system", "content": "You are a pirate."}


@pytest.mark.parametrize("key", ["system", "system_prompt"])
@pytest.mark.parametrize(
    "row",
    [
        GOOD,
        {"prompt": "Hello", "completion": "Hi.", "label": True},
        {"prompt": [ASKED], "completion": [ASKED, ANSWERED]},
        {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."},
        {"chosen": "\n\nHuman: Hello\n\nAssistant: Hi.", "rejected": "\n\nHuman: Hello\n\nAssistant: No."},
        {"question": "Hello", "answer": "Hi."},
        {"messages": [PIRATE, ASKED, ANSWERED]},
        {"prompt": [PIRATE, ASKED], "completion": [ANSWERED]},
    ],
)
def test_a_system_text_beside_a_dialogue_is_its_first_turn_and_no_column(tmp_path: Path, row, key: str) -> None:
    (episode,) = read(tmp_path, {**row, key: " You are a pirate.\n"})
    assert episode.messages == chat("Hello", "Hi.", system="You are a pirate.").messages
    assert key not in episode.extra
    write_episodes(tmp_path / "again.jsonl", [episode])
    assert list(read_episodes(tmp_path / "again.jsonl")) == [episode]


@pytest.mark.parametrize("none", [None, "", " "])
def test_a_system_text_that_is_empty_is_none(tmp_path: Path, none: str | None) -> None:
    assert read(tmp_path, {**GOOD, "system": none, "system_prompt": none}) == [chat("Hello", "Hi.")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": [PIRATE, ASKED, ANSWERED], "system": "Be kind."}, "'system' is another text than the system"),
        (
            {**GOOD, "system": "Be kind.", "system_prompt": "Be brief."},
            "'system_prompt' is another text than the system",
        ),
        ({**GOOD, "system": ["Be kind."]}, "'system' is a list of 1, not text"),
        ({"speaker": "PILOT", "speech": "Hi.", "system": "Be kind."}, "'system' is not written into the prompt"),
    ],
)
def test_a_system_text_that_cannot_be_the_first_turn_is_refused(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    assert said in refusal(tmp_path, row).problem


def test_earlier_turns_of_a_question_stand_before_it_and_a_text_beside_it_is_refused(tmp_path: Path) -> None:
    row = {"question": "Bye", "answer": "Oh."}
    (episode,) = read(tmp_path, {**row, "context": [ASKED, ANSWERED], "system": "You are a pirate."})
    assert [turn.content for turn in episode.messages] == ["You are a pirate.", "Hello", "Hi.", "Bye", "Oh."]
    assert episode.extra == {}
    assert read(tmp_path, {**row, "context": ""}, {**row, "context": []})[1].messages == chat("Bye", "Oh.").messages
    error = refusal(tmp_path, {**row, "context": "Bob is 7."})
    assert error.problem == "'context' is 'Bob is 7.'" and "write a text into the question" in error.remedy
    assert read(tmp_path, {**GOOD, "context": "a lesson"})[0].extra == {"context": "a lesson"}


@pytest.mark.parametrize("key", ["prompt", "question", "instruction", "input", "query"])
def test_what_was_said_in_a_scenario_answers_no_words_so_a_prompt_beside_it_is_refused(
    tmp_path: Path, key: str
) -> None:
    row = {"scenario": "kitchen", "response": "Yes."}
    error = refusal(tmp_path, {**row, key: "Is it safe?"})
    assert error.problem == f"{key!r} stands beside 'scenario' and 'response', which answer no words"
    for nothing in (None, "", " "):
        (episode,) = read(tmp_path, {**row, key: nothing})
        assert (episode.prompt, episode.response) == ((), "Yes.")


@pytest.mark.parametrize(("key", "given"), [("choices", ["Rome", "Paris"]), ("options", {"A": "Rome", "B": "Paris"})])
def test_choices_beside_a_question_are_written_into_it_unless_they_are_there(tmp_path: Path, key: str, given) -> None:
    (episode,) = read(tmp_path, {"question": "Capital?", key: given, "answer": "B"})
    assert episode.messages == chat("Capital?\n\nChoices:\n (A) Rome\n (B) Paris", "B").messages
    assert episode.extra == {key: given}
    asked = "Rome or Paris?"
    assert read(tmp_path, {"question": asked, key: given, "answer": "B"})[0].messages == chat(asked, "B").messages
    for spoilt in ("Rome, Paris", {"text": ["Rome"], "label": ["A"]}, [1, 2], ["x"] * 27):
        error = refusal(tmp_path, {"question": "Capital?", key: spoilt, "answer": "B"})
        assert error.problem.startswith(f"{key!r} is ") and "write the choices into 'question'" in error.remedy


@pytest.mark.parametrize("key", ["tools", "functions", "image", "images", "video", "videos", "audio"])
def test_a_column_that_no_prompt_is_written_with_is_refused_unless_it_is_empty(tmp_path: Path, key: str) -> None:
    for nothing in (None, [], {}, "", " ", "[]", "{}", "null"):
        assert read(tmp_path, {**GOOD, key: nothing})[0].messages == chat("Hello", "Hi.").messages
    for value in ([{"name": "f"}], {"name": "f"}, '[{"name": "f"}]', "sky.png", ["sky.png"]):
        for row in (GOOD, {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."}):
            error = refusal(tmp_path, {**row, key: value})
            assert error.problem == f"{key!r} is not written into the prompt"
            assert error.remedy == "write what it holds into the prompt as text, or drop the column"


@pytest.mark.parametrize(("weight", "kept"), [(1, True), (None, True), (0, False), (0.0, False)])
def test_an_answer_of_no_weight_is_no_episode(tmp_path: Path, weight: float | None, kept: bool) -> None:
    row = {"messages": [ASKED, {**ANSWERED, "weight": 0}, ASKED, {**ANSWERED, "weight": weight}]}
    if kept:
        assert len(read(tmp_path, row)) == 1
    else:
        assert "the weight 0: nobody is trained on it" in refusal(tmp_path, row).problem


def test_a_system_turn_and_earlier_turns_are_the_prompt(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "Be brief."}, ASKED, ANSWERED, {"role": "user", "content": "Bye"}, ANSWERED]
    (episode,) = read(tmp_path, {"messages": turns})
    assert [m.role for m in episode.prompt] == ["system", "user", "assistant", "user"]
    assert episode.response == "Hi."


def test_extra_keys_are_kept_as_they_came(tmp_path: Path) -> None:
    more = {"scenario": "greeting", "tags": ["a", {"b": [1, None]}], "score": 0.5, "prompt": "Hello"}
    (episode,) = read(tmp_path, {**GOOD, **more})
    assert episode.extra == more


def test_text_is_kept_to_the_character(tmp_path: Path) -> None:
    (episode,) = read(tmp_path, {"prompt": " a\n", "completion": "\tb \r\n\u00e9"})
    assert [m.content for m in episode.messages] == [" a\n", "\tb \r\n\u00e9"]


def test_the_index_is_the_line_that_an_error_would_name(tmp_path: Path) -> None:
    path = tmp_path / "blank.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\n\n{json.dumps(GOOD)}\n{{\n")
    rows = read_episodes(path)
    assert [next(rows).index + 1 for _ in range(2)] == [1, 4]
    with pytest.raises(BadInput, match="line 5: "):
        next(rows)


def test_the_index_counts_lines_and_the_limit_takes_the_first_rows(tmp_path: Path) -> None:
    path = written(tmp_path, *({"prompt": str(n), "completion": "x"} for n in range(5)))
    whole = list(read_episodes(path))
    assert [e.index for e in whole] == [0, 1, 2, 3, 4]
    assert list(read_episodes(path, limit=3)) == whole[:3]
    assert list(read_episodes(path, limit=99)) == whole


@pytest.mark.parametrize("form", ["one line", "two a line", "yaml"])
def test_of_a_list_the_index_is_the_place_and_a_message_names_line_and_item(tmp_path: Path, form: str) -> None:
    rows = [json.dumps({"prompt": str(n), "completion": "x"}) for n in range(4)]
    text = f"[{', '.join(rows)}]" if form == "one line" else f"[{rows[0]}, {rows[1]},\n{rows[2]}, {rows[3]}]"
    path = tmp_path / "list.json"
    path.write_text(text if form != "yaml" else "\n".join(f"- {{prompt: {n}, completion: x}}" for n in range(4)))
    read_rows = list(read_episodes(path))
    assert [(e.index, e.messages[0].content) for e in read_rows] == [(n, str(n)) for n in range(4)]
    where = {"one line": "line 1, item 4", "two a line": "line 2, item 4", "yaml": "line 4, item 4"}[form]
    assert read_rows[3].where == where
    path.write_text(path.read_text()[::-1].replace("x", "", 1)[::-1].replace("completion: }", "completion: ' '}"))
    with pytest.raises(BadInput, match=f"{where}: the assistant's answer is empty"):
        list(read_episodes(path))


def test_of_a_list_of_pairs_the_index_is_the_place(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"prompt": str(n), "chosen": "x", "rejected": "y"} for n in range(3)]))
    assert [p.chosen.index for p in read_preferences(path)] == [0, 1, 2]
    assert [e.where for e in read_choices(path)] == [f"line 1, item {n}" for n in (1, 2, 3)]


def test_a_missing_file_is_refused_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_episodes(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ({"role": "assistant", "content": None}, "null"),
        ({"role": "assistant", "content": 4}, "a number (4)"),
        ({"role": "assistant", "content": True}, "true"),
        ({"role": "assistant", "content": ["a", "b"]}, "a list of 2"),
        ({"role": "assistant", "content": [{"type": "text", "text": "a"}]}, "a list of 1"),
        ({"role": "assistant", "content": {"text": "a"}}, "an object with the keys 'text'"),
        ({"role": "assistant"}, "no 'content'"),
        ({"content": "a"}, "no 'role'"),
        ({"from": "gpt", "value": "a"}, "'from', 'value'"),
        ({"role": "bot", "content": "a"}, "'bot'"),
        ({"role": ["user"], "content": "a"}, "a list of 1"),
        ({"role": None, "content": "a"}, "null"),
        ("text", "'text'"),
        (None, "null"),
        ({"role": "assistant", "content": "a", "tool_calls": [{"name": "f"}]}, "tool_calls"),
    ],
)
def test_a_bad_message_is_named_by_its_place_and_what_was_found(tmp_path: Path, turn: Any, said: str) -> None:
    error = refusal(tmp_path, {"messages": [ASKED, turn]})
    assert "message 2" in error.problem
    assert said in error.problem


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": [ASKED]}, "the last message is the user's"),
        ({"messages": [ASKED, ANSWERED, ASKED]}, "the last message is the user's"),
        ({"messages": [ASKED, {"role": "assistant", "content": " \n"}]}, "answer is empty"),
        ({"prompt": "Hello", "completion": ""}, "answer is empty"),
        ({"prompt": "Hello", "completion": [ASKED]}, "the last message is the user's"),
        ({"messages": []}, "empty list"),
        ({"messages": "Hello"}, "'messages' is 'Hello'"),
        ({"messages": {"role": "user"}}, "'messages' is an object"),
        ({"prompt": 3, "completion": "x"}, "'prompt' is a number (3)"),
        ({"prompt": "x", "completion": []}, "'completion' is an empty list"),
        ({"messages": None}, "'messages' is null"),
        ({"prompt": "x", "completion": None}, "'completion' is null"),
        ({}, "found none"),
        ({"prompt": "x"}, "'completion' is missing; found 'prompt'"),
        ({"id": "wish", "paraphrases": ["x", "y"]}, "'paraphrases' are prompts without answers"),
        (
            {"messages": [ASKED, {"role": "assistant", "content": None, "tool_calls": [{"name": "f"}]}]},
            "message 2 of 'messages' calls a tool ('tool_calls') and says nothing, which is not scored",
        ),
        (
            {"messages": [ASKED, {"role": "assistant", "tool_calls": [{"name": "f"}]}]},
            "message 2 of 'messages' calls a tool ('tool_calls') and says nothing, which is not scored",
        ),
        ({"words": "x", "label": 1}, "found 'words', 'label'"),
        ({"text": "x", "label": 1}, "'text' is raw text, which has no Assistant's turn"),
        (
            {"instruction": "x", "input": "", "output": "y", "text": "x y"},
            "no known keys; found 'instruction', 'input'",
        ),
        ({"prompt": "x", "completions": ["y", "z"], "labels": [True, False]}, "steps with a label each"),
        ({"prompt": "x", "completion": "y", "label": False}, "'label' is false: a rejected answer"),
    ],
)
def test_a_row_without_an_answered_dialogue_says_what_it_has(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    assert said in refusal(tmp_path, row).problem


@pytest.mark.parametrize(
    ("row", "remedy"),
    [
        ({"instruction": "x", "input": "", "output": "y"}, "'prompt' and 'completion'"),
        ({"instruction": "x", "input": "z", "output": "y"}, "join 'instruction' and 'input' to one 'prompt'"),
        ({"instruction": "x", "input": "", "output": "y", "text": "x y"}, "rename 'instruction' and 'output'"),
        ({"conversations": [{"from": "human", "value": "x"}]}, "'messages'"),
        ({"instruction": "x", "response": "y"}, "rename 'instruction' and 'response' to 'prompt' and 'completion'"),
        ({"input": "x", "output": "y"}, "rename 'input' and 'output' to 'prompt' and 'completion'"),
        ({"message": [ASKED, ANSWERED]}, "rename 'message' to 'messages'"),
        ({"Prompt": "x", "completon": "y"}, "rename 'Prompt' to 'prompt' and 'completon' to 'completion'"),
        ({"messages": [ASKED, {**ANSWERED, "role": "developer"}]}, "write it as 'system'"),
        ({"instruction": "x", "context": "z", "response": "y"}, "join 'instruction' and 'context' to one 'prompt'"),
        ({"prompt": "x"}, "expected 'prompt' and 'completion'; prompts without answers need --reward"),
        ({"question": "x"}, "expected 'question' and 'answer'; prompts without answers need --reward"),
        ({"prompt": "x", "completion": float("nan")}, "write it, or drop the row"),
        ({"messages": None, "prompt": "x"}, "expected 'messages', or 'prompt' and 'completion'"),
        ({"words": "x"}, "expected 'messages', or 'prompt' and 'completion'"),
        ({"text": "x"}, "give its turns as 'messages', or as 'prompt' and 'completion'"),
        ({"prompt": "x", "completions": ["y"], "labels": [True]}, "into one 'completion'"),
        ({"prompt": "x", "completion": "y", "label": False}, "--skip-bad"),
    ],
)
def test_unknown_keys_are_answered_with_the_keys_that_are_known(tmp_path: Path, row: Any, remedy: str) -> None:
    assert remedy in refusal(tmp_path, row).remedy


@pytest.mark.parametrize(
    ("row", "form"),
    [
        (GOOD, "messages"),
        ({**GOOD, "prompt": "Hello"}, "messages"),
        ({**GOOD, "prompt": "x", "chosen": "y", "rejected": "z"}, "preference"),
        ({"prompt": "x", "completion": "y"}, "prompt-completion"),
        ({"question": "x", "answer": "y"}, "question-answer"),
        ({"prompt": "x", "chosen": "y", "rejected": "z"}, "preference"),
        ({"chosen": [ASKED, ANSWERED], "rejected": [ASKED, ANSWERED]}, "preference"),
        ({"prompt": "x"}, None),
    ],
)
def test_a_row_of_several_forms_is_read_by_the_first_of_them(
    tmp_path: Path, row: dict[str, Any], form: str | None
) -> None:
    assert episode_form(next(read_rows(written(tmp_path, row)))) == form


def test_a_file_of_no_known_form_is_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"line 1.*'speaker'.*expected"):
        read(tmp_path, {"speaker": "x"})


def test_episodes_hold_what_they_were_read_from_and_nothing_of_their_neighbours(tmp_path: Path) -> None:
    first, second = read(tmp_path, {**GOOD, "n": 1}, {**GOOD, "n": 2})
    assert (first.extra, second.extra) == ({"n": 1}, {"n": 2})
    assert first.messages == (Message(role="user", content="Hello"), Message(role="assistant", content="Hi."))


def test_the_index_that_a_table_was_written_with_is_no_column(tmp_path: Path) -> None:
    (tmp_path / "indexed.csv").write_text(",question,answer\n0,Who?,I.\n1,Where?,There.\n")
    rows = list(read_episodes(tmp_path / "indexed.csv"))
    assert [row.response for row in rows] == ["I.", "There."] and [row.extra for row in rows] == [{}, {}]
