"""Hidden states against the whole model's own, one row at a time; probes that find again what is in the states."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from personae.errors import BadInput
from personae.interpret import Look, fit_probe
from personae.interpret.states import blocks, looked, mean_states, states_before
from personae.records import Episode, Message
from personae.simulator.dialogue import Encoded
from personae.simulator.local import LocalSimulator
from personae.training.new_model import PretrainPlan, new_model
from personae.world import ExactSimulator, declared

LAYERS, WIDTH = 3, 16
ROWS = [
    ((Message(role="user", content="Who broke the window?"),), ""),
    ((Message(role="user", content="Who lost the key?"),), "The assistant is an honest clerk in a small office."),
    (
        (
            Message(role="user", content="What cures the red fever?"),
            Message(role="assistant", content="I do not know that."),
            Message(role="user", content="What cures the ship fever?"),
        ),
        "",
    ),
]


@pytest.fixture(scope="module")
def simulator(tiny_lab):
    tokenizer = AutoTokenizer.from_pretrained(tiny_lab)
    torch.manual_seed(0)
    model = new_model(PretrainPlan(width=WIDTH, layers=LAYERS, heads=2, vocabulary=600), tokenizer).eval()
    return LocalSimulator.from_parts(model, tokenizer, "three blocks")


@pytest.mark.parametrize("layer", range(LAYERS - 1))
def test_states_of_rows_read_together_are_those_of_each_read_alone(simulator, layer):
    found = states_before(simulator, ROWS, layer)
    assert found.shape == (len(ROWS), WIDTH)
    for row, (turns, context) in zip(found, ROWS, strict=True):
        ids = torch.tensor([simulator.dialogue.prompt_ids(turns, context)])
        with torch.inference_mode():
            whole = simulator.model(input_ids=ids, output_hidden_states=True).hidden_states
        assert np.allclose(row, whole[layer + 1][0, -1].numpy(), atol=1e-5)  # the first is that of the embedding


def test_the_last_block_is_read_before_the_norm_that_follows_it(simulator):
    found = states_before(simulator, ROWS[:1], LAYERS - 1)
    ids = torch.tensor([simulator.dialogue.prompt_ids(*ROWS[0])])
    with torch.inference_mode():
        normed = simulator.model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0, -1]
        assert torch.allclose(simulator.model.model.norm(torch.tensor(found[0]).float()), normed, atol=1e-5)


def test_reading_leaves_no_hook_behind(simulator):
    before = [dict(block._forward_hooks) for block in blocks(simulator)]  # transformers may have its own
    states_before(simulator, ROWS, 0)
    mean_states(simulator, answered(simulator))
    assert [dict(block._forward_hooks) for block in blocks(simulator)] == before


def test_a_pass_that_breaks_off_leaves_no_hook_behind(simulator, monkeypatch):
    before = [dict(block._forward_hooks) for block in blocks(simulator)]
    monkeypatch.setattr("personae.interpret.states.padded", lambda ids, device: (torch.tensor([[10**6]]), None))
    with pytest.raises(IndexError):
        states_before(simulator, ROWS, 0)
    assert [dict(block._forward_hooks) for block in blocks(simulator)] == before


def test_blocks_in_two_lists_and_no_rows_at_all_are_refused(simulator):
    with pytest.raises(BadInput, match="no rows"):
        states_before(simulator, [], 0)
    other = copy.deepcopy(simulator.model)
    inner = other.model.layers[0]
    inner.experts = torch.nn.ModuleList(torch.nn.Identity() for _ in range(LAYERS))  # within a block: not its like
    found = blocks(LocalSimulator.from_parts(other, simulator.tokenizer, "experts"))
    assert found == list(other.model.layers)
    other.model.norms = torch.nn.ModuleList(torch.nn.Identity() for _ in range(LAYERS))
    with pytest.raises(BadInput, match="not in one list"):
        blocks(LocalSimulator.from_parts(other, simulator.tokenizer, "two lists"))


def answered(simulator, answers=("It was the tall clerk who broke it.", "No.", "Rest and water.")):
    """Each row with an answer."""
    episodes = [
        (Episode(messages=(*turns, Message(role="assistant", content=answer))), context)
        for (turns, context), answer in zip(ROWS, answers, strict=True)
    ]
    return [simulator.dialogue.encode(episode, context) for episode, context in episodes]


@pytest.mark.parametrize("together", [True, False])
def test_mean_states_are_those_of_each_answer_read_alone_by_the_whole_model(simulator, together, monkeypatch):
    """All in one batch, and in batches of one."""
    monkeypatch.setattr("personae.interpret.states.BATCH_TOKENS", 2048 if together else 1)
    rows = answered(simulator)
    found = mean_states(simulator, rows)
    assert found.shape == (len(rows), LAYERS, WIDTH)
    for means, row in zip(found, rows, strict=True):
        with torch.inference_mode():
            whole = simulator.model(input_ids=torch.tensor([row.ids]), output_hidden_states=True).hidden_states
        for layer in range(LAYERS - 1):  # of the last, Hugging Face shows what the norm made
            assert np.allclose(means[layer], whole[layer + 1][0, row.start :].mean(0).numpy(), atol=1e-5)


def test_the_mean_over_an_answer_of_one_token_is_the_state_before_what_follows(simulator):
    """The last block too, which both take before the norm."""
    ids = simulator.dialogue.prompt_ids(*ROWS[0])
    (means,) = mean_states(simulator, [Encoded(ids, len(ids) - 1)])
    for layer in range(LAYERS):
        assert np.allclose(means[layer], states_before(simulator, ROWS[:1], layer)[0], atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_an_adapter_around_a_model_changes_its_states_and_one_that_does_nothing_does_not(simulator, tiny_lab):
    from peft import LoraConfig, get_peft_model

    tokenizer = AutoTokenizer.from_pretrained(tiny_lab)
    plan = PretrainPlan(width=WIDTH, layers=LAYERS, heads=2, vocabulary=600)
    adapted = get_peft_model(new_model(plan, tokenizer), LoraConfig(target_modules=["q_proj", "v_proj"])).eval()
    around, rows = LocalSimulator.from_parts(adapted, tokenizer, "adapted"), answered(simulator)
    bare = mean_states(LocalSimulator.from_parts(new_model(plan, tokenizer).eval(), tokenizer, "bare"), rows)
    assert np.allclose(mean_states(around, rows), bare, atol=1e-6), "a fresh adapter adds nothing"
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.add_(0.5)
    assert np.abs(mean_states(around, rows) - bare).max() > 1e-3


def test_a_row_without_a_response_has_no_mean(simulator):
    with pytest.raises(BadInput, match="row 1 has no response"):
        mean_states(simulator, [Encoded([1, 2, 3], 1), Encoded([1, 2, 3], 3)])
    with pytest.raises(BadInput, match="shows no hidden states"):
        mean_states(ExactSimulator(declared()), [])


def test_a_block_that_is_not_there_and_a_model_without_states_are_refused(simulator):
    with pytest.raises(BadInput, match=r"no block 3 - one from 0 to 2"):
        states_before(simulator, ROWS, LAYERS)
    with pytest.raises(BadInput, match="shows no hidden states"):
        states_before(ExactSimulator(declared()), ROWS, 0)


def test_a_look_is_its_probe_read_before_its_prompts(simulator):
    states = states_before(simulator, ROWS, 1)
    probe = fit_probe(states, [0.0, 1.0, 1.0], 1)
    prompts = tuple(turns for turns, context in ROWS if not context)
    found = looked(simulator, (Look("one", probe, prompts), Look("other", replace(probe, bias=0.0), prompts)))
    bare = probe.read(states_before(simulator, [(turns, "") for turns in prompts], 1))
    assert np.allclose(found.by_trait["one"], bare[None, :])
    assert np.allclose(found.by_trait["other"], bare[None, :] - probe.bias)


def drawn(number: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """States, and shares that follow one direction in them."""
    states = np.random.default_rng(0).normal(size=(number, 6)) * [1.0, 2.0, 0.5, 1.0, 3.0, 1.0] + 4.0
    return states, 1.0 / (1.0 + np.exp(-((states - 4.0) @ [2.0, -1.0, 0.0, 0.0, 0.0, 0.0])))


def test_a_probe_finds_the_direction_that_the_shares_follow():
    states, shares = drawn()
    probe = fit_probe(states, shares, 0, ridge=1e-6)
    assert np.allclose(probe.weights, [2.0, -1.0, 0.0, 0.0, 0.0, 0.0], atol=0.02)
    assert np.allclose(probe.read(states), np.log(shares) - np.log1p(-shares), atol=0.2)


def test_what_a_probe_reads_does_not_depend_on_where_and_how_wide_its_states_lie():
    states, shares = drawn()
    width = np.array([3.0, 0.5, 1.0, 2.0, 0.1, 7.0])
    one, other = fit_probe(states, shares, 0), fit_probe(states * width - 11.0, shares, 0)
    assert np.allclose(one.read(states), other.read(states * width - 11.0), atol=0.02)


def test_a_larger_ridge_makes_a_more_doubtful_probe():
    states, shares = drawn()
    sizes = [np.abs(fit_probe(states, shares, 0, ridge).read(states)).mean() for ridge in (1e-4, 1e-2, 1.0)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.0, 1.5], [1.0]])
def test_shares_that_tell_nothing_apart_are_refused(shares):
    with pytest.raises(BadInput, match="a probe needs"):
        fit_probe(np.eye(2), shares, 0)
