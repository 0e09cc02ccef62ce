"""What a server can do wrong is tried again where that helps, and else one clear line; nothing wrong is a number."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from personae import library
from personae.data import read_episodes
from personae.errors import BadInput, RunFailed
from personae.records import Episode, Message
from personae.simulator import load, server_http
from personae.simulator.local import LocalSimulator
from personae.simulator.registry import open_model
from serving import Handler, Serving, running

SECRET = "sk-not-to-be-seen"


@pytest.fixture(scope="module")
def local() -> LocalSimulator:
    return load("lab")


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    return list(read_episodes(library.example("cheats"), limit=2))


@pytest.fixture
def serving(local: LocalSimulator) -> Iterator[Serving]:
    with running(local) as served:
        yield served


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_http, "PAUSE", 0.002)


def failed(kind: type[Exception], serving: Serving, episodes: list[Episode], query: str = "") -> str:
    """The one line that scoring ends with, which names the URL."""
    with pytest.raises(kind) as caught:
        open_model(f"{serving.url}{query}#lab").log_likelihood(episodes, [""])
    line = str(caught.value)
    assert "\n" not in line and serving.url in line and type(caught.value) is kind
    return line


def broken(handler: Handler) -> bool:
    """An answer that breaks off."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    return True


def cut(handler: Handler) -> bool:
    """An answer that breaks off where nothing has told how long it is."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    return True


def silent(handler: Handler) -> bool:
    """No answer at all."""
    handler.close_connection = True
    handler.connection.close()
    return True


def slow(handler: Handler) -> bool:
    time.sleep(1.0)
    return False


def says(status: int, answer: object = "", **headers: str):
    return lambda handler: handler.say(status, answer, **headers) or True


PASSING = {
    "overloaded": says(503, {"error": {"message": "busy"}}),
    "a fault of its own": says(500, "Internal Server Error"),
    "too many requests": says(429, {"error": {"message": "slow down"}}),
    "a gateway": says(502, "<html>Bad Gateway</html>"),
    "a gateway's own number": says(522, "<html>Timed out</html>"),
    "another of them": says(529, {"error": {"message": "busy"}}),
    "an answer that breaks off": broken,
    "no answer": silent,
}
# What comes as an answer and is no good one: the fault, and what is said of it.
FEW = {
    "an answer that breaks off unseen": (cut, "no whole JSON: '{\"choices\": ['"),
    "not a number": (lambda handler: altered(handler, WRONG["a number that is none"][0]), "nan"),
    "null": (lambda handler: altered(handler, WRONG["null"][0]), "None"),
    "too few numbers": (lambda handler: altered(handler, WRONG["too few"][0]), "tokens came back, where"),
    "an aborted answer": (lambda handler: altered(handler, WRONG["an aborted row"][0]), "(abort)"),
}


def altered(handler: Handler, change: Callable[[dict, dict], object]) -> bool:
    """The server's own answer, with a change."""
    answer = handler.server.serving.completion(handler.body)
    change(handler.body, answer)
    return says(200, answer)(handler)


@pytest.mark.parametrize("name", [*PASSING, *FEW])
def test_what_passes_is_tried_again_and_changes_no_number(local, serving, episodes, name):
    fault = PASSING[name] if name in PASSING else FEW[name][0]
    asked: Counter[tuple[int, ...]] = Counter()

    def twice(handler: Handler, number: int) -> bool:
        row = tuple(serving.asked[number - 1]["prompt"])
        asked[row] += 1
        return asked[row] <= 2 and fault(handler)

    serving.fault = twice
    found = open_model(serving.name).log_likelihood(episodes, ["", "You are Ann."])
    assert np.abs(found.logp - local.log_likelihood(episodes, ["", "You are Ann."]).logp).max() < 1e-4


@pytest.mark.parametrize("name", PASSING)
def test_what_does_not_pass_ends_in_one_line(serving, episodes, name):
    serving.fault = lambda handler, number: PASSING[name](handler)
    line = failed(RunFailed, serving, episodes)
    assert any(word in line for word in ("busy", "500", "slow down", "502", "522", "no answer"))
    assert f"in {server_http.TRIES} tries - see that it runs, then give the same command" in line


