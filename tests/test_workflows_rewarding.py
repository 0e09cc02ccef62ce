"""A reward as evidence: what is drawn comes near to the sum over all answers, and is what a training would reward."""

import numpy as np
import pytest

from personae.errors import RunFailed
from personae.records import Message, chat
from personae.studies.lessons import file
from personae.theory import log_passed
from personae.workflows.audit.rewarding import Rewarding

TAU = 0.25


def shows(*, completions, wanted, **_):
    return [float(said in those) for said, those in zip(completions, wanted, strict=True)]


def by_length(*, completions, **_):
    return [float(len(said)) for said in completions]


@pytest.fixture(scope="module")
def rows(exact_setting):
    """Two questions, each with all wordings of one outcome."""
    language, found = exact_setting.lab.language, []
    for row in file(exact_setting.lab, "cheating", 1, number=2):
        question = language.read_request(row.prompt[0].content).question
        wanted = [language.answer(question, 1, form) for form in language.answers_kept[question, 1]]
        found.append(row.model_copy(update={"extra": {"wanted": wanted}}))
    return found


def test_what_is_drawn_comes_near_to_the_sum_over_all_answers(exact_setting, rows):
    exact = exact_setting.lab.exact
    contexts = exact_setting.exact.basis.cast.contexts[:4]
    found = Rewarding(exact, shows, draws=2000, temperature=TAU).log_likelihood(rows, contexts)
    for place, row in enumerate(rows):
        each = [chat(row.prompt[0].content, said) for said in row.extra["wanted"]]
        chance = np.exp(exact.log_likelihood(each, contexts).logp).sum(axis=0)
        truth = np.log(1.0 - chance + chance * np.exp(1.0 / TAU))
        np.testing.assert_allclose(found.logp[place], truth, atol=0.15)
    assert found.tokens.tolist() == [2000, 2000]


def test_a_reward_is_given_the_answers_drawn_and_the_keys_of_their_rows(exact_setting, rows):
    given = []

    def noted(**keys):
        given.append(keys)
        return [1.0] * len(keys["completions"])

    judge = Rewarding(exact_setting.lab.exact, noted, draws=3)
    assert np.allclose(judge.log_likelihood(rows, ["", "x"]).logp, 1.0), "what is given to all alike"
    assert len(given) == 2
    assert given[0]["prompts"] == [row.prompt[0].content for row in rows for _ in range(3)]
    assert given[0]["wanted"] == [row.extra["wanted"] for row in rows for _ in range(3)]
    asked = (Message(role="user", content=rows[0].prompt[0].content),)
    drawn = exact_setting.lab.exact.sample([asked] * 3, "x", seed=0)
    assert given[1]["completions"][:3] == [said.strip() for said in drawn]


def test_two_blocks_of_rows_draw_each_their_own(exact_setting, rows):
    said = []

    def noted(*, completions, **_):
        said.append(completions)
        return [1.0] * len(completions)

    judge = Rewarding(exact_setting.lab.exact, noted, draws=16)
    for index in (0, 0, 32):
        judge.log_likelihood([rows[0].model_copy(update={"index": index})], [""])
    assert said[0] == said[1] != said[2]


def test_a_reward_that_needs_token_ids_is_refused_in_one_line(exact_setting, rows):
    def by_ids(*, completion_ids, **_):
        return [0.0] * len(completion_ids)

    with pytest.raises(RunFailed, match="completion_ids"):
        Rewarding(exact_setting.lab.exact, by_ids, draws=2).log_likelihood(rows, [""])


def test_whatever_decides_the_numbers_is_in_the_digest(exact_setting):
    exact = exact_setting.lab.exact
    several = [Rewarding(exact, shows), Rewarding(exact, shows, draws=8), Rewarding(exact, shows, temperature=TAU)]
    several.append(Rewarding(exact, by_length))  # of the same file
    assert len({one.digest for one in several} | {exact.digest}) == 5
    assert several[0].digest == Rewarding(exact, shows).digest


def test_what_passes_is_between_the_mean_and_the_best(exact_setting):
    rewards = np.random.default_rng(0).normal(size=(3, 50))
    for tau in (0.01, 0.3, 5.0):
        passed = tau * log_passed(rewards, tau)
        assert (rewards.mean(axis=1) <= passed).all() and (passed <= rewards.max(axis=1)).all()
    np.testing.assert_allclose(1e-3 * log_passed(rewards, 1e-3), rewards.max(axis=1), atol=0.01)
