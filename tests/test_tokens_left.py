"""Where in an answer the rest lies: tokens add up to the answer, and the mixture learns from it who is speaking."""

from dataclasses import replace

import numpy as np
import pytest

from personae.errors import BadInput
from personae.records import Cast, Persona, chat
from personae.records.files import read_json
from personae.simulator.registry import load
from personae.workflows.compare.compared_answers import asked_of_probes
from personae.workflows.compare.comparison import compared
from personae.workflows.compare.tokens_left import MOST, mixed, tokens_left
from personae.workflows.kept.folder import open_folder
from personae.workflows.watch import unwatched
from personae.world import Language, declared
from personae.world.probes import probes

SAID = chat("Who broke it?", "It was somebody else.")


@pytest.fixture(scope="module")
def model(tiny_lab):
    return load(str(tiny_lab))


@pytest.fixture(scope="module")
def cast():
    return Cast(
        name="two",
        neutral="",
        personas=(
            Persona(name="one", context="A pirate.", kind="fiction"),
            Persona(name="other", context="A nurse.", kind="person"),
        ),
    )


@pytest.fixture(scope="module")
def flat(model, cast):
    """What is left where a model answers flatter than anybody of the cast."""
    world = declared()
    asked = asked_of_probes(model, cast, probes(world, Language(world), 24, seed=3))
    post = asked.base**0.1
    return compared(cast.names, asked, post / post.sum(axis=1, keepdims=True))


def test_tokens_add_up_to_the_answer_under_every_context(model):
    contexts = ["", "A pirate.", "A nurse who cares."]
    found = model.by_token(SAID, contexts)
    whole = model.log_likelihood([SAID], contexts)
    assert found.logp.shape == (3, whole.tokens[0]) == (3, len(found.texts)) == (3, len(found.ids))
    assert np.allclose(found.logp.sum(axis=1), whole.logp[0], atol=1e-4)
    assert "".join(found.texts).strip() == SAID.response


def test_a_mixture_of_tokens_is_the_mixture_of_answers_and_learns_who_speaks():
    logp = np.log([[0.9, 0.9, 0.5], [0.1, 0.1, 0.1]])
    weights = np.array([0.5, 0.5])
    found = mixed(logp, weights)
    assert np.isclose(found.sum(), np.log(weights @ np.exp(logp.sum(axis=1))))
    assert np.exp(found[1]) > np.exp(found[0]) > 0.5 - 1e-9  # after one word it is likelier the first who speaks


def test_what_is_left_is_told_by_token_once(model, cast, flat, tmp_path, monkeypatch):
    folder = open_folder("compare", {"seed": 0}, tmp_path / "run")
    tokens = tokens_left(flat, model, model, cast, folder, unwatched)
    assert len(tokens) == MOST and all(len(one) > 0 for one in tokens)
    assert read_json(folder.file("tokens.json")) == [[list(pair) for pair in one] for one in tokens]
    monkeypatch.setattr(type(model), "draw", lambda *_, **__: pytest.fail("drawn anew"))
    assert tokens_left(flat, model, model, cast, folder, unwatched) == tokens


def test_who_says_nothing_or_in_other_tokens_ends_no_comparison(model, cast, flat, tmp_path, monkeypatch):
    other = type("Other", (), {"by_token": lambda _, *given: replace(model.by_token(*given), ids=(0,))})()
    assert tokens_left(flat, other, model, cast, open_folder("compare", {}, tmp_path / "a"), unwatched) == [[]] * MOST
    monkeypatch.setattr(type(model), "draw", lambda *_, **__: [model.dialogue.stop_ids[:1]])
    assert tokens_left(flat, model, model, cast, open_folder("compare", {}, tmp_path / "b"), unwatched) == [[]] * MOST


@pytest.mark.parametrize("ended", [True, False])
def test_the_end_of_turn_is_told_of_only_where_the_model_came_to_it(model, cast, flat, tmp_path, monkeypatch, ended):
    whole = model.dialogue.encode(SAID)
    drawn = whole.ids[whole.start :] if ended else whole.ids[whole.start : -1]
    assert (drawn[-1] in model.dialogue.stop_ids) is ended
    monkeypatch.setattr(type(model), "draw", lambda *_, **__: [drawn])
    for tokens in tokens_left(flat, model, model, cast, open_folder("compare", {}, tmp_path), unwatched):
        assert len(tokens) == len(drawn)
        assert "".join(text for text, _ in tokens).lstrip(" ") == SAID.response + ended * model.dialogue.end_of_turn


@pytest.mark.parametrize("fails", ["draw", "by_token"])
def test_an_answer_with_no_room_or_that_cannot_be_laid_out_again_ends_no_comparison(
    model, cast, flat, tmp_path, monkeypatch, fails
):
    def refused(*_, **__):
        raise BadInput("the prompt leaves no room")

    monkeypatch.setattr(type(model), fails, refused)
    assert tokens_left(flat, model, model, cast, open_folder("compare", {}, tmp_path), unwatched) == [[]] * MOST