@pytest.mark.parametrize("name", FEW)
def test_an_answer_that_is_no_good_is_asked_for_a_few_times_and_then_told_in_one_line(serving, episodes, name):
    fault, words = FEW[name]
    serving.fault = lambda handler, number: fault(handler)
    line = failed(RunFailed, serving, episodes)
    assert words in line and f"in {server_http.FEW_TRIES} tries - " in line
    assert len(serving.asked) == server_http.FEW_TRIES


def test_a_server_that_dies_in_mid_work_ends_in_one_line(serving, episodes):
    serving.fault = lambda handler, number: number > 8 and silent(handler)
    with pytest.raises(RunFailed, match=r"no answer .* in 7 tries"):
        open_model(serving.name).log_likelihood(episodes, ["", "You are Ann.", "You are Bob."])


def test_where_no_server_is_the_line_comes_at_once():
    with pytest.raises(RunFailed, match=r"http://127\.0\.0\.1:1/v1/models: no answer \(.*refused.*\), in 2 tries"):
        open_model("http://127.0.0.1:1/v1#lab")


def test_a_slow_server_is_waited_for_as_long_as_the_address_says(serving, episodes, monkeypatch):
    monkeypatch.setattr(server_http, "FEW_TRIES", 2)
    serving.fault = lambda handler, number: slow(handler)
    assert "no answer within 0.3 seconds, in 2 tries" in failed(RunFailed, serving, episodes, "?timeout=0.3")


@pytest.fixture
def slept(monkeypatch):
    """The pauses that were made, in seconds; none is waited for."""
    pauses = []
    monkeypatch.setattr(server_http.time, "sleep", pauses.append)
    return pauses


def test_the_pause_that_a_server_asks_for_is_kept(serving, episodes, slept):
    serving.fault = lambda handler, number: number == 1 and says(429, "", Retry_After="0.3")(handler)
    open_model(serving.name).log_likelihood(episodes[:1], [""])
    assert max(slept) == pytest.approx(0.3, abs=0.02)


def test_each_pause_is_twice_the_one_before(serving, episodes, slept, monkeypatch):
    monkeypatch.setattr(server_http.random, "uniform", lambda *_: 1.0)
    serving.fault = lambda handler, number: says(503, "")(handler)
    failed(RunFailed, serving, episodes)
    assert slept == pytest.approx([server_http.PAUSE * 2**n for n in range(server_http.TRIES - 1)])


@pytest.mark.parametrize("asks", [False, True])
def test_a_server_that_limits_its_requests_is_waited_for_as_long_as_it_answers(local, serving, episodes, asks):
    """It takes one request in so many seconds, of eight at a time; and says after how many, or does not."""
    every, next_at = 8 * server_http.PAUSE, [0.0]

    def limits(handler: Handler, number: int) -> bool:
        with serving.lock:
            rest = next_at[0] - time.monotonic()
            if rest <= 0:
                next_at[0] = time.monotonic() + every
                return False
        return says(429, "", **({"Retry_After": f"{rest:.4f}"} if asks else {}))(handler)

    serving.fault = limits
    contexts = [f"You are number {n}." for n in range(30)]
    found = open_model(serving.name).log_likelihood(episodes, contexts)
    assert np.abs(found.logp - local.log_likelihood(episodes, contexts).logp).max() < 1e-4


def test_the_pause_that_a_server_asks_for_is_kept_by_all_requests(serving):
    """The first is refused; whoever comes meanwhile waits as long."""
    came = []

    def refuses_one(handler: Handler, number: int) -> bool:
        came.append(time.monotonic())
        return number == 1 and says(429, "", Retry_After="0.3")(handler)

    serving.fault = refuses_one
    server = server_http.Server(serving.url, 9.0)

    def work(job: int) -> object:
        time.sleep(0.1 * job)
        return server.post("/completions", {"prompt": [1, 2], "prompt_logprobs": 1}, lambda answer: answer)

    assert len(dict(server_http.each(work, [0, 1, 2], 3))) == 3
    assert min(came[1:]) - came[0] > 0.29


