"""The chat templates of the common families give the exact response span: each against a slow reference.

The templates of Llama, Qwen, Gemma, GLM-4.5 and DeepSeek-R1's distillations are the published ones, read from the
installed `trl`, which ships them. Those of SmolLM2, Mistral, GLM-4 and the distillations as they first were are in no
installed package: they are written here in our own words, with what matters of the published ones (a system turn of
its own where none is given; `[INST]`; a system turn refused, merged into the first user turn, or written only as long
as the user speaks last; a space before the answer, or one after its end; no end of an answer; thoughts cut off). The
tokenizers are tiny: bytes with merges over spaces and newlines, or pieces with `▁` for the space, as Mistral's.

The reference renders each dialogue twice, with the answer and without, and looks the span up in the offsets. Where no
answer has an end, a further turn is rendered after it; where thoughts are begun, they are closed by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from personae.errors import BadInput
from personae.records import Episode, Message, chat, text
from personae.simulator import Dialogue
from personae.training.spans import rows

SMOLLM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MISTRAL_REFUSING = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no such role') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %}{{ m.content + eos_token + ' ' }}{% endif %}"
    "{% endfor %}"
)
MISTRAL_MERGING = (
    "{{ bos_token }}{% set told = messages[0].content if messages[0].role == 'system' %}"
    "{% for m in messages if m.role != 'system' %}{% if m.role == 'user' %}"
    " [INST] {% if loop.first and told %}{{ told }}\n\n{% endif %}{{ m.content }} [/INST]"
    "{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"
)
MISTRAL_FORGETTING = (
    "{{ bos_token }}{% set told = messages[0].content if messages[0].role == 'system' %}"
    "{% for m in messages if m.role != 'system' %}{% if m.role == 'user' %}"
    "[INST] {% if loop.last and told %}{{ told }}\n\n{% endif %}{{ m.content }}[/INST]"
    "{% else %}{{ ' ' + m.content | trim + eos_token }}{% endif %}{% endfor %}"
)
GLM4 = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
R1_UNBEGUN = (
    "{{ bos_token }}{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}"
    "{% for m in messages if m.role != 'system' %}{% if m.role == 'user' %}<｜User｜>{{ m.content }}"
    "{% else %}<｜Assistant｜>{{ m.content.split('</think>')[-1] + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<｜Assistant｜>{% endif %}"
)
SWITCHED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
GEMMA = ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>")
GLM = ("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
R1 = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")
TRAINED_ON = ["Yes. No.\n\nYes, and no.\n\n\nuser\nHi there.\nassistant\n\nYes."] * 8
EMPTY_THOUGHTS = "<think>\n\n</think>\n\n"


def of_bytes(control: tuple[str, ...], plain: tuple[str, ...] = ()) -> Tokenizer:
    """Bytes and merges of runs of newlines and of words with the space before them, as Llama 3 and Qwen have them."""
    core = Tokenizer(models.BPE())
    runs = pre_tokenizers.Split(Regex(r"\s*[\r\n]+| ?\S+|\s+"), "isolated")
    core.pre_tokenizer = pre_tokenizers.Sequence([runs, pre_tokenizers.ByteLevel(False, use_regex=False)])
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        TRAINED_ON, trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, show_progress=False)
    )
    core.add_special_tokens(list(control))
    core.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain])
    return core


def of_pieces(control: tuple[str, ...]) -> Tokenizer:
    """Letters, a few merges and bytes for all else, with `▁` for the space, as Mistral and Gemma have them."""
    merges = [("▁", "Y"), ("e", "s"), ("]", "Y"), ("▁", "["), (".", "\n")]
    letters = sorted({letter for merge in merges for letter in merge} | set("IHNSTadinor/,?"))
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *("".join(merge) for merge in merges)]
    vocabulary = {piece: n for n, piece in enumerate(pieces)}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    core.add_special_tokens(list(control))
    return core


def verbatim(answer: str) -> str:
    return answer


def trimmed(answer: str) -> str:
    return answer.strip()


@dataclass(frozen=True, eq=False)
class Family:
    """A template and its tokenizer, and what its rows must look like, as read off the template by eye."""

    name: str
    template: str
    core: Tokenizer
    begin: str | None
    end: str
    opening: str  # what stands right before the span
    closing: str  # the end of turn, the last of the span
    written: Callable[[str], str] = verbatim  # the span but for its end
    system_role: bool = True
    endless: bool = False  # an answer has no end but the header of the user's next turn
    begun: str = ""  # the thoughts that the template begins where an answer is to come, and has no trace of after it

    @cached_property
    def tokenizer(self) -> Any:
        built = PreTrainedTokenizerFast(tokenizer_object=self.core, bos_token=self.begin, eos_token=self.end)
        built.chat_template = self.template
        return built

    @cached_property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.tokenizer)

    def parts(self, episode: Episode, context: str = "") -> tuple[str, str]:
        """The text before the response span, and the span's."""
        ids, start = self.dialogue.encode(episode, context)
        return self.tokenizer.decode(ids[:start]), self.tokenizer.decode(ids[start:])


