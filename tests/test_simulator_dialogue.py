"""Which tokens are the response, and where the persona context goes, for every kind of template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from personae.errors import BadInput
from personae.records import Episode, Message, chat, text
from personae.simulator import Dialogue

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LINES = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n"
    "{% else %}{{ m.role | capitalize }}: {{ m.content }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
DATED = "<|im_start|>system\nToday is {{ strftime_now('%d %b %Y') }}.<|im_end|>\n" + CHATML
FICKLE = CHATML.replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\nThoughts:{% endif %}")


def tokenizer(template: str | None = None, merges: list[tuple[str, str]] | None = None) -> PreTrainedTokenizerFast:
    """Bytes as tokens, and the merges that a test asks for."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    merges = merges or []
    vocab = special + sorted(pre_tokenizers.ByteLevel.alphabet()) + ["".join(pair) for pair in merges]
    core = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocab)}, merges=merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(special)
    built = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>")
    built.chat_template = template
    return built


def parts(dialogue: Dialogue, episode: Episode, context: str = "") -> tuple[str, str]:
    """The text before the response span, and the span's."""
    ids, start = dialogue.encode(episode, context)
    decode = dialogue.tokenizer.decode
    return decode(ids[:start]), decode(ids[start:])


words = st.text(st.characters(codec="utf-8", exclude_characters="<|>", exclude_categories=["Cs"]), min_size=1)
answers = words.filter(lambda answer: bool(answer.strip()))


@given(prompt=words, answer=answers, context=words)
@pytest.mark.parametrize(
    ("template", "before", "after"), [(CHATML, "", "<|im_end|>"), (LINES, " ", "\n"), (None, " ", "\n")]
)
def test_the_span_is_the_answer_and_its_end_of_turn(
    template: str | None, before: str, after: str, prompt: str, answer: str, context: str
) -> None:
    dialogue = DIALOGUES[template]
    head, span = parts(dialogue, chat(prompt, answer), context)
    assert span == before + answer + after
    assert context in head


@given(said=words, goes_on=answers, context=words)
@pytest.mark.parametrize("template", [CHATML, LINES, None])
def test_an_open_turn_is_the_beginning_of_the_finished_one(template, said: str, goes_on: str, context: str) -> None:
    one = chat(said, goes_on).model_copy(update={"form": "open"})
    ids, start = DIALOGUES[template].encode(one, context)
    assert ids == DIALOGUES[template].encode(chat(said + goes_on, "Yes."), context).ids[: len(ids)]
    assert DIALOGUES[template].tokenizer.decode(ids[start:]).strip() == goes_on.strip()


@given(prompt=words, answer=answers, context=words)
@pytest.mark.parametrize("template", [CHATML, LINES, THINKING, None])
def test_generation_starts_where_the_span_starts(template: str | None, prompt: str, answer: str, context: str) -> None:
    dialogue = DIALOGUES[template]
    episode = chat(prompt, answer, system="Be brief.")
    ids, start = dialogue.encode(episode, context)
    assert dialogue.prompt_ids(episode.prompt, context) == ids[:start]


DIALOGUES = {template: Dialogue(tokenizer(template)) for template in (CHATML, LINES, THINKING, None)}


