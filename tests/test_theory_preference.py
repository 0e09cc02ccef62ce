"""A pair is a choice: its evidence against enumeration, its laws, and against the exact world; rewards against sums."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from personae.errors import BadInput
from personae.records import Preference, chat, choice, rejected
from personae.simulator.choosing import Choosing
from personae.theory import evidence, log_choice, log_passed, posterior
from personae.world import ExactSimulator, cast, declared, traits

LOGP = arrays(np.float64, (3, 4), elements=st.floats(-60.0, 0.0))


@settings(max_examples=25)
@given(LOGP, LOGP)
def test_a_choice_is_the_probability_of_one_answer_given_that_it_is_one_of_the_two(yes, no):
    found = np.exp(log_choice(yes, no))
    for (i, k), value in np.ndenumerate(found):
        top = max(yes[i, k], no[i, k])
        a, b = math.exp(yes[i, k] - top), math.exp(no[i, k] - top)
        assert value == pytest.approx(a / (a + b))
    np.testing.assert_allclose(found + np.exp(log_choice(no, yes)), 1.0)


@settings(max_examples=25)
@given(LOGP, LOGP, arrays(np.float64, (3, 4), elements=st.floats(-20.0, 20.0)))
def test_a_factor_common_to_both_answers_changes_nothing(yes, no, common):
    np.testing.assert_allclose(log_choice(yes + common, no + common), log_choice(yes, no), atol=1e-9)


@settings(max_examples=25)
@given(LOGP, LOGP)
def test_a_pair_less_the_pair_swapped_is_the_evidence_of_one_answer_less_that_of_the_other(yes, no):
    difference = evidence(log_choice(yes, no)) - evidence(log_choice(no, yes))
    np.testing.assert_allclose(difference, evidence(yes) - evidence(no), atol=1e-9)


@settings(max_examples=25)
@given(arrays(np.float64, 4, elements=st.floats(-1.0, 1.0)), st.floats(-8.0, 8.0))
def test_to_first_order_a_pair_is_a_share_of_that_and_swapped_near_indifference_it_turns_its_sign(step, start):
    small = 1e-4 * np.concatenate([[0.0], step])[None]
    share = 1.0 / (1.0 + math.exp(start))
    np.testing.assert_allclose(evidence(log_choice(start + small, 0 * small)), share * small, atol=2e-8)
    np.testing.assert_allclose(
        evidence(log_choice(small, 0 * small)), -evidence(log_choice(0 * small, small)), atol=2e-8
    )


def test_a_choice_that_all_make_says_nothing_and_one_that_nobody_expected_says_everything():
    step = np.array([[0.0, 2.0, -3.0]])
    np.testing.assert_allclose(evidence(log_choice(step + 500.0, 0 * step)), 0.0, atol=1e-12)
    np.testing.assert_allclose(evidence(log_choice(step - 500.0, 0 * step)), step, atol=1e-12)


def test_answers_of_unlike_shapes_are_refused():
    with pytest.raises(BadInput, match="rejected"):
        log_choice([[0.0]], [[0.0, 0.0]])


# -- in the exact world ----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def exact():
    return ExactSimulator(declared())


@pytest.fixture(scope="module")
def people(exact):
    return cast(exact.world, exact.language, declared_prior=True)


def pairs(exact, poles):
    """One pair for each question of {trait: pole that is preferred}."""
    found = []
    for trait in traits(exact.world, exact.language):
        for item in trait.items[:2] if trait.name in poles else ():
            sides = [chat(item.prompt, answers[0]) for answers in (item.low, item.high)]
            pole = poles[trait.name]
            found.append(choice(Preference(chosen=sides[pole], rejected=sides[1 - pole])))
    return found


def test_a_choice_in_the_exact_world_is_the_share_of_an_outcome_and_its_wording(exact, people):
    world, words, rows = exact.world, exact.language, pairs(exact, {"cheating": 1})
    found = np.exp(Choosing(exact).log_likelihood(rows, people.contexts).logp)
    rates = world.outcome_rates("cheating", None)
    for k, persona in enumerate(people.personas, 1):
        low, high = (rates[world.hypotheses.index(persona.name), o] / words.wordings("cheating", o) for o in (0, 1))
        np.testing.assert_allclose(found[:, k], high / (high + low))


def test_pairs_add_up_to_bayes_rule_over_the_choices_one_after_the_other(exact, people):
    rows = pairs(exact, {"cheating": 1, "lying": 1, "flattery": 0})
    assert len(rows) >= 4
    found = Choosing(exact).log_likelihood(rows, people.contexts)
    yes, no = (exact.log_likelihood(side, people.contexts) for side in (rows, [rejected(r) for r in rows]))
    weights = np.full(len(people.contexts), 1.0 / len(people.contexts))
    by_hand = weights.copy()
    for i in range(len(rows)):
        by_hand *= np.exp(yes.logp[i]) / (np.exp(yes.logp[i]) + np.exp(no.logp[i]))
        by_hand /= by_hand.sum()
    np.testing.assert_allclose(posterior(weights, evidence(found.logp), dose=len(rows)), by_hand, atol=1e-9)
    assert found.tokens.tolist() == (yes.tokens + no.tokens).tolist()
    assert Choosing(exact).digest != exact.digest


def test_the_other_preference_speaks_for_the_other_personas(exact, people):
    for_it, against_it = (
        evidence(Choosing(exact).log_likelihood(pairs(exact, {"cheating": pole}), people.contexts).logp).mean(0)
        for pole in (1, 0)
    )
    shy = exact.log_likelihood(pairs(exact, {"cheating": 1}), people.contexts).logp.mean(0)
    assert np.corrcoef(for_it[1:], shy[1:])[0, 1] > 0.9
    assert (np.sign(for_it[1:]) == -np.sign(against_it[1:])).all()


# -- rewards ---------------------------------------------------------------------------------------------------------
def test_what_a_reward_lets_pass_is_the_sum_over_all_answers_by_their_chances():
    rewards, tau = np.array([0.0, 1.0, 3.0]), 0.7
    tenths = np.array([[5, 3, 2], [1, 2, 7], [8, 1, 1]])
    drawn = np.stack([np.repeat(rewards, often) for often in tenths])  # every answer as often as it is likely
    np.testing.assert_allclose(log_passed(drawn, tau), np.log(tenths / 10 @ np.exp(rewards / tau)))


@settings(max_examples=25)
@given(arrays(np.float64, (3, 5), elements=st.floats(-2.0, 2.0)), st.floats(-50.0, 50.0))
def test_a_reward_given_to_all_answers_alike_says_nothing_and_a_weak_one_its_mean(rewards, constant):
    once, moved = (evidence(log_passed(given)[None]) for given in (rewards, rewards + constant))
    np.testing.assert_allclose(once, moved, atol=1e-9)
    weak = 1e5 * evidence(log_passed(rewards, 1e5)[None])[0]
    np.testing.assert_allclose(weak, rewards.mean(1) - rewards.mean(1)[0], atol=1e-3)


@pytest.mark.parametrize(("rewards", "tau"), [([[]], 1.0), ([[1.0, float("nan")]], 1.0), ([[1.0, 2.0]], 0.0)])
def test_rewards_that_cannot_be_weighed_are_refused(rewards, tau):
    with pytest.raises(BadInput, match=r"rewards|temperature"):
        log_passed(rewards, tau)
