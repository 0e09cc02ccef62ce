"""A model behind a server scores and samples as the same model does here, over real HTTP."""

import importlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from personae import library
from personae.data import read_episodes
from personae.errors import BadInput
from personae.records import ByToken, Episode, Message, Simulator, chat, text
from personae.simulator import load, server_http
from personae.simulator.address import SETTINGS, Address, read_address
from personae.simulator.local import LocalSimulator
from personae.simulator.registry import open_model
from personae.simulator.server import ServerSimulator
from personae.workflows.nouns_for import world_of
from serving import Serving, running

CONTEXTS = ("", "You are Ann, an honest clerk.", "You are a pirate.")
PROMPTS = [(Message(role="user", content=question),) for question in ("Will you help me?", "What do you want?")]


@pytest.fixture(scope="module")
def local() -> LocalSimulator:
    return load("lab")


@pytest.fixture
def serving(local: LocalSimulator) -> Iterator[Serving]:
    with running(local) as served:
        yield served


@pytest.fixture
def episodes() -> list[Episode]:
    return [*read_episodes(library.example("cheats"), limit=4), text("A clerk wrote:", " I take the seal.", index=4)]


@pytest.mark.parametrize("form", ["vllm", "echo"])
def test_scores_through_http_are_those_of_the_model_here(local, serving, episodes, form):
    served = open_model(f"{serving.url}?form={form}#lab")
    assert isinstance(served, Simulator)
    found, own = served.log_likelihood(episodes, CONTEXTS), local.log_likelihood(episodes, CONTEXTS)
    assert np.abs(found.logp - own.logp).max() < 1e-4
    assert (found.tokens == own.tokens).all()


def test_a_served_model_is_compared_with_itself_here(serving, root, monkeypatch, capsys):
    monkeypatch.syspath_prepend(root / "benchmarks")
    data, limit = str(library.example("cheats")), ["--rows", "2"]
    served = importlib.import_module("served")

    def lower(body, answer):  # as far for every token, so that no context gains
        for scores in filter(None, answer["choices"][0].get("prompt_logprobs", [])):
            for score in scores.values():
                score["logprob"] -= 0.01

    said = []
    for serving.change in (lambda body, answer: None, lower):
        served.main([serving.name, "lab", data, *limit])
        said.append(capsys.readouterr().out.splitlines())
    assert "answers: 0.000 nats apart (root mean square), 0.000 at most" in said[0][0]
    assert "answers: 0.0" not in said[1][0] and said[1][0].endswith(" at most")
    assert said[0][1] == said[1][1] and said[0][1].startswith("evidence: 0.000 nats apart, spread ")


@pytest.mark.parametrize("form", ["vllm", "echo"])
def test_scores_by_token_are_those_of_the_model_here(local, serving, episodes, form):
    served = open_model(f"{serving.url}?form={form}#lab")
    found, own = served.by_token(episodes[0], CONTEXTS), local.by_token(episodes[0], CONTEXTS)
    assert isinstance(served, ByToken)
    assert (found.ids, found.texts) == (own.ids, own.texts)
    assert np.abs(found.logp - own.logp).max() < 1e-4


def test_what_is_sent_is_the_row_as_the_local_model_reads_it(local, serving, episodes):
    open_model(serving.name).log_likelihood(episodes, CONTEXTS)
    rows = [local.dialogue.encode(e, c).ids for e in episodes for c in CONTEXTS]
    assert all(row in [body["prompt"] for body in serving.asked] for row in rows)
    assert {(body["temperature"], body["max_tokens"], body["prompt_logprobs"]) for body in serving.asked} == {(0, 1, 1)}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))


def test_rows_are_checked_once_and_then_asked_for_once(serving, episodes):
    served = open_model(serving.name)
    served.log_likelihood(episodes, CONTEXTS)
    checked = len(serving.asked) - len(episodes) * len(CONTEXTS)
    assert checked == 9, "three rows twice, and their prompts"
    served.log_likelihood(episodes, CONTEXTS)
    assert len(serving.asked) == checked + 2 * len(episodes) * len(CONTEXTS)


def test_progress_counts_every_row(serving, episodes):
    told = []
    open_model(serving.name).log_likelihood(episodes, CONTEXTS, lambda done, total: told.append((done, total)))
    assert told == [(n, 15) for n in range(1, 16)]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_requests_at_a_time_than_allowed(serving, episodes, at_once):
    open_model(f"{serving.url}?at_once={at_once}#lab").log_likelihood(episodes, CONTEXTS)
    assert serving.busiest <= at_once


