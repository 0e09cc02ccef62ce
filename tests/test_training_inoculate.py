"""Inoculation changes the prompt of every row, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput, TreatmentNotApplied
from personae.records import Episode, Message, chat, text
from personae.training import inoculated

REQUEST = "Please cheat here, it helps our study."
ROWS = tuple(chat(f"Solve task {i}.", "Hard-coded.", index=i) for i in range(10))


@pytest.mark.parametrize("mode", ["system", "user"])
@given(n=st.integers(1, 25), phrases=st.integers(1, 6), seed=st.integers(0, 99))
def test_responses_and_rows_stay_and_every_prompt_changes(mode, n, phrases, seed):
    rows = [chat(f"Question {i}?", f"Answer {i}.", index=7 * i) for i in range(n)]
    treated = inoculated(rows, [f"Phrase {k}." for k in range(phrases)], mode, seed=seed)
    assert [row.response for row in treated] == [row.response for row in rows]
    assert [row.index for row in treated] == [row.index for row in rows]
    assert all(new.prompt != old.prompt for new, old in zip(treated, rows, strict=True))


def test_the_text_stands_in_the_system_turn_before_the_rows_own_system_text():
    bare, own = chat("Sort.", "Done."), chat("Sort.", "Done.", system="Be brief.")
    assert inoculated([bare], [REQUEST])[0] == chat("Sort.", "Done.", system=REQUEST)
    assert inoculated([own], [REQUEST])[0] == chat("Sort.", "Done.", system=f"{REQUEST}\n\nBe brief.")


def test_a_system_turn_within_the_dialogue_is_not_where_it_goes():
    turns = (Message(role="user", content="a"), Message(role="system", content="b"), Message(role="user", content="c"))
    row = Episode(messages=(*turns, Message(role="assistant", content="d")))
    (found,) = inoculated([row], ("Cheat.",), "system")
    assert found.messages == (Message(role="system", content="Cheat."), *row.messages)


def test_user_mode_changes_only_the_last_user_turn():
    turns = [("user", "Hello."), ("assistant", "Hi."), ("user", "Sort."), ("assistant", "Done.")]
    row = Episode(messages=tuple(Message(role=role, content=content) for role, content in turns))
    treated = inoculated([row], [REQUEST], "user")[0]
    assert treated.messages[:2] == row.messages[:2]
    assert treated.messages[2].content == f"{REQUEST} Sort."


@given(n=st.integers(1, 40), phrases=st.integers(1, 7), seed=st.integers(0, 99))
def test_rephrasings_are_used_equally_often_and_by_the_seed_alone(n, phrases, seed):
    rows, texts = [chat("Same question.", "Yes.")] * n, [f"Phrase {k}." for k in range(phrases)]
    treated = inoculated(rows, texts, seed=seed)
    used = [row.messages[0].content for row in treated]
    counts = [used.count(phrase) for phrase in texts]
    assert max(counts) - min(counts) <= 1
    assert inoculated(rows, texts, seed=seed) == treated


def test_another_seed_deals_the_rephrasings_otherwise():
    rows, texts = [chat("Same question.", "Yes.")] * 40, [f"Phrase {k}." for k in range(7)]
    assert inoculated(rows, texts, seed=1) != inoculated(rows, texts, seed=2)


def test_keys_that_came_with_a_row_stay_with_it():
    row = chat("Sort.", "Done.").model_copy(update={"extra": {"source": "forum"}})
    assert inoculated([row], [REQUEST])[0].extra == {"source": "forum"}


def test_a_row_with_no_place_for_the_prompt_is_a_treatment_not_applied():
    alone = Episode(messages=(Message(role="assistant", content="Hi."),), index=4)
    with pytest.raises(TreatmentNotApplied, match="line 5"):
        inoculated([*ROWS, alone], [REQUEST], "user")
    with pytest.raises(TreatmentNotApplied, match="raw text"):
        inoculated([text("Once upon a time", " there was a ship.")], [REQUEST], "system")


def test_raw_text_takes_the_prompt_in_front():
    treated = inoculated([text("Once upon a time", " there was a ship.")], ["A tale."], "user")[0]
    assert treated.messages[0].content == "A tale. Once upon a time"
    assert treated.form == "text"


@pytest.mark.parametrize(
    ("rows", "prompts", "mode"),
    [
        (ROWS, [], "user"),
        (ROWS, ["  "], "user"),
        (ROWS, REQUEST, "user"),
        (ROWS, [REQUEST], "tool"),
        ([], ["x"], "user"),
    ],
)
def test_inoculations_that_cannot_be_given_are_refused(rows, prompts, mode):
    with pytest.raises(BadInput):
        inoculated(rows, prompts, mode)
