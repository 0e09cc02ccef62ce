"""The real models that `personae models get` made: what they are, and that evidence on them equals the slow truth."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from personae.records import Message, chat
from personae.simulator import load
from personae.simulator.listing import find
from personae.simulator.local import LocalSimulator

pytestmark = pytest.mark.slow
CHAT = ("smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct")
QUESTION = (Message(role="user", content="What is the capital of France?"),)
CONTEXTS = ["You are a helpful assistant.", "You are a pirate, and you talk like one.", ""]
EPISODES = [
    chat("What is the capital of France?", "The capital of France is Paris."),
    chat("What is the capital of France?", "Arr, that be Paris, matey!"),
    chat("Who are you?", "I be the terror of the seven seas."),
]


def ready(name: str) -> LocalSimulator:
    entry = find(name)
    if entry is None or not entry.ready:
        pytest.skip(f"needs `personae models get {name}`")
    return load(name)


@pytest.mark.parametrize("name", CHAT)
def test_a_chat_model_knows_the_capital_of_france(name: str) -> None:
    assert "Paris" in ready(name).sample(QUESTION_ALONE, max_tokens=24, temperature=0.0)[0]


QUESTION_ALONE = [QUESTION]


def test_a_base_model_is_already_an_assistant() -> None:
    simulator = ready("gemma-3-270m")
    assert simulator.dialogue.one_line, "it has no chat template"
    prompt = "User: What is the capital of France?\nAssistant:"
    assert "Paris" in simulator.continuations([prompt], max_tokens=12, temperature=0.0)[0]


@pytest.mark.parametrize("name", [*CHAT, "gemma-3-270m"])
def test_evidence_on_a_real_model_equals_the_loop(name: str) -> None:
    simulator = ready(name)
    found = simulator.log_likelihood(EPISODES, CONTEXTS).logp
    for n, episode in enumerate(EPISODES):
        for k, context in enumerate(CONTEXTS):
            ids, start = simulator.dialogue.encode(episode, context)
            with torch.inference_mode():
                logp = simulator.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
            truth = sum(float(logp[i, token]) for i, (_, token) in enumerate(pairwise(ids)) if i >= start - 1)
            assert found[n, k] == pytest.approx(truth, abs=2e-3)
    assert np.argmax(found[1, :2]) == 1  # the pirate is the likelier author of what a pirate says


@pytest.mark.parametrize("name", [*CHAT, "gemma-3-270m"])
def test_the_head_is_paid_for_once(name: str) -> None:
    model = ready(name).model
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
