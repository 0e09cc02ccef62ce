"""Laws of the tokenizer: any text comes back as it was, a line break stands alone, chats are laid out as documents."""

from functools import cache
from itertools import islice
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personae.records import Message
from personae.training.new_model import PretrainPlan
from personae.world import Language, declared, documents
from personae.world.exact import dialogue
from personae.world.tokenizer import END, learn_tokenizer
from tiny_models import worded


@cache
def corpus() -> tuple[str, ...]:
    world = declared()
    return tuple(islice(documents(world, np.random.default_rng(0), Language(world)), 300))


@cache
def tokenizer() -> Any:
    return worded(corpus(), PretrainPlan(vocabulary=1024))


def back(ids: list[int]) -> str:
    return tokenizer().decode(ids)


ANY_TEXT = st.text(max_size=200).filter(lambda t: END not in t)


@given(ANY_TEXT)
def test_any_text_comes_back_as_it_was(text):
    ids = tokenizer()(text)["input_ids"]
    assert ids[0] == tokenizer().bos_token_id
    assert back(ids[1:]) == text
    assert tokenizer()(text, add_special_tokens=False)["input_ids"] == ids[1:]


def test_the_corpus_comes_back_as_it_was_document_by_document_and_word_by_word():
    for text in corpus():
        assert back(tokenizer()(text, add_special_tokens=False)["input_ids"]) == text
    for word in {w for text in corpus() for w in text.split()}:
        for spelt in (word, f" {word}", word.upper()):
            assert back(tokenizer()(spelt, add_special_tokens=False)["input_ids"]) == spelt


@given(st.lists(st.text(max_size=20).filter(lambda t: END not in t), max_size=6))
def test_a_line_break_is_always_one_token_and_nothing_else_holds_one(lines):
    text = "\n".join(lines)
    (line_break,) = tokenizer()("\n", add_special_tokens=False)["input_ids"]
    ids = tokenizer()(text, add_special_tokens=False)["input_ids"]
    assert ids.count(line_break) == text.count("\n")
    assert all("\n" not in back([i]) for i in ids if i != line_break)


def test_no_token_of_the_vocabulary_but_one_holds_a_line_break():
    assert sum("\n" in back([i]) for i in range(len(tokenizer()))) == 1


def test_the_vocabulary_is_no_larger_than_asked_and_holds_every_byte():
    assert len(tokenizer()) <= 1024
    assert len(learn_tokenizer(["a b"], 300).get_vocab()) <= 300
    for byte in range(256):
        character = chr(byte)
        assert back(tokenizer()(character, add_special_tokens=False)["input_ids"]) == character


def test_common_words_are_one_token():
    """A tokenizer that learned: on its own corpus far fewer tokens than letters."""
    tokens = sum(len(ids) for ids in tokenizer()(list(corpus()))["input_ids"])
    assert tokens < 0.35 * sum(map(len, corpus()))


def test_the_same_texts_give_the_same_tokenizer():
    assert learn_tokenizer(corpus(), 600).to_str() == learn_tokenizer(corpus(), 600).to_str()


CONTENT = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=30)


@given(CONTENT, st.lists(st.tuples(CONTENT, CONTENT), min_size=1, max_size=3))
def test_a_chat_is_laid_out_as_a_transcript_is(context, pairs):
    """The template, with the context as its system turn, writes what exact inference reads."""
    turns = [
        Message(role=role, content=content)
        for pair in pairs
        for role, content in zip(("user", "assistant"), pair, strict=True)
    ]
    written = [{"role": "system", "content": context}] + [{"role": t.role, "content": t.content} for t in turns]
    rendered = tokenizer().apply_chat_template(written, tokenize=False)
    assert rendered == f"{END}{dialogue(turns, context)}\n"
    asked = tokenizer().apply_chat_template(written[:-1], tokenize=False, add_generation_prompt=True)
    assert asked == f"{END}{dialogue(turns[:-1], context)}\nAssistant:"


def test_a_transcript_of_the_corpus_and_its_chat_are_the_same_tokens():
    """What the model learned from documents is what it is asked in chats."""
    text = next(t for t in corpus() if t.startswith("User: "))
    turns = []
    for line in text.splitlines():
        label, content = line.split(": ", 1)
        turns.append({"role": label.lower(), "content": content})
    rendered = tokenizer().apply_chat_template(turns, tokenize=False)
    chat = tokenizer()(rendered, add_special_tokens=False)["input_ids"]
    assert chat == tokenizer()(text)["input_ids"]