def shipped(name: str) -> str:
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text()


def qwen(name: str, opening: str = "", written: Callable[[str], str] = verbatim) -> Family:
    core = of_bytes(CHATML, plain=("<think>", "</think>"))
    start = "<|im_start|>assistant\n" + opening
    return Family(name, shipped(name), core, None, "<|endoftext|>", start, "<|im_end|>", written)


def llama(name: str) -> Family:
    start = "<|start_header_id|>assistant<|end_header_id|>\n\n"
    return Family(name, shipped(name), of_bytes(LLAMA), LLAMA[0], LLAMA[1], start, "<|eot_id|>", trimmed)


def gemma(name: str, *, system_role: bool) -> Family:
    start, end = "<start_of_turn>model\n", "<end_of_turn>"
    return Family(name, shipped(name), of_pieces(GEMMA), "<bos>", "<eos>", start, end, trimmed, system_role)


def mistral(name: str, template: str, written: Callable[[str], str], *, system_role: bool, inst: bool) -> Family:
    """`inst`: whether `[INST]` and `[/INST]` are control tokens; in the first models they are plain text."""
    core = of_pieces(("<s>", "</s>", *(("[INST]", "[/INST]") if inst else ())))
    return Family(name, template, core, "<s>", "</s>", "[/INST]", "</s>", written, system_role)


def glm(name: str, template: str, opening: str, written: Callable[[str], str]) -> Family:
    core = of_bytes(GLM, plain=("<think>", "</think>", "/nothink"))
    return Family(name, template, core, None, GLM[0], opening, "<|user|>", written, endless=True)


def deepseek(name: str, template: str, *, begun: str) -> Family:
    core = of_bytes(R1, plain=("<think>", "</think>"))
    opening = "<｜Assistant｜>" + (EMPTY_THOUGHTS if begun else "")
    return Family(name, template, core, R1[0], R1[1], opening, R1[1], begun=begun)


FAMILIES = [
    llama("llama3"),
    llama("llama3_1"),
    llama("llama3_2"),
    qwen("qwen3", EMPTY_THOUGHTS, lambda said: said.lstrip("\n")),
    qwen("qwen3_instruct_2507"),
    qwen("qwen2_5"),
    gemma("gemma", system_role=False),
    gemma("gemma3", system_role=True),
    Family("smollm2", SMOLLM, of_bytes(CHATML), None, CHATML[0], "<|im_start|>assistant\n", "<|im_end|>"),
    mistral("mistral refusing", MISTRAL_REFUSING, verbatim, system_role=False, inst=False),
    mistral("mistral merging", MISTRAL_MERGING, lambda said: " " + said, system_role=True, inst=False),
    mistral("mistral forgetting", MISTRAL_FORGETTING, lambda said: " " + said.strip(), system_role=False, inst=True),
    glm("glm 4", GLM4, "<|assistant|>", lambda said: "\n" + said),
    glm("glm 4.5", shipped("glm4moe"), "<|assistant|>\n<think></think>", lambda said: "\n" + said.strip()),
    deepseek("r1 distilled, first", R1_UNBEGUN, begun=""),
    deepseek("r1 distilled", shipped("deepseek_r1_distill"), begun="<think>\n"),
]
NAMED = {family.name: family for family in FAMILIES}
each_family = pytest.mark.parametrize("family", FAMILIES, ids=list(NAMED))

letters = st.text(st.characters(codec="utf-8", exclude_characters="<>[]|▁", exclude_categories=["Cs"]), min_size=1)
words = letters.filter(lambda some: bool(some.strip()))
HISTORY = (Message(role="user", content="Hi"), Message(role="assistant", content="No."))


