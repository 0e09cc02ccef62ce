"""Preference pairs and prompts: the dialogues that a row means, and the rows that are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from personae.data import holds_pairs, read_choices, read_preferences, read_prompt_rows, read_prompts
from personae.data.transcripts import transcript
from personae.errors import BadInput
from personae.records import Message, Preference, chat, rejected

ASKED = {"role": "user", "content": "Hello"}
GOOD, BAD = {"role": "assistant", "content": "Hi."}, {"role": "assistant", "content": "No."}
PAIR = Preference(chosen=chat("Hello", "Hi."), rejected=chat("Hello", "No."))


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."},
        {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": "Hello", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"chosen": "\n\nHuman: Hello\n\nAssistant: Hi.", "rejected": "\n\nHuman: Hello\n\nAssistant: No."},
    ],
)
def test_every_form_of_a_pair_means_the_same_two_answers(tmp_path: Path, row: dict[str, Any]) -> None:
    assert list(read_preferences(written(tmp_path, row))) == [PAIR]


def test_both_answers_carry_the_row_and_its_extra_keys(tmp_path: Path) -> None:
    row = {"prompt": "Hello", "chosen": "Hi.", "rejected": "No.", "margin": 2}
    pair = list(read_preferences(written(tmp_path, row, row)))[1]
    assert {pair.chosen.index, pair.rejected.index} == {1}
    assert pair.chosen.extra == pair.rejected.extra == {"margin": 2}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"chosen": [ASKED, GOOD], "rejected": [GOOD]}, "same prompt"),
        ({"prompt": "x", "chosen": "", "rejected": "y"}, "answer is empty"),
        ({"prompt": "x", "chosen": "y", "rejected": None}, "'rejected' is null"),
        ({"prompt": "x", "chosen": "y", "rejected": 1}, "'rejected' is a number"),
        ({"chosen": "Hi.", "rejected": "No."}, "no 'prompt'"),
        ({"chosen": [ASKED], "rejected": [ASKED]}, "the user's"),
        ({"messages": [ASKED, GOOD]}, "found 'messages'"),
    ],
)
def test_what_is_no_pair_is_refused_with_its_line(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    good = {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."}
    with pytest.raises(BadInput) as caught:
        list(read_preferences(written(tmp_path, good, row)))
    assert caught.value.line == 2
    assert said in caught.value.problem
    assert caught.value.remedy


def test_a_transcript_is_cut_at_its_marks_and_nowhere_else() -> None:
    said = transcript("\n\nHuman: Who said Assistant: ?\n\nAssistant: One.\n\nTwo.\n\nHuman: \n\nAssistant: Three")
    assert [(m.role, m.content) for m in said] == [
        ("user", "Who said Assistant: ?"),
        ("assistant", "One.\n\nTwo."),
        ("user", ""),
        ("assistant", "Three"),
    ]
    assert transcript("Once upon a time\n\nHuman: hello") == ()
    assert transcript("") == ()


def test_prompts_are_the_turns_that_wait_for_an_answer(tmp_path: Path) -> None:
    path = written(tmp_path, {"prompt": "Hello", "answer": "4"}, {"prompt": [ASKED]})
    assert list(read_prompts(path)) == [(Message(role="user", content="Hello"),)] * 2


@pytest.mark.parametrize(
    ("row", "said"),
    [({"prompt": [ASKED, GOOD]}, "ends with the assistant"), ({"prompt": []}, "empty list"), ({"text": "x"}, "'text'")],
)
def test_a_prompt_that_nobody_can_answer_is_refused(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        list(read_prompts(written(tmp_path, row)))


def test_a_choice_is_the_chosen_answer_that_knows_the_other_in_whatever_form_it_came(tmp_path: Path) -> None:
    for row in (
        {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."},
        {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
    ):
        path = written(tmp_path, row)
        (found,) = read_choices(path)
        assert (found.messages, rejected(found).messages) == (PAIR.chosen.messages, PAIR.rejected.messages)
        assert holds_pairs(path)


def test_two_answers_that_are_one_are_no_choice(tmp_path: Path) -> None:
    row = {"prompt": "Hello", "chosen": "Hi.", "rejected": " Hi."}
    with pytest.raises(BadInput, match="line 1: 'chosen' and 'rejected' are the same answer"):
        list(read_choices(written(tmp_path, row)))


@pytest.mark.parametrize("row", [{"messages": [ASKED, GOOD]}, {"prompt": "x", "completion": "y", "rejected": "z"}])
def test_episodes_are_no_pairs(tmp_path: Path, row: dict[str, Any]) -> None:
    assert not holds_pairs(written(tmp_path, row))


def test_prompts_for_a_reward_keep_their_form_and_their_other_keys(tmp_path: Path) -> None:
    one, two = read_prompt_rows(written(tmp_path, {"prompt": "Hello", "answer": 3}, {"prompt": [ASKED]}))
    assert one.turns == two.turns == (Message(role="user", content="Hello"),)
    assert (one.extra, one.as_text, two.extra, two.as_text, two.index) == ({"answer": 3}, True, {}, False, 1)
    with pytest.raises(BadInput, match=r"line 1: .*expected 'prompt'"):
        list(read_prompt_rows(written(tmp_path, {"question": "Who?"})))
