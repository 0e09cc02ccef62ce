"""Laws of selection: the posterior against Bayes' rule written out, its invariances, and where the bits go."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import (
    against,
    divergence,
    evidence,
    most_raised,
    move,
    normalised,
    posterior,
    posterior_path,
    softmax,
)

seeds = st.integers(0, 2**32 - 1)
doses = st.floats(0.0, 50.0)


def draw(seed, episodes=6, contexts=5, spread=3.0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(contexts)), evidence(rng.normal(0.0, spread, (episodes, contexts)))


def test_evidence_is_measured_from_the_neutral_context():
    logp = np.array([[-5.0, -3.0, -9.0], [-1.0, -1.5, -0.5]])
    assert np.array_equal(evidence(logp), [[0.0, 2.0, -4.0], [0.0, -0.5, 0.5]])


def test_one_effective_episode_each_is_bayes_rule():
    """Slower truth: prior times the product of likelihood ratios, persona by persona."""
    prior, matrix = draw(0)
    joint = [p * math.prod(math.exp(x) for x in column) for p, column in zip(prior, matrix.T, strict=True)]
    assert np.allclose(posterior(prior, matrix, dose=len(matrix)), np.array(joint) / sum(joint), rtol=1e-12)


@given(seeds)
def test_dose_zero_leaves_the_prior(seed):
    prior, matrix = draw(seed)
    assert np.allclose(posterior(prior, matrix, 0.0), prior, rtol=1e-12)


@given(seeds, doses)
def test_posterior_is_invariant_to_episode_order(seed, dose):
    prior, matrix = draw(seed)
    shuffled = np.random.default_rng(seed).permutation(matrix)
    assert np.allclose(posterior(prior, shuffled, dose), posterior(prior, matrix, dose), atol=1e-12)


@given(seeds, doses, st.integers(2, 4))
def test_posterior_is_invariant_to_repeating_the_file(seed, dose, times):
    prior, matrix = draw(seed)
    repeated = np.tile(matrix, (times, 1))
    assert np.allclose(posterior(prior, repeated, dose), posterior(prior, matrix, dose), atol=1e-12)


@given(seeds, doses)
def test_posterior_is_invariant_to_how_hard_an_episode_is_for_everyone(seed, dose):
    prior, matrix = draw(seed)
    harder = matrix + np.random.default_rng(seed).normal(0.0, 20.0, (len(matrix), 1))
    assert np.allclose(posterior(prior, harder, dose), posterior(prior, matrix, dose), atol=1e-10)


@given(seeds, doses, doses)
def test_two_doses_one_after_the_other_are_their_sum(seed, first, second):
    prior, matrix = draw(seed)
    twice = posterior(posterior(prior, matrix, first), matrix, second)
    assert np.allclose(twice, posterior(prior, matrix, first + second), atol=1e-9)


@given(seeds)
def test_expected_evidence_rises_with_dose(seed):
    prior, matrix = draw(seed)
    path = posterior_path(prior, matrix, np.linspace(0.0, 5.0, 11))
    expected = path @ matrix.mean(axis=0)
    assert path.shape == (11, 5)
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(expected))


@pytest.mark.parametrize(
    ("dose", "said"), [(np.inf, "inf .* - give a smaller one"), (-1.0, "-1 .* - give zero or more"), (np.nan, "nan")]
)
def test_what_is_no_dose_is_named(dose, said):
    with pytest.raises(BadInput, match=f"a dose of {said}"):
        posterior([0.5, 0.5], [[0.0, 1.0]], dose)


def test_a_large_dose_leaves_the_best_explained_persona_and_no_overflow():
    prior, matrix = draw(3)
    late = posterior(prior, 1e4 * matrix, 1e3)
    assert late[np.argmax(matrix.mean(axis=0))] == 1.0
    assert np.isfinite(late).all()


def test_a_persona_that_was_impossible_stays_impossible():
    assert posterior([0.5, 0.5, 0.0], [[0.0, 1.0, 50.0]], 3.0)[2] == 0.0


def test_prior_need_not_add_up_to_one():
    prior, matrix = draw(4)
    assert np.allclose(posterior(7.0 * prior, matrix, 2.0), posterior(prior, matrix, 2.0))


def test_a_file_against_itself_gives_the_prior():
    prior, matrix = draw(5)
    assert np.allclose(posterior(prior, against(matrix, matrix), 10.0), prior)


def test_against_takes_off_what_the_control_shows_on_average():
    left = against([[0.0, 3.0]], [[0.0, 1.0], [0.0, 2.0]])
    assert np.allclose(left, [[0.0, 1.5]])


@given(seeds, doses)
def test_bits_of_the_episodes_add_up_to_the_symmetric_divergence(seed, dose):
    prior, matrix = draw(seed, spread=1.0)
    after = posterior(prior, matrix, dose)
    moved = (divergence(after, prior) + divergence(prior, after)) / np.log(2.0)
    assert np.isclose(move(prior, matrix, dose).bits(matrix).sum(), moved, rtol=1e-6, atol=1e-9)


def test_push_adds_up_to_the_change_of_log_odds_against_neutral():
    prior, matrix = draw(8)
    after = posterior(prior, matrix, 2.0)
    change = np.log(after / after[0]) - np.log(prior / prior[0])
    assert np.allclose(move(prior, matrix, 2.0).push(matrix).sum(axis=0), change)


def test_an_episode_that_says_nothing_has_no_bits_and_raises_no_one():
    matrix = np.array([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0]])
    found = move([0.5, 0.25, 0.25], matrix, 3.0)
    assert found.bits(matrix)[1] == 0.0
    loud, silent = found.push(matrix)
    assert most_raised(silent) == []
    assert most_raised(loud) == [1, 2]
    assert most_raised(loud, count=1) == [1]


def test_an_episode_that_pulls_against_the_file_has_bits_below_zero():
    matrix = np.array([[0.0, 2.0], [0.0, 2.0], [0.0, -1.0]])
    bits = move([0.5, 0.5], matrix, 3.0).bits(matrix)
    assert (bits[:2] > 0.0).all()
    assert bits[2] < 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: evidence([[0.0, -np.inf]]),
        lambda: evidence([[np.nan, 0.0]]),
        lambda: evidence([0.0, 1.0]),
        lambda: evidence(np.empty((0, 3))),
        lambda: posterior([0.5, 0.5], [[0.0, 1.0, 2.0]], 1.0),
        lambda: posterior([0.5, 0.5], [[0.0, 1.0]], -1.0),
        lambda: posterior([0.5, 0.5], [[0.0, 1.0]], math.inf),
        lambda: posterior([0.5, -0.5], [[0.0, 1.0]], 1.0),
        lambda: posterior([0.0, 0.0], [[0.0, 1.0]], 1.0),
        lambda: against([[0.0, 1.0]], [[0.0, 1.0, 2.0]]),
        lambda: normalised([[0.5, 0.5]]),
    ],
)
def test_what_cannot_be_evidence_or_a_prior_is_refused(call):
    with pytest.raises(BadInput):
        call()


def test_the_refusal_names_episode_and_context():
    with pytest.raises(BadInput, match="episode 1 has log-likelihood -inf under context 2"):
        evidence([[0.0, 0.0, 0.0], [0.0, 0.0, -np.inf]])


@given(seeds)
def test_divergence_is_zero_only_between_equals(seed):
    p, q = np.random.default_rng(seed).dirichlet(np.ones(4), size=2)
    assert divergence(p, p) == 0.0
    assert divergence(p, q) > 0.0


def test_divergence_is_infinite_where_the_second_excludes_what_the_first_holds():
    assert divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(math.log(2.0))


def test_softmax_ignores_a_shift_of_any_size():
    logs = np.array([[0.0, 1.0, -2.0]])
    assert np.allclose(softmax(logs + 1e6), softmax(logs), rtol=1e-9)
