"""Laws of the posterior predictive: mixing against probabilities written out, and far out in the tails."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import forecast_shift, level, log_sigmoid, mixture_levels, posterior, probability

seeds = st.integers(0, 2**32 - 1)


def draw(seed, personas=4, items=5, spread=2.0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(personas)), rng.normal(0.0, spread, (personas, items))


@given(seeds)
def test_a_mixture_mixes_probabilities_within_each_item(seed):
    """Slower truth: probabilities, item by item."""
    weights, levels = draw(seed)
    for i, mixed in enumerate(mixture_levels(weights, levels)):
        high = sum(w / (1.0 + np.exp(-x)) for w, x in zip(weights, levels[:, i], strict=True))
        assert mixed == pytest.approx(np.log(high / (1.0 - high)), abs=1e-9)


def test_a_mixture_is_exact_on_fractions():
    odds = [Fraction(3), Fraction(1, 4), Fraction(2, 5)]
    weights = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    high = sum(w * o / (1 + o) for w, o in zip(weights, odds, strict=True))
    mixed = mixture_levels([float(w) for w in weights], [[np.log(float(o))] for o in odds])[0]
    assert mixed == pytest.approx(np.log(float(high / (1 - high))), rel=1e-14)


@given(seeds)
def test_one_persona_alone_is_itself(seed):
    _, levels = draw(seed, spread=30.0)
    assert np.allclose(mixture_levels([0.0, 0.0, 1.0, 0.0], levels), levels[2], rtol=1e-12)


@given(seeds)
def test_a_mixture_lies_between_its_personas(seed):
    weights, levels = draw(seed, spread=20.0)
    mixed = mixture_levels(weights, levels)
    assert (mixed >= levels.min(axis=0) - 1e-9).all()
    assert (mixed <= levels.max(axis=0) + 1e-9).all()


@given(seeds)
def test_swapping_the_poles_changes_the_sign(seed):
    weights, levels = draw(seed, spread=20.0)
    assert np.allclose(mixture_levels(weights, -levels), -mixture_levels(weights, levels), atol=1e-9)


@pytest.mark.parametrize("far", [60.0, 300.0, 2000.0])
def test_levels_far_out_keep_every_digit(far):
    """With all personas far out on one side, odds mix: log p(low) = log Σ w exp(-level) and p(high) is 1."""
    mixed = mixture_levels([0.25, 0.75], [[far], [far + 1.0]])[0]
    expected = far - np.log(0.25 + 0.75 * np.exp(-1.0)) - np.log1p(np.exp(-far))
    assert mixed == pytest.approx(expected, rel=1e-14)


def test_personas_at_opposite_ends_meet_at_the_odds_of_their_weights():
    assert mixture_levels([0.9, 0.1], [[60.0], [-60.0]])[0] == pytest.approx(np.log(9.0), rel=1e-12)


def test_a_certain_persona_in_a_mixture_is_a_number():
    assert mixture_levels([0.5, 0.5], [[np.inf], [-np.inf]])[0] == 0.0
    assert mixture_levels([0.5, 0.5], [[np.inf], [np.inf]])[0] == np.inf


def test_the_mean_of_personas_levels_is_not_the_level_of_their_mixture():
    weights, levels = np.array([0.5, 0.5]), np.array([[8.0], [0.0]])
    assert level(mixture_levels(weights, levels)) < level(weights @ levels) - 2.0


def test_level_and_probability_are_means_over_items():
    assert level([1.0, 3.0]) == 2.0
    assert probability([0.0, np.log(3.0)]) == pytest.approx(0.625)
    assert log_sigmoid(0.0) == pytest.approx(np.log(0.5))


@given(seeds)
def test_no_selection_forecasts_no_shift(seed):
    weights, levels = draw(seed)
    assert forecast_shift(weights, weights, levels) == 0.0


@given(seeds)
def test_going_back_is_the_same_shift_with_the_other_sign(seed):
    prior, levels = draw(seed)
    weights = posterior(prior, np.random.default_rng(seed).normal(size=(3, 4)), 2.0)
    assert forecast_shift(prior, weights, levels) == pytest.approx(-forecast_shift(weights, prior, levels), abs=1e-12)


def test_a_shift_is_the_change_of_log_odds():
    prior, weights, levels = [0.5, 0.5], [0.1, 0.9], [[-50.0, -50.0], [50.0, 50.0]]
    assert forecast_shift(prior, weights, levels) == pytest.approx(np.log(9.0))


@pytest.mark.parametrize(
    ("weights", "levels"),
    [([1.0], [1.0, 2.0]), ([1.0, 1.0], [[1.0]]), ([1.0], [[np.nan]]), ([1.0], np.empty((1, 0)))],
)
def test_levels_that_are_no_table_over_the_cast_are_refused(weights, levels):
    with pytest.raises(BadInput):
        mixture_levels(weights, levels)