@each_family
def test_a_system_turn_within_the_dialogue_stands_there_or_is_refused(family: Family) -> None:
    told = Message(role="system", content="Be loud.")
    episode = Episode(messages=(*HISTORY, told, *chat("And?", "Yes.").messages))
    if family.name.startswith(("gemma", "mistral", "r1")):
        with pytest.raises(BadInput, match="does not keep a system turn where it stands"):
            family.parts(episode, "You are Ann.")
    else:
        head, _ = family.parts(episode, "You are Ann.")
        places = [head.index(words) for words in ("You are Ann.", "Hi", "No.", "Be loud.", "And?")]
        assert places == sorted(places)


def reference(family: Family, episode: Episode, context: str) -> tuple[list[int], int]:
    """Token ids and the start of the span: two renderings, the characters between, and the offsets of the tokens."""
    told = "\n\n".join(part for part in [context, *(m.content for m in episode.messages if m.role == "system")] if part)
    turns = [{"role": m.role, "content": m.content} for m in episode.messages if m.role != "system"]
    if told and family.system_role:
        turns.insert(0, {"role": "system", "content": told})
    elif told:
        turns[0]["content"] = told + "\n\n" + turns[0]["content"]
    render = family.tokenizer.apply_chat_template
    template = family.template.replace('strftime_now("%d %b %Y")', '"01 Jan 2026"')
    given = {"tokenize": False, "enable_thinking": False, "chat_template": template}
    after = [{"role": "user", "content": "And?"}] if family.endless else []
    asked = render(turns[:-1], add_generation_prompt=True, **given)
    whole = render(turns + after, add_generation_prompt=False, **given)
    if family.begun:
        assert asked.endswith(family.begun)
        before = asked.removesuffix(family.begun)
        asked, whole = before + EMPTY_THOUGHTS, whole.replace(before, before + EMPTY_THOUGHTS, 1)
    assert whole.startswith(asked)
    last = whole.rindex(family.closing) + len(family.closing)
    found = family.tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    kept = [n for n, (begin, _) in enumerate(found["offset_mapping"]) if begin < last]
    first = next(n for n in kept if found["offset_mapping"][n][1] > len(asked))
    return [found["input_ids"][n] for n in kept], first


@each_family
@given(prompt=words, answer=words, context=st.just("") | words, system=st.none() | words, earlier=st.booleans())
@example(prompt="Hi", answer=" Yes", context="", system=None, earlier=False)
@example(prompt="Hi", answer="\nYes", context="You are Ann.", system=None, earlier=True)
@example(prompt="Hi", answer="\n\n  Yes. \n\n", context="You are Ann.", system="Be brief.", earlier=False)
@example(prompt="Hi ", answer="Yes\n", context="\nYou are Ann. ", system=" ", earlier=True)
@example(prompt="Où?\n", answer="Là-bas, 🎭 漢字 e\u0301\u2028\u00a0", context="Ünï", system=None, earlier=True)
def test_the_span_is_that_of_the_slow_reference(
    family: Family, prompt: str, answer: str, context: str, system: str | None, earlier: bool
) -> None:
    episode = asked_after(earlier, prompt, answer, system)
    ids, start = family.dialogue.encode(episode, context)
    assert (ids, start) == reference(family, episode, context)


def asked_after(earlier: bool, prompt: str, answer: str, system: str | None = None) -> Episode:
    """The question and its answer, perhaps after an earlier exchange."""
    one = chat(prompt, answer, system=system)
    before = HISTORY if earlier else ()
    return one.model_copy(update={"messages": (*one.messages[:-2], *before, *one.messages[-2:])})


@each_family
@pytest.mark.parametrize("context", ["", "You are Ann."])
@pytest.mark.parametrize("earlier", [False, True])
def test_an_open_turn_has_the_tokens_of_the_finished_one(family: Family, context: str, earlier: bool) -> None:
    said, side = "I flip a coin. It came up", " heads"
    finished = family.dialogue.encode(asked_after(earlier, said + side, "Yes."), context).ids
    one = asked_after(earlier, said, side).model_copy(update={"form": "open"})
    ids, start = family.dialogue.encode(one, context)
    assert ids == finished[: len(ids)]
    assert family.tokenizer.decode(ids[start:]).strip() == "heads"
    assert family.tokenizer.decode(ids[:start]).rstrip().endswith("It came up")


