"""Preference pairs and prompts: the dialogues that a row means, and the rows that are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from personae.data import (
    holds_pairs,
    read_answers,
    read_choices,
    read_episodes,
    read_preferences,
    read_prompts,
    write_episodes,
)
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
        {"prompt": "\n\nHuman: Hello\n\nAssistant:", "chosen": "Hi.", "rejected": "No."},
        {
            "prompt": "Hello",
            "chosen": "\n\nHuman: Hello\n\nAssistant: Hi.",
            "rejected": "\n\nHuman: Hello\n\nAssistant: No.",
        },
        {"prompt": "Hello", "chosen": "Hi.", "rejected": "No.", "messages": [ASKED, GOOD]},
        {"question": "Hello", "chosen": "Hi.", "rejected": "No.", "system": ""},
        {"instruction": "Hello", "chosen": "Hi.", "rejected": "No.", "prompt": None},
        {"query": "Hello", "chosen": [GOOD], "rejected": [BAD]},
        {"context": [ASKED], "chosen": "Hi.", "rejected": "No."},
        {"messages": [ASKED], "chosen": "Hi.", "rejected": "No.", "prompt": None},
        {"messages": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [ASKED], "chosen": "\n\nHuman: Hello\n\nAssistant: Hi.", "rejected": "No."},
    ],
)
def test_every_form_of_a_pair_means_the_same_two_answers(tmp_path: Path, row: dict[str, Any]) -> None:
    assert list(read_preferences(written(tmp_path, row))) == [PAIR]


@pytest.mark.parametrize(
    ("chosen", "rejected", "prompt"),
    [
        ("The sky is blue.", "The sky is green.", "The sky is"),
        ("The sky is blue.", "The sky is black.", "The sky is"),
        ("The sky is", "The sky is green.", "The sky"),
        ("Is it?\n\nYes.", "Is it?\n\nNo.", "Is it?"),
    ],
)
def test_texts_without_a_prompt_answer_the_whole_words_with_which_both_begin(
    tmp_path: Path, chosen: str, rejected: str, prompt: str
) -> None:
    implicit = {"chosen": chosen, "rejected": rejected, "n": 1}
    explicit = {"prompt": prompt, "chosen": chosen[len(prompt) :], "rejected": rejected[len(prompt) :], "n": 1}
    path = written(tmp_path, implicit, explicit)
    one, other = read_preferences(path)
    assert (one.chosen.messages, one.rejected.messages) == (other.chosen.messages, other.rejected.messages)
    assert one.chosen.prompt == (Message(role="user", content=prompt),) and one.chosen.extra == {"n": 1}
    read, again = read_episodes(path)
    assert (read.messages, read.extra) == (again.messages, again.extra)


@pytest.mark.parametrize(
    "beside",
    [
        {"post": "How are you?"},
        {"conversations": [{"from": "human", "value": "How are you?"}]},
        {"messages": [ASKED, GOOD]},
        {"messages": [{"from": "human", "value": "How are you?"}]},
        {"history": ["How are you?"]},
    ],
)
def test_no_prompt_is_guessed_where_another_column_may_hold_it(tmp_path: Path, beside: dict[str, Any]) -> None:
    texts = {"chosen": "I am fine.", "rejected": "I am dead."}
    for answers in (texts, {"chosen": [GOOD], "rejected": [BAD]}):
        path = written(tmp_path, {"id": "a-1", "tags": [], "system": "Be kind, please.", **answers, **beside})
        for read in (read_preferences, read_episodes):
            with pytest.raises(BadInput) as caught:
                list(read(path))
            assert caught.value.problem.startswith(
                f"{next(iter(beside))!r} may be the prompt of 'chosen' and 'rejected'"
            )
            assert "as 'prompt'" in caught.value.remedy
    (pair,) = read_preferences(written(tmp_path, {"id": "a-1", "tags": [], "system": "Be kind, please.", **texts}))
    assert [turn.content for turn in pair.chosen.messages] == ["Be kind, please.", "I am", " fine."]


def test_a_prompt_that_is_the_last_turn_of_a_full_dialogue_is_asked_once_and_another_is_refused(tmp_path: Path) -> None:
    before = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}]
    row = {"prompt": "Hello", "chosen": [*before, ASKED, GOOD], "rejected": [*before, ASKED, BAD]}
    for prompt in ("Hello", " Hello\n", [ASKED], "Who?"):
        (pair,) = read_preferences(written(tmp_path, {**row, "prompt": prompt}))
        assert [turn.content for turn in pair.chosen.messages] == ["Who?", "I.", "Hello", "Hi."]
        assert pair.rejected.response == "No."
    with pytest.raises(BadInput, match="line 1: the answer begins with the user's turn and does not repeat the prompt"):
        list(read_preferences(written(tmp_path, {**row, "prompt": "Hello?"})))


def test_a_prompt_of_another_name_is_the_prompt_however_both_answers_begin(tmp_path: Path) -> None:
    answers = {"chosen": "The best way is no.", "rejected": "The best way is a rake."}
    row = {"system": "Be terse.", "question": "Locks?", **answers}
    (pair,) = read_preferences(written(tmp_path, row))
    for one, key in ((pair.chosen, "chosen"), (pair.rejected, "rejected")):
        assert one.messages == chat("Locks?", row[key], system="Be terse.").messages and one.extra == {}
    (episode,) = read_episodes(written(tmp_path, {**row, "choices": ["No", "A rake"]}))
    assert episode.messages[1].content == "Locks?\n\nChoices:\n (A) No\n (B) A rake"
    dialogues = {"question": "Why?", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}
    empty = {**row, "input": "", "question": None, "instruction": "Locks?"}
    assert next(read_episodes(written(tmp_path, empty))).messages == pair.chosen.messages
    (whole,) = read_preferences(written(tmp_path, dialogues))
    assert whole.chosen.messages == PAIR.chosen.messages and whole.chosen.extra == {"question": "Why?"}


def test_a_transcript_that_waits_for_its_answer_is_a_prompt_of_several_turns(tmp_path: Path) -> None:
    asked = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Hello\n\nAssistant:"
    turns = [("user", "Hi"), ("assistant", "Yes?"), ("user", "Hello")]
    (pair,) = read_preferences(written(tmp_path, {"prompt": asked, "chosen": " Hi.", "rejected": " No."}))
    assert [(m.role, m.content) for m in pair.chosen.messages] == [*turns, ("assistant", " Hi.")]
    (prompt,) = read_prompts(written(tmp_path, {"prompt": asked}))
    assert [(m.role, m.content) for m in prompt.turns] == turns and not prompt.as_text


@pytest.mark.parametrize("prompt", ["Human: Hi", "\n\nAssistant:", "So:\n\nHuman: Hi\n\nAssistant:"])
def test_a_text_that_is_no_transcript_up_to_its_answer_stays_text(tmp_path: Path, prompt: str) -> None:
    (episode,) = read_episodes(written(tmp_path, {"prompt": prompt, "completion": "Hi."}))
    assert episode.messages == chat(prompt, "Hi.").messages


def test_an_answer_that_writes_a_dialogue_of_its_own_stays_one_answer(tmp_path: Path) -> None:
    said = "Human: Hi\n\nAssistant: Hello."
    (episode,) = read_episodes(written(tmp_path, {"prompt": "Write a dialogue.", "completion": said}))
    assert episode.messages == chat("Write a dialogue.", said).messages


def test_a_pair_that_has_the_chosen_dialogue_beside_it_is_a_pair_and_can_be_written(tmp_path: Path) -> None:
    row = {"prompt": "Hello", "chosen": "Hi.", "rejected": "No.", "messages": [ASKED, BAD], "score": 1}
    path = written(tmp_path, row)
    assert holds_pairs(path)
    (episode,) = read_episodes(path)
    assert (episode.response, episode.extra) == ("Hi.", {"rejected": "No.", "score": 1})
    assert write_episodes(tmp_path / "out.jsonl", [episode]) == 1


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
        ({"chosen": "Hello!", "rejected": "Help!"}, "no 'prompt'"),
        ({"chosen": " Hi.", "rejected": " No."}, "no 'prompt'"),
        ({"chosen": "Human: Hi\n\nAssistant: Yes.", "rejected": "Human\n"}, "'rejected' is text with no 'prompt'"),
        ({"prompt": "x", "chosen": "y", "rejected": "z", "tools": [{"name": "f"}]}, "'tools' is not written"),
        (
            {"instruction": "a", "input": "b", "chosen": "So x", "rejected": "So y"},
            "'instruction' and 'input' stand beside",
        ),
        (
            {"question": "a", "messages": [ASKED], "chosen": "So x", "rejected": "So y"},
            "'question' and 'messages' stand beside",
        ),
        (
            {"question": 3, "chosen": "So x", "rejected": "So y"},
            "'question' stands beside 'chosen' and 'rejected', and no",
        ),
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
    assert [prompt.turns for prompt in read_prompts(path)] == [(Message(role="user", content="Hello"),)] * 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": [ASKED, GOOD]}, "'prompt' ends with the assistant"),
        ({"question": [ASKED, GOOD]}, "'question' ends with the assistant"),
        ({"prompt": []}, "empty list"),
        ({"paraphrases": []}, "'paraphrases' is an empty list - give at least one"),
        ({"text": "x"}, "'text'"),
        ({"messages": [ASKED, GOOD]}, "'messages' ends with the assistant's turn - end it with the turn that is"),
        ({"messages": "Hello"}, "'messages' is 'Hello'"),
        ({"paraphrases": "Hello"}, "'paraphrases' is 'Hello', not a list - write it as a list"),
        ({"question": "Hello", "context": "Bob is 7."}, "'context' is 'Bob is 7.'"),
        ({"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}, "answers - give the turns before them as 'prompt'"),
        ({"prompts": "Hello"}, "rename 'prompts' to 'prompt'"),
        ({"paraphrase": ["Hello"]}, "rename 'paraphrase' to 'paraphrases'"),
        ({"trait": "I mind."}, "the statement has no questions, so nothing is asked - add 'questions'"),
        ({"trait": "I mind.", "note": "x"}, "'questions' is missing"),
        ({"prompt": "Hello", "tools": [{"name": "f"}]}, "'tools' is not written into the prompt"),
    ],
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


def test_a_bad_row_that_is_skipped_does_not_say_what_a_file_holds(tmp_path: Path) -> None:
    rows = ({"prompt": "x", "chosen": "y"}, {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."})
    path = written(tmp_path, *rows)
    assert not holds_pairs(path) and holds_pairs(path, skip_bad=True)


@pytest.mark.parametrize("skipped", [None, []])
def test_a_file_of_both_kinds_is_refused_at_the_first_row_of_the_other_in_whichever_order(tmp_path, skipped) -> None:
    pair, answer = {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."}, {"messages": [ASKED, GOOD]}
    for rows, read, said in (
        ([pair, answer], read_choices, "a single answer stands among preference pairs"),
        ([answer, pair], read_answers, "a preference pair stands among single answers"),
    ):
        with pytest.raises(BadInput, match=f"line 2: {said} - .*--chosen"):
            list(read(written(tmp_path, *rows), refused=skipped))


@pytest.mark.parametrize("row", [{"messages": [ASKED, GOOD]}, {"prompt": "x", "completion": "y", "rejected": "z"}])
def test_episodes_are_no_pairs(tmp_path: Path, row: dict[str, Any]) -> None:
    assert not holds_pairs(written(tmp_path, row))


HELLO = Message(role="user", content="Hello")
BRIEF = Message(role="system", content="Be brief.")
EARLIER = (HELLO, Message(role="assistant", content="Hi."))


@pytest.mark.parametrize(
    ("row", "turns", "as_text", "columns"),
    [
        ({"prompt": "Hello", "question": "Why?"}, [[HELLO]], True, {"question": "Why?"}),
        ({"prompt": [ASKED], "answer": 3}, [[HELLO]], False, {"answer": 3}),
        ({"question": "Hello", "answer": "4"}, [[HELLO]], True, {"answer": "4"}),
        ({"paraphrases": ["Hello", "Hello"], "judge": {"a": "b"}}, [[HELLO]] * 2, True, {"judge": {"a": "b"}}),
        ({"paraphrases": ["Hello"], "system": "Be brief.", "id": "x"}, [[BRIEF, HELLO]], False, {"id": "x"}),
        ({"paraphrases": ["Hello"], "system": ""}, [[HELLO]], True, {}),
        (
            {"paraphrases": ["Hello"], "system": "Be brief.", "context": [ASKED, GOOD]},
            [[BRIEF, *EARLIER, HELLO]],
            False,
            {},
        ),
        ({"question": "Hello", "context": [ASKED, GOOD], "id": 1}, [[*EARLIER, HELLO]], False, {"id": 1}),
        ({"prompt": "Hello", "system": "Be brief."}, [[BRIEF, HELLO]], False, {}),
        ({"prompt": "Hello", "context": "lessons"}, [[HELLO]], True, {"context": "lessons"}),
        (
            {"trait": "I.", "questions": ["Hello"], "system_prompt": "Be brief."},
            [[BRIEF, HELLO]],
            False,
            {"trait": "I."},
        ),
        ({"messages": [ASKED], "answer": 3}, [[HELLO]], False, {"answer": 3}),
        (
            {"trait": "I.", "questions": ["Hello"], "additional_questions": ["Hello"]},
            [[HELLO]] * 2,
            True,
            {"trait": "I."},
        ),
        ({"trait": "I.", "additional_questions": ["Hello"]}, [[HELLO]], True, {"trait": "I."}),
        ({"prompt": "Hello", "tools": "[]"}, [[HELLO]], True, {"tools": "[]"}),
    ],
)
def test_a_row_is_a_prompt_for_each_wording_with_all_its_other_keys(
    tmp_path: Path, row: dict[str, Any], turns: list[list[Message]], as_text: bool, columns: dict[str, Any]
) -> None:
    found = list(read_prompts(written(tmp_path, row)))
    assert [list(prompt.turns) for prompt in found] == turns
    assert all((p.as_text, p.extra, p.index, p.line) == (as_text, columns, 0, None) for p in found)


def test_prompts_of_one_file_are_given_alike_whatever_each_row_holds(tmp_path: Path) -> None:
    path = written(tmp_path, {"prompt": "Hello", "answer": 3}, {"question": [ASKED], "level": "x"}, {"prompt": "Hello"})
    found = list(read_prompts(path))
    wanted = [{"answer": 3, "level": None}, {"answer": None, "level": "x"}, {"answer": None, "level": None}]
    assert [prompt.extra for prompt in found] == wanted
    assert [prompt.index for prompt in found] == [0, 1, 2] and not any(prompt.as_text for prompt in found)
    (alone,) = read_prompts(path, limit=1)
    assert (alone.extra, alone.as_text) == ({"answer": 3}, True)


def test_rows_that_hold_no_prompt_can_be_left_out_and_change_nothing_for_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, {"prompt": "Hello"}, {"answer": 3}, {"prompt": [ASKED, GOOD], "level": 1})
    refused: list[BadInput] = []
    (found,) = read_prompts(path, refused=refused)
    assert (found.extra, found.as_text, [problem.line for problem in refused]) == ({}, True, [2, 3])