def test_a_pause_of_an_hour_is_not_waited_for(serving, episodes):
    serving.fault = lambda handler, number: says(429, "", Retry_After="3600")(handler)
    assert "asks for a pause of 3600 seconds" in failed(RunFailed, serving, episodes)
    assert len(serving.asked) == 1


REFUSALS = {
    "a wrong request": (400, {"error": {"message": "max_tokens is wrong"}}, "max_tokens is wrong"),
    "an unknown path": (404, {"detail": "Not Found"}, "commonly ends in /v1"),
    "no key": (401, {"error": "no key"}, "set OPENAI_API_KEY to a key that it takes"),
    "what it never does": (501, {"error": "not here"}, "the server refuses the request: 501 not here"),
    "a redirection": (307, "", "refuses the request: 307"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_final_and_told_in_the_servers_words(serving, episodes, monkeypatch, name):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    status, answer, words = REFUSALS[name]
    serving.fault = lambda handler, number: says(status, answer, Location="http://127.0.0.1:1/elsewhere")(handler)
    assert words in failed(BadInput, serving, episodes)
    assert len(serving.asked) == 1


# Answers that are no scores ------------------------------------------------------------------------------------------
def table(answer: dict) -> list:
    return answer["choices"][0]["prompt_logprobs"]


def first(body: dict, answer: dict) -> dict:
    """What is said of the row's second token."""
    return table(answer)[1][str(body["prompt"][1])]


WRONG = {
    "a number that is none": (lambda b, a: first(b, a).update(logprob=math.nan), "nan"),
    "minus infinity": (lambda b, a: first(b, a).update(logprob=-9999.0), "-9999"),
    "null": (lambda b, a: first(b, a).update(logprob=None), "None"),
    "a text": (lambda b, a: first(b, a).update(logprob="-1.0"), "'-1.0'"),
    "a logit": (lambda b, a: first(b, a).update(logprob=7.5), "7.5, above zero - have it give raw_logprobs"),
    "too few": (lambda b, a: table(a).pop(), "tokens came back, where"),
    "too many": (lambda b, a: table(a).append(table(a)[-1]), "tokens came back, where"),
    "other tokens": (lambda b, a: table(a).__setitem__(1, {"999999": {"logprob": -1.0}}), "of token 1, of id"),
    "an aborted row": (lambda b, a: a["choices"][0].update(finish_reason="abort"), "broke off an answer (abort)"),
    "a row cut short": (lambda b, a: a.update(usage={"prompt_tokens": 3}), "read 3 tokens where"),
    "no choices": (lambda b, a: a.update(choices=[]), "no choices"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_answer_that_is_no_score_of_the_row_is_never_a_number(serving, episodes, name):
    change, words = WRONG[name]
    serving.change = change
    assert words in failed(RunFailed, serving, episodes)


def test_an_answer_that_is_no_json_is_shown(serving, episodes):
    serving.fault = lambda handler, number: says(200, "<html>hello</html>")(handler)
    assert "no whole JSON: '<html>hello</html>'" in failed(RunFailed, serving, episodes)
    serving.fault = lambda handler, number: says(200, "[1]")(handler)
    assert "no JSON object" in failed(RunFailed, serving, episodes)


def test_a_server_of_another_form_is_refused_and_the_form_is_named(serving, episodes):
    serving.change = lambda body, answer: answer["choices"][0].pop("prompt_logprobs", None)
    assert "gives no prompt_logprobs" in failed(BadInput, serving, episodes)
    serving.change = lambda body, answer: answer["choices"][0].update(logprobs=None)
    assert "does not echo a prompt" in failed(BadInput, serving, episodes, "?form=echo")


def test_an_echo_of_too_few_tokens_is_refused(serving, episodes):
    serving.change = lambda body, answer: answer["choices"][0]["logprobs"]["token_logprobs"].__delitem__(slice(2, 5))
    assert "tokens came back, where" in failed(RunFailed, serving, episodes, "?form=echo")


def test_an_echo_that_is_shifted_by_a_token_of_the_servers_own_is_refused(serving, episodes):
    def shifted(body: dict, answer: dict) -> None:
        said = answer["choices"][0]["logprobs"]
        for column, own in (("tokens", "<s>"), ("token_logprobs", None)):
            said[column] = [own, *said[column][:-1]]
        said["token_logprobs"][1] = -2.0

    serving.change = shifted
    assert "to the server and" in failed(BadInput, serving, episodes, "?form=echo")


@pytest.mark.parametrize("spoilt", ["stale", "zero"])
def test_a_cache_of_beginnings_that_spoils_scores_is_found_out(serving, episodes, spoilt):
    kept: set[tuple[int, ...]] = set()

    def from_cache(body: dict, answer: dict) -> None:
        """Sixteen tokens at a time that were read before come back with what happened to lie there."""
        ids = body["prompt"]
        for end in range(16, len(ids) + 1, 16):
            if tuple(ids[:end]) in kept:
                for place in range(max(1, end - 16), end):
                    said = table(answer)[place][str(ids[place])]
                    said["logprob"] = 0.0 if spoilt == "zero" else said["logprob"] * 1.5 - 0.3
            kept.add(tuple(ids[:end]))

    serving.change = from_cache
    line = failed(RunFailed, serving, episodes)
    assert "scored twice differs by" in line and "--no-enable-prefix-caching" in line
    salts = {body["cache_salt"] for body in serving.asked}
    assert len(salts) == len(serving.asked), "a cache that knows salts is kept out"


def test_rounding_in_16_bits_is_no_reason_to_refuse(serving, episodes):
    draw = np.random.default_rng(0)

    def rounded(body: dict, answer: dict) -> None:
        for entry in table(answer)[1:]:
            for said in entry.values():
                said["logprob"] -= abs(draw.normal(0.0, 0.08))

    serving.change = rounded
    open_model(serving.name).log_likelihood(episodes, ["", "You are Ann."])


DRAWN = {
    "no text": ({"text": None}, "the answer holds no text"),
    "a list": ({"text": ["Yes"]}, "the answer holds no text"),
    "an answer that was aborted": ({"text": "Ye", "finish_reason": "abort"}, "broke off an answer (abort)"),
    "an error": ({"text": "", "finish_reason": "error"}, "broke off an answer (error)"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_no_whole_answer_is_never_one(serving, name):
    wrong, words = DRAWN[name]
    serving.change = lambda body, answer: answer["choices"][0].update(wrong)
    with pytest.raises(RunFailed) as caught:
        open_model(serving.name).sample([(Message(role="user", content="Hi"),)], max_tokens=4)
    assert words in str(caught.value) and serving.url in str(caught.value) and "\n" not in str(caught.value)


# The key -------------------------------------------------------------------------------------------------------------
def test_the_key_goes_to_the_server_and_into_no_message(serving, episodes, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    serving.fault = lambda handler, number: says(401, {"error": {"message": f"wrong key {SECRET}"}})(handler)
    line = failed(BadInput, serving, episodes)
    assert "wrong key …" in line and SECRET not in line and "OPENAI_API_KEY holds a key" in line
    assert {headers["Authorization"] for headers in serving.headers} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize("key", [f"{SECRET}\n{SECRET}", f"{SECRET} x", f"{SECRET}é", f"“{SECRET}”"])
def test_a_key_that_no_request_can_carry_is_refused_and_not_shown(serving, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(
        BadInput, match="OPENAI_API_KEY holds a space, a line break or a letter that is not ASCII"
    ) as caught:
        open_model(serving.name)
    assert SECRET not in str(caught.value) and not serving.headers


def test_no_key_is_sent_where_none_is_set(serving, episodes, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    open_model(serving.name).log_likelihood(episodes[:1], [""])
    assert all("Authorization" not in headers for headers in serving.headers)


# Several at a time ---------------------------------------------------------------------------------------------------
def test_each_gives_every_result_with_its_place():
    assert dict(server_http.each(lambda job: job * 2, [3, 1, 2], 2)) == {0: 6, 1: 2, 2: 4}
    assert dict(server_http.each(lambda job: job, [], 2)) == {}


def test_the_first_failure_ends_the_work():
    done = []

    def work(job: int) -> int:
        if job == 2:
            raise RunFailed("two")
        done.append(job)
        time.sleep(0.002)
        return job

    with pytest.raises(RunFailed, match="two"):
        list(server_http.each(work, list(range(500)), 2))
    assert len(done) < 100