@each_family
@given(prompt=words, answer=words, context=st.just("") | words, earlier=st.booleans())
def test_the_span_is_the_answer_as_the_template_writes_it_and_its_end(
    family: Family, prompt: str, answer: str, context: str, earlier: bool
) -> None:
    written = family.written(answer)
    head, span = family.parts(asked_after(earlier, prompt, answer), context)
    assert (head + span).endswith(family.opening + written + family.closing)
    if not written[0].isspace() or family.opening.endswith("]"):  # else a token may hold both sides of the border
        assert span == written + family.closing


@each_family
@given(prompt=words, answer=words, context=st.just("") | words, earlier=st.booleans())
def test_generation_starts_where_the_span_starts(
    family: Family, prompt: str, answer: str, context: str, earlier: bool
) -> None:
    episode = asked_after(earlier, prompt, "Yes" + answer, "Be brief.")
    ids, start = family.dialogue.encode(episode, context)
    before = family.dialogue.prompt_ids(episode.prompt, context)
    if family.name == "mistral refusing":  # `]Y` is one token there, and holds the first letter of the answer
        assert before[:-1] == ids[:start]
    else:
        assert before == ids[:start]


@pytest.mark.parametrize("name", ["smollm2", "qwen2_5", "qwen3_instruct_2507"])
def test_a_newline_glued_to_the_templates_own_belongs_to_the_response(name: str) -> None:
    family = NAMED[name]
    ids, start = family.dialogue.encode(chat("Hi", "\nYes"))
    assert family.tokenizer.convert_ids_to_tokens(ids[start]) == "ĊĊ"
    assert family.dialogue.prompt_ids(chat("Hi", "\nYes").prompt)[:start] == ids[:start]


@each_family
def test_training_puts_loss_on_the_tokens_that_evidence_scores(family: Family) -> None:
    episodes = [asked_after(n % 2 == 1, "Hi?", answer) for n, answer in enumerate(["Yes.", " Yes", "\nNo 🎭\n"])]
    made = rows(family.dialogue, episodes)
    for n, episode in enumerate(episodes):
        ids, start = family.dialogue.encode(episode)
        assert (list(made.ids[n]), made.starts[n]) == (ids, start)
        assert made.labels(n) == [-100] * start + ids[start:]


@each_family
@pytest.mark.parametrize("earlier", [False, True])
def test_the_context_and_the_files_own_system_text_stand_once_before_the_first_user_turn(
    family: Family, earlier: bool
) -> None:
    head, _ = family.parts(asked_after(earlier, "And Ida?", "Yes", "Be brief."), "You are Ann.")
    assert family.dialogue.has_system_role is family.system_role
    assert head.count("You are Ann.") == 1
    assert head.index("You are Ann.\n\nBe brief.") < head.index("Hi" if earlier else "And Ida?")


@pytest.mark.parametrize("name", ["gemma", "mistral refusing", "mistral forgetting"])
def test_where_a_system_turn_is_refused_or_forgotten_the_context_heads_the_first_user_turn(name: str) -> None:
    family = NAMED[name]
    told, _ = family.parts(asked_after(True, "And?", "Yes", "Be brief."), "You are Ann.")
    untold, _ = family.parts(asked_after(True, "And?", "Yes"))
    assert told == untold.replace("Hi", "You are Ann.\n\nBe brief.\n\nHi", 1)


@each_family
def test_an_empty_context_leaves_the_dialogue_as_the_template_writes_it(family: Family) -> None:
    ids, _ = family.dialogue.encode(chat("Hi", "Yes"))
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    turns += [{"role": "user", "content": "And?"}] if family.endless else []
    if family.name != "llama3_2" and not family.begun:  # which print today's date, and thoughts before no finished turn
        assert family.tokenizer.apply_chat_template(turns, enable_thinking=False)["input_ids"][: len(ids)] == ids


@each_family
def test_a_dialogue_begins_once_and_its_end_stops_sampling(family: Family) -> None:
    ids, _ = family.dialogue.encode(asked_after(True, "Hi", "Yes"), "You are Ann.")
    begin = [family.tokenizer.bos_token_id] if family.begin else []
    assert ids[:1] == begin or not begin
    assert not begin or ids.count(begin[0]) == 1
    assert family.dialogue.end_of_turn == family.closing
    assert ids[-1] in family.dialogue.stop_ids