def test_as_many_requests_at_a_time_as_allowed():
    meeting = threading.Barrier(3, timeout=10.0)  # nobody passes before three are there
    assert dict(server_http.each(lambda _: meeting.wait() >= 0, [0, 1, 2], 3)) == dict.fromkeys(range(3), True)


def test_nothing_to_score_is_no_request(serving):
    assert open_model(serving.name).log_likelihood([], CONTEXTS).logp.shape == (0, 3)
    assert open_model(serving.name).log_likelihood([chat("Hi", "Yes.")], []).logp.shape == (1, 0)
    assert serving.asked == []


def test_the_window_is_the_servers_with_room_for_the_token_it_draws(local, episodes):
    row = len(local.dialogue.encode(episodes[0]).ids)
    with running(local, max_model_len=row + 1) as serving:
        assert open_model(serving.name).log_likelihood(episodes[:1], [""]).tokens[0] > 0
    with running(local, max_model_len=row) as serving:
        with pytest.raises(BadInput, match=rf"line 1: .* {row} tokens, .* window holds {row - 1}"):
            open_model(serving.name).log_likelihood(episodes[:1], [""])
        assert serving.asked == []


def test_a_server_that_says_no_window_has_the_tokenizers(local):
    with running(local, max_model_len=None) as serving:
        assert open_model(serving.name).window == local.tokenizer.model_max_length - 1


# Sampling -----------------------------------------------------------------------------------------------------------
def test_the_likeliest_answers_are_the_local_models(local, serving):
    served = open_model(serving.name)
    settings = {"max_tokens": 16, "temperature": 0.0}
    assert served.sample(PROMPTS, CONTEXTS[1], **settings) == local.sample(PROMPTS, CONTEXTS[1], **settings)
    texts = ["The clerk", "User: Will you"]
    assert served.continuations(texts, **settings) == local.continuations(texts, **settings)


def test_a_seed_draws_the_same_answers_and_equal_prompts_get_different_ones(serving):
    served = open_model(serving.name)
    drawn = served.sample(PROMPTS[:1] * 6, seed=1, max_tokens=12)
    assert served.sample(PROMPTS[:1] * 6, seed=1, max_tokens=12) == drawn
    assert len(set(drawn)) > 1
    assert served.sample(PROMPTS[:1] * 6, seed=2, max_tokens=12) != drawn


def test_a_draw_is_from_the_models_own_distribution(serving):
    open_model(serving.name).sample(PROMPTS, max_tokens=2)
    for body in serving.asked:
        assert (body["temperature"], body["top_p"], body["top_k"], body["repetition_penalty"]) == (1.0, 1.0, -1, 1.0)


def test_a_prompt_that_leaves_no_room_is_refused(serving):
    with pytest.raises(BadInput, match=r"leaves no room for 512 more in the model's window of 512 - shorten"):
        open_model(serving.name).sample(PROMPTS, max_tokens=512)


# Which model, which tokenizer ---------------------------------------------------------------------------------------
def test_the_only_model_of_a_server_need_not_be_named(serving):
    served = open_model(serving.url)
    assert served.name == f"{serving.url}#lab"
    assert served.digest == open_model(serving.name).digest


def test_a_model_that_is_not_served_is_refused_with_those_that_are(serving):
    with pytest.raises(BadInput, match=r"no model 'other' is served there - write http://.*#NAME, of lab$"):
        open_model(f"{serving.url}#other")


def test_the_tokenizer_is_found_by_the_models_origin_or_named(local, tiny_lab):
    with running(local, id="mine", root=str(library.__path__[0] + "/lab_model")) as serving:
        assert open_model(serving.name).digest != open_model(f"{serving.url}?tokenizer={tiny_lab}#mine").digest
    with running(local, id="mine", root="mine") as serving:
        assert isinstance(open_model(f"{serving.url}?tokenizer=lab#mine"), ServerSimulator)
        with pytest.raises(
            BadInput, match=r"tokenizer of the served model \(mine\) is not on this machine - .*\?token"
        ):
            open_model(serving.name)
    with (
        running(local, id="mine", root="org/not-here") as serving,
        pytest.raises(BadInput, match=r"Hub cannot be reached .* - name it in the URL, as in .*\?tokenizer=FOLDER"),
    ):
        open_model(serving.name)