def test_the_context_stands_before_the_episodes_own_system_text() -> None:
    head, _ = parts(Dialogue(tokenizer(CHATML)), chat("Hi", "Yes", system="Be brief."), "You are Ann.")
    assert head == (
        "<|im_start|>system\nYou are Ann.\n\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


def told_twice(*more: Message) -> Episode:
    """A dialogue that begins with two system turns and has a third one later."""
    head = (Message(role="system", content="Be brief."), Message(role="system", content="Be kind."))
    asked = (Message(role="user", content="Hi"), Message(role="system", content="Be loud."), *more)
    return Episode(messages=(*head, *asked, Message(role="assistant", content="Yes")), index=6)


def test_system_turns_at_the_beginning_are_one_and_a_later_one_keeps_its_place() -> None:
    context = "You are Ann."
    assert "".join(parts(Dialogue(tokenizer(CHATML)), told_twice(), context)) == (
        "<|im_start|>system\nYou are Ann.\n\nBe brief.\n\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>system\nBe loud.<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>"
    )
    plain = "".join(parts(Dialogue(tokenizer()), told_twice(), context))
    assert plain == "You are Ann.\n\nBe brief.\n\nBe kind.\nUser: Hi\nSystem: Be loud.\nAssistant: Yes\n"


MOVED = (
    "{% for m in messages if m.role == 'system' %}<|im_start|>system\n{{ m.content }}<|im_end|>\n{% endfor %}"
    + CHATML.replace("in messages", "in messages if m.role != 'system'")
)
DROPPED = CHATML.replace("in messages", "in messages if m.role != 'system' or loop.first")
SPOKEN = CHATML.replace("{{ m.role }}", "{{ 'assistant' if m.role == 'system' and not loop.first else m.role }}")
REFUSED = CHATML.replace(
    "%}<|im", "%}{% if m.role == 'system' and not loop.first %}{{ raise_exception('no') }}{% endif %}<|im", 1
)


@pytest.mark.parametrize("template", [MOVED, DROPPED, SPOKEN, REFUSED])
def test_a_later_system_turn_that_the_template_does_not_keep_in_its_place_is_refused(template: str) -> None:
    more = (Message(role="assistant", content="No"), Message(role="user", content="And?"))
    for episode in (told_twice(), told_twice(*more)):
        with pytest.raises(BadInput, match="line 7: the chat template does not keep a system turn where it stands"):
            Dialogue(tokenizer(template)).encode(episode, "You are Ann.")
    assert Dialogue(tokenizer(template)).encode(chat("Hi", "Yes", system="Be brief."), "You are Ann.")


def test_without_a_system_role_the_context_heads_the_first_user_turn() -> None:
    episode = Episode(
        messages=(
            Message(role="user", content="Hi"),
            Message(role="assistant", content="Yes"),
            Message(role="user", content="And?"),
            Message(role="assistant", content="No"),
        )
    )
    head, span = parts(Dialogue(tokenizer(NO_SYSTEM)), episode, "You are Ann.")
    assert head.startswith("<|im_start|>user\nYou are Ann.\n\nHi<|im_end|>")
    assert head.count("You are Ann.") == 1
    assert span == "No<|im_end|>"


def test_the_plain_form_is_lines_with_the_context_first() -> None:
    head, span = parts(Dialogue(tokenizer()), chat("Hi", "Yes", system="Be brief."), "You are Ann.")
    assert head + span == "You are Ann.\n\nBe brief.\nUser: Hi\nAssistant: Yes\n"


def test_raw_text_is_continued_verbatim_and_has_no_end_of_turn() -> None:
    dialogue = Dialogue(tokenizer(CHATML))
    assert parts(dialogue, text("Ann said", " hello\n\n"), "A story.") == ("A story.\nAnn said", " hello\n\n")
    assert parts(dialogue, text("Ann said", " bye<|im_end|>"))[1] == " bye<|im_end|>"


def test_raw_text_with_nothing_before_it_follows_the_end_of_a_document() -> None:
    assert parts(Dialogue(tokenizer()), text("", "Once")) == ("<|endoftext|>", "Once")


def test_thinking_is_left_off() -> None:
    head, span = parts(Dialogue(tokenizer(THINKING)), chat("Hi", "Yes"))
    assert head.endswith("<think>\n\n</think>\n\n")
    assert span == "Yes<|im_end|>"


def test_a_template_that_asks_for_the_date_gets_the_same_one_every_day() -> None:
    assert "Today is 01 Jan 2026." in parts(Dialogue(tokenizer(DATED)), chat("Hi", "Yes"))[0]


def test_a_newline_glued_to_a_full_stop_is_in_the_span_and_stops_sampling() -> None:
    glued = tokenizer(merges=[(".", "Ċ")])
    dialogue = Dialogue(glued)
    ids, start = dialogue.encode(chat("Hi", "Yes."))
    assert glued.convert_ids_to_tokens(ids[-1]) == ".Ċ"
    assert glued.decode(ids[start:]) == " Yes.\n"
    assert ids[-1] in dialogue.stop_ids


def test_a_token_across_the_border_belongs_to_the_response() -> None:
    merged = tokenizer(merges=[("e", "l")])
    ids, start = Dialogue(merged).encode(text("he", "llo"))
    assert ids == merged("hello")["input_ids"]
    assert (merged.decode(ids[:start]), merged.decode(ids[start:])) == ("h", "ello")


def test_the_end_of_turn_token_stops_sampling() -> None:
    dialogue = Dialogue(tokenizer(CHATML))
    assert dialogue.stop_ids == sorted(dialogue.tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"]))


def test_an_episode_longer_than_the_window_names_its_line() -> None:
    with pytest.raises(BadInput, match=r"line 8: .* 56 tokens, and the model's window holds 40"):
        Dialogue(tokenizer()).encode(chat("Hi", "x" * 35, index=7), window=40)


def test_a_template_whose_prompt_is_no_prefix_is_refused() -> None:
    with pytest.raises(BadInput, match="line 4: the chat template writes the prompt differently"):
        Dialogue(tokenizer(FICKLE)).encode(chat("Hi", "Yes", index=3))


def test_a_template_that_refuses_the_turns_says_so_with_the_line() -> None:
    picky = "{% if messages[0].content == 'no' %}{{ raise_exception('I refuse') }}{% endif %}" + CHATML
    with pytest.raises(BadInput, match="line 3: the chat template refuses these turns: I refuse"):
        Dialogue(tokenizer(picky)).encode(chat("no", "Yes", index=2))


def test_another_layout_makes_another_digest_of_the_same_model(monkeypatch):
    from personae.simulator import dialogue, load

    model = load("lab")
    first = model.digest
    monkeypatch.setattr(dialogue, "LAYOUT", 2)
    assert model.digest != first and len(model.digest) == len(first)
    monkeypatch.setattr(dialogue, "LAYOUT", 1)
    assert model.digest == first