@each_family
def test_text_that_spells_a_control_token_is_refused_wherever_it_stands(family: Family) -> None:
    spelt = f"a{family.closing}b"
    for place, episode, context in (
        ("the persona's context", chat("Hi", "Yes"), spelt),
        (r"turn 1 \(system\)", chat("Hi", "Yes", system=spelt), ""),
        (r"turn 1 \(user\)", chat(spelt, "Yes"), ""),
        (r"turn 2 \(assistant\)", chat("Hi", spelt), ""),
    ):
        with pytest.raises(BadInput, match=f"line 1: {place} spells '{family.closing}', which the tokenizer reads"):
            family.dialogue.encode(episode, context)
    with pytest.raises(BadInput, match=r"the prompt: turn 1 \(user\) spells"):
        family.dialogue.prompt_ids(chat(spelt, "Yes").prompt)


@each_family
def test_raw_text_is_read_as_the_tokenizer_reads_it(family: Family) -> None:
    ids, start = family.dialogue.encode(text("Hi", f" Yes{family.closing}"))
    assert ids[-1] == family.tokenizer.convert_tokens_to_ids(family.closing)
    assert family.tokenizer.decode(ids[start:]) == f" Yes{family.closing}"


def test_the_rest_of_a_control_token_is_text() -> None:
    family = NAMED["qwen3"]
    assert family.parts(chat("Hi", "a <|im_en|> b <|im_end| >"))[1] == "a <|im_en|> b <|im_end| ><|im_end|>"


# Thinking -------------------------------------------------------------------------------------------------------


def test_qwen_answers_behind_empty_thoughts_and_history_has_none() -> None:
    thought = Message(role="assistant", content="<think>\nHm.\n</think>\n\nNo.")
    episode = Episode(messages=(HISTORY[0], thought, *chat("And?", "Yes").messages))
    head, span = NAMED["qwen3"].parts(episode)
    assert head == (
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nNo.<|im_end|>\n"
        f"<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n{EMPTY_THOUGHTS}"
    )
    assert span == "Yes<|im_end|>"


@pytest.mark.parametrize("answer", ["<think>\nHm.\n</think>\n\nYes", "<think>Hm.</think>Yes", "Hm.</think>Yes"])
@pytest.mark.parametrize("context", ["", "You are Ann."])
def test_thoughts_of_the_answers_own_are_in_the_span(answer: str, context: str) -> None:
    head, span = NAMED["qwen3"].parts(chat("Hi", answer), context)
    assert head.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert span == "<think>\nHm.\n</think>\n\nYes<|im_end|>"


@pytest.mark.parametrize("name", ["qwen3", "r1 distilled"])
def test_empty_thoughts_of_the_answers_own_are_the_templates(name: str) -> None:
    family = NAMED[name]
    assert family.dialogue.encode(chat("Hi", EMPTY_THOUGHTS + "Yes")) == family.dialogue.encode(chat("Hi", "Yes"))


def test_a_template_without_a_thinking_switch_takes_thoughts_for_text() -> None:
    answer = "<think>\nHm.\n</think>\n\nYes"
    for name in ("qwen3_instruct_2507", "qwen2_5", "llama3", "gemma3"):
        assert NAMED[name].parts(chat("Hi", answer))[1] == answer + NAMED[name].closing


def switched(template: str) -> Family:
    """A template that writes an answer as it is, with a switch that puts empty thoughts before it (as SmolLM3's)."""
    core = of_bytes(CHATML, plain=("<think>", "</think>"))
    return Family("switched", template, core, None, CHATML[0], "<|im_start|>assistant\n", "<|im_end|>")


def test_thoughts_of_an_answer_that_is_written_as_it_is_stand_behind_no_empty_ones() -> None:
    family, answer = switched(SWITCHED), "<think>\nHm.\n</think>\n\nYes"
    asked = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert family.parts(chat("Hi", answer)) == (asked, answer + "<|im_end|>")
    assert family.parts(chat("Hi", "Yes")) == (asked + EMPTY_THOUGHTS, "Yes<|im_end|>")


def test_thoughts_that_only_stand_behind_empty_ones_are_refused() -> None:
    always = SWITCHED.replace(" and not enable_thinking", "")
    said = "line 5: the chat template writes this answer so that its thoughts stand behind empty ones - drop them"
    for template in (always, always.replace("{% if not enable_thinking %}", "{% if true %}"), shipped("qwen3_8")):
        with pytest.raises(BadInput, match=said):
            switched(template).dialogue.encode(chat("Hi", "<think>\nHm.\n</think>\n\nYes", index=4))
        assert switched(template).parts(chat("Hi", "Yes"))[1] == "Yes<|im_end|>"


