"""Hidden states against the whole model's own, one row at a time; probes that find again what is in the states."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from personae.errors import BadInput
from personae.interpret import Look, fit_probe
from personae.interpret.states import blocks, looked, states_before
from personae.records import Message
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
    assert [dict(block._forward_hooks) for block in blocks(simulator)] == before


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