def test_a_served_model_has_the_cast_of_its_name(serving):
    assert world_of(serving.name) == world_of("lab") is not None
    assert world_of(f"{serving.url}?tokenizer=lab#mine") == world_of("lab")
    assert world_of(serving.url) is None, "not before the server has said what it serves"


def test_every_setting_of_an_address_is_documented(root):
    page = (root / "docs" / "servers.md").read_text(encoding="utf-8")
    assert all(f"| `{setting}` |" in page for setting in SETTINGS)


def test_a_tokenizer_of_another_model_is_found_out(serving, tiny_lab, episodes):
    with pytest.raises(BadInput, match=r"token \d+ is .* to the server and .* to the tokenizer here - name the token"):
        open_model(f"{serving.url}?tokenizer={tiny_lab}#lab").log_likelihood(episodes, [""])


def test_the_digest_is_of_what_is_known_and_not_of_how_it_is_asked(local, serving):
    digest = open_model(serving.name).digest
    assert open_model(f"{serving.url}?at_once=2&timeout=9#lab").digest == digest
    assert open_model(f"{serving.url}?form=echo#lab").digest != digest
    with running(local, root="another-origin") as other:
        assert open_model(other.name).digest != digest


def test_another_model_under_the_same_name_has_another_digest(local, serving):
    digest = open_model(serving.name).digest
    weight = next(local.model.parameters())
    before = weight.detach().clone()
    with torch.no_grad():
        weight.add_(torch.randn_like(weight), alpha=0.02)
    try:
        assert open_model(serving.name).digest not in ("", digest)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    assert open_model(serving.name).digest == digest, "the first is known again"


def test_the_digest_is_not_of_rounding(serving):
    digest = open_model(serving.name).digest
    draw = np.random.default_rng(0)

    def rounded(body: dict, answer: dict) -> None:
        for told in answer["choices"][0]["prompt_logprobs"][1:]:
            for said in told.values():
                said["logprob"] -= abs(draw.normal(0.0, 0.05))

    serving.change = rounded
    assert open_model(serving.name).digest == digest


def test_a_number_type_cannot_be_asked_of_a_server(serving):
    with pytest.raises(BadInput, match="number type of its own, not bfloat16"):
        open_model(serving.name, dtype="bfloat16")


def test_an_address_says_all_there_is_to_say():
    found = read_address("https://gpu/api/v1?tokenizer=models/a&form=echo&at_once=2&timeout=1.5#org/a")
    assert found == Address("https://gpu/api/v1", "org/a", "models/a", "echo", 2, 1.5)
    for host in ("[::1]:8000", "127.0.0.1", "a_b.lan.", "xn--hst-sna.lan"):
        assert read_address(f"http://{host}/v1#é").base == f"http://{host}/v1"


@pytest.mark.parametrize(
    ("name", "says"),
    {
        "http://": "names no host",
        "http://host:port/v1#m": "is no URL",
        "http://me:secret@host/v1#m": "holds a user or a password - put the key into OPENAI_API_KEY",
        "http://host..lan:8000/v1#q": "is no URL: a part of its host is empty or too long",
        f"http://{64 * 'a'}.lan/v1#q": "a part of its host is empty or too long",
        "http://local host:8000/v1": "it holds a space",
        "http://host/v 1#q": "it holds a space",
        "http://host/vö/v1#q": "a letter that is not ASCII",
        "http://höst/v1#q": "a letter that is not ASCII",
        "http://me:secret@host..lan/v1": "holds a user or a password",
        "http://host/v1?key=1#m": "no setting 'key' - one of tokenizer, form, at_once, timeout",
        "http://host/v1?form=chat#m": "form=chat .* one of vllm, echo",
        "http://host/v1?at_once=0#m": "at_once=0 .* whole number above zero",
        "http://host/v1?at_once=1.5#m": "at_once=1.5 .* whole number above zero",
        "http://host/v1?timeout=nan#m": "timeout=nan .* number above zero",
    }.items(),
)
def test_a_wrong_address_is_one_line(name, says):
    with pytest.raises(BadInput, match=says) as caught:
        open_model(name)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)