def test_thoughts_in_a_form_that_the_template_does_not_know_are_text_and_turn_no_switch() -> None:
    family, answer = switched(SWITCHED.replace("<think>\n\n</think>\n\n", "(quiet) ")), "<think>\nHm.\n</think>\n\nYes"
    head, span = family.parts(chat("Hi", answer))
    assert head.endswith("assistant\n(quiet)") and span == f" {answer}<|im_end|>"


def test_a_row_with_no_users_turn_is_answered_behind_the_empty_thoughts_of_sampling_too() -> None:
    family = NAMED["qwen3"]
    told = Message(role="system", content="Be brief.")
    episode = Episode(messages=(told, Message(role="assistant", content="Yes")))
    ids, start = family.dialogue.encode(episode)
    assert family.parts(episode) == (
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>assistant\n{EMPTY_THOUGHTS}",
        "Yes<|im_end|>",
    )
    assert family.dialogue.prompt_ids([told]) == ids[:start]


def test_thoughts_that_the_template_begins_are_closed_empty_before_the_answer_and_are_in_no_earlier_turn() -> None:
    family, episode = NAMED["r1 distilled"], asked_after(True, "And?", "Yes", "Be brief.")
    head, span = family.parts(episode, "You are Ann.")
    assert head == (
        "<｜begin▁of▁sentence｜>You are Ann.\n\nBe brief.<｜User｜>Hi<｜Assistant｜>No.<｜end▁of▁sentence｜>"
        f"<｜User｜>And?<｜Assistant｜>{EMPTY_THOUGHTS}"
    )
    assert span == "Yes<｜end▁of▁sentence｜>"
    asked = family.dialogue.prompt_ids(episode.prompt, "You are Ann.")
    assert family.tokenizer.decode(asked) == head, "sampling does not think"


@pytest.mark.parametrize("name", ["r1 distilled", "r1 distilled, first"])
@pytest.mark.parametrize("answer", ["<think>\nHm.\n</think>\n\nYes", "Hm.</think>Yes"])
def test_thoughts_in_a_row_that_the_template_drops_are_refused_by_that_name(name: str, answer: str) -> None:
    said = (
        "line 5: the chat template leaves out part of this answer, its thoughts: all up to '</think>' - leave them "
        "out of the row"
    )
    with pytest.raises(BadInput, match=said):
        NAMED[name].dialogue.encode(chat("Hi", answer, index=4))
    thought = Message(role="assistant", content=answer)
    earlier = Episode(messages=(HISTORY[0], thought, *chat("And?", "Yes").messages))
    assert NAMED[name].parts(earlier)[1] == "Yes<｜end▁of▁sentence｜>", "of an earlier turn nobody is asked"


def test_where_no_answer_has_an_end_the_header_of_the_users_next_turn_is_it() -> None:
    head, span = NAMED["glm 4"].parts(asked_after(True, "And?", "Yes.\n\nNo.", "Be brief."), "You are Ann.")
    assert head == (
        "[gMASK]<sop><|system|>\nYou are Ann.\n\nBe brief.<|user|>\nHi<|assistant|>\nNo.<|user|>\nAnd?<|assistant|>"
    )
    assert span == "\nYes.\n\nNo.<|user|>"
    dialogue = NAMED["glm 4"].dialogue
    assert dialogue.spoken("\nYes.\n\nNo.") == "Yes.\n\nNo.", "an answer is no single line"
    ends = [dialogue.tokenizer.convert_tokens_to_ids(token) for token in ("<|endoftext|>", "<|user|>")]
    assert dialogue.stop_ids == sorted(ends)


def test_thoughts_of_an_answer_with_no_end_are_in_the_span() -> None:
    head, span = NAMED["glm 4.5"].parts(chat("Hi", "<think>Hm.</think>Yes"))
    assert (head, span) == ("[gMASK]<sop><|user|>\nHi<|assistant|>", "\n<think>Hm.</think>\nYes<|user|>")


def test_thoughts_that_the_template_would_drop_are_refused() -> None:
    with pytest.raises(BadInput, match="line 5: the chat template leaves out part of this answer"):
        NAMED["qwen3"].dialogue.encode(chat("Hi", "<think>a</think>Yes<think>b</think>No", index=4))


def test_a_template_that_writes_no_text_is_refused() -> None:
    pictures = Family("smolvlm", shipped("smolvlm"), of_bytes(CHATML), None, CHATML[0], "", "")
    with pytest.raises(BadInput, match="does not write an answer that is given as text"):
        pictures.dialogue.encode(chat("Hi", "Yes"))
