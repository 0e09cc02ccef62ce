"""Sampling is from the model's own distribution, reproducible, and independent of how prompts are laid together."""

from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from personae.errors import BadInput
from personae.records import Message
from personae.simulator.local import LocalSimulator


@pytest.fixture(scope="module")
def simulator() -> LocalSimulator:
    """Random weights over a vocabulary of bytes, with a sharp head."""
    vocab = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocab)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(["<|endoftext|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>")
    torch.manual_seed(0)
    shape: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        **shape,
        num_attention_heads=4,
        max_position_embeddings=128,
        bos_token_id=None,
        eos_token_id=0,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(12.0)
    return LocalSimulator.from_parts(model, tokenizer, "tiny")


def ask(question: str) -> tuple[Message, ...]:
    return (Message(role="user", content=question),)


PROMPTS = [ask("Hi"), ask("What do you want most of all?"), ask("Why?")]


def test_the_same_seed_draws_the_same_answers(simulator: LocalSimulator) -> None:
    first = simulator.sample(PROMPTS, "You are Ann.", seed=3, max_tokens=12)
    assert simulator.sample(PROMPTS, "You are Ann.", seed=3, max_tokens=12) == first
    assert simulator.sample(PROMPTS, "You are Ann.", seed=4, max_tokens=12) != first


def test_sampling_leaves_the_callers_random_numbers_alone(simulator: LocalSimulator) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    simulator.sample(PROMPTS, max_tokens=4)
    assert (torch.rand(3) == expected).all()


def test_temperature_zero_takes_the_likeliest_token_each_time(simulator: LocalSimulator) -> None:
    for prompt, found in zip(
        ["Once", "Ann said to", "x"], simulator.continuations(["Once", "Ann said to", "x"], **GREEDY)
    ):
        ids = simulator.dialogue.prompt_ids(ask(prompt), form="text")
        start = len(ids)
        for _ in range(8):
            with torch.no_grad():
                ids = [*ids, int(simulator.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())]
        assert found == simulator.tokenizer.decode(ids[start:], skip_special_tokens=True)


GREEDY: dict[str, Any] = {"max_tokens": 8, "temperature": 0.0}


def test_an_answer_does_not_depend_on_its_neighbours(simulator: LocalSimulator) -> None:
    together = simulator.sample(PROMPTS, "You are Ann.", **GREEDY)
    assert together == [simulator.sample([prompt], "You are Ann.", **GREEDY)[0] for prompt in PROMPTS]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_have_the_models_own_frequencies(simulator: LocalSimulator, temperature: float) -> None:
    draws = 1500
    found = simulator.continuations(["Ann"] * draws, max_tokens=1, seed=1, temperature=temperature)
    ids = simulator.dialogue.prompt_ids(ask("Ann"), form="text")
    with torch.no_grad():
        logits = simulator.model(input_ids=torch.tensor([ids])).logits[0, -1].double()
    probability = (logits / temperature).softmax(-1).numpy()
    for token in probability.argsort()[::-1][:4]:
        p, text = float(probability[token]), simulator.tokenizer.decode([int(token)])
        assert found.count(text) == pytest.approx(draws * p, abs=5.0 * np.sqrt(draws * p * (1.0 - p)))


def test_the_checkpoints_own_sampling_habits_are_set_aside(simulator: LocalSimulator) -> None:
    free = simulator.sample(PROMPTS, seed=3, max_tokens=12)
    habits = GenerationConfig(do_sample=True, top_k=1, repetition_penalty=5.0)
    own, simulator.model.generation_config = simulator.model.generation_config, habits
    try:
        assert simulator.sample(PROMPTS, seed=3, max_tokens=12) == free
        assert simulator.model.generation_config is habits
    finally:
        simulator.model.generation_config = own


def test_an_answer_of_the_plain_form_is_one_line(simulator: LocalSimulator) -> None:
    answers = simulator.sample(PROMPTS * 20, seed=5, max_tokens=40)
    assert all("\n" not in answer for answer in answers)
    assert min(map(len, answers)) < max(map(len, answers))


def test_a_prompt_that_leaves_no_room_is_refused(simulator: LocalSimulator) -> None:
    with pytest.raises(
        BadInput, match=r"a text of 1\d\d tokens leaves no room for 40 more in the model's window of 128 - shorten"
    ):
        simulator.sample([ask("Hi"), ask("x" * 100)], max_tokens=40)
