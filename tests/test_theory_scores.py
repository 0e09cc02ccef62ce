"""Laws of the scores, against NumPy written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from personae.errors import BadInput
from personae.theory import (
    coverage,
    interval_score,
    median_within,
    pearson,
    pearson_interval,
    score,
    share_left,
    skill,
    slope,
    spearman,
)

seeds = st.integers(0, 2**32 - 1)


def draw(seed, n=12):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, 0.7 * x + rng.normal(size=n)


@given(seeds)
def test_pearson_is_the_correlation_matrix_entry(seed):
    x, y = draw(seed)
    assert pearson(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])


@given(seeds)
def test_spearman_is_the_pearson_of_ranks(seed):
    x, y = draw(seed)
    assert spearman(x, y) == pytest.approx(pearson(x.argsort().argsort(), y.argsort().argsort()))


@given(seeds)
def test_slope_is_that_of_the_fitted_line_of_measured_on_forecast(seed):
    x, y = draw(seed)
    assert slope(x, y) == pytest.approx(np.polyfit(x, y, 1)[0])


def test_a_forecast_twice_too_large_has_slope_one_half_and_perfect_correlation():
    measured = np.array([[0.5, -1.0], [2.0, 0.0]])
    assert slope(2.0 * measured, measured) == pytest.approx(0.5)
    assert pearson(2.0 * measured, measured) == pytest.approx(1.0)


@given(seeds)
def test_order_alone_decides_spearman(seed):
    x, y = draw(seed)
    assert spearman(np.exp(x), y**3) == pytest.approx(spearman(x, y))


def test_cells_that_are_not_known_are_left_out():
    x, y = draw(1)
    gaps = (np.append(x, [np.nan, 5.0]), np.append(y, [3.0, np.nan]))
    assert pearson(*gaps) == pearson(x, y)
    assert slope(*gaps) == slope(x, y)
    assert score(*gaps).n == 12


@pytest.mark.parametrize("figure", [pearson, spearman, slope])
def test_a_figure_that_its_cells_do_not_determine_is_not_a_number(figure):
    assert np.isnan(figure([1.0], [2.0]))
    assert np.isnan(figure([], []))
    assert np.isnan(figure([0.1 + 0.2, 0.3, 0.3], [1.0, 2.0, 3.0]))


def test_measurements_that_are_all_the_same_have_slope_zero_and_no_correlation():
    assert slope([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]) == 0.0
    assert np.isnan(pearson([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]))


def test_the_median_within_arms_is_not_flattered_by_severity():
    """Two arms, one mild and one severe: pooled they correlate, within each the forecast is backwards."""
    forecast, measured = [[1.0, 2.0, 3.0], [11.0, 12.0, 13.0]], [[3.0, 2.0, 1.0], [13.0, 12.0, 11.0]]
    arms = [["mild"] * 3, ["severe"] * 3]
    assert pearson(forecast, measured) > 0.9
    assert median_within(arms, forecast, measured) == pytest.approx(-1.0)


def test_arms_without_three_cells_or_spread_have_no_say():
    arms = np.repeat([0, 1, 2, 3], [3, 2, 3, 3])
    forecast = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 5.0, 5.0, 5.0, 1.0, 2.0, np.nan])
    measured = np.array([1.0, 2.0, 4.0, 2.0, 1.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0])
    assert median_within(arms, forecast, measured) == pearson(forecast[:3], measured[:3])
    assert np.isnan(median_within(arms[3:5], forecast[3:5], measured[3:5]))


def test_coverage_counts_the_ends_and_leaves_out_what_is_unknown():
    assert coverage([0.0, 0.0, 0.0, np.nan], [1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.1, 0.5]) == pytest.approx(2 / 3)
    assert np.isnan(coverage([np.nan], [1.0], [0.0]))


def test_the_true_quantiles_have_the_best_interval_score():
    x = np.random.default_rng(0).normal(size=20_000)
    scores = [interval_score(np.full_like(x, -h), np.full_like(x, h), x) for h in (1.5, 1.96, 2.5)]
    assert scores[1] == min(scores)


def test_interval_score_is_the_width_plus_forty_times_the_miss():
    assert interval_score([0.0], [2.0], [1.0]) == 2.0
    assert interval_score([0.0], [2.0], [2.5]) == pytest.approx(2.0 + 40 * 0.5)
    assert interval_score([0.0], [2.0], [-0.5]) == pytest.approx(2.0 + 40 * 0.5)


def test_skill_is_one_for_the_exact_answer_and_zero_for_the_prior():
    exact, prior = np.array([0.9, 0.1]), np.array([0.4, 0.4])
    assert skill(exact, exact, prior) == 1.0
    assert skill(prior, exact, prior) == 0.0
    assert skill(2 * prior - exact, exact, prior) == pytest.approx(-3.0)
    assert np.isnan(skill(exact, exact, exact))


def test_a_score_holds_every_figure_and_its_floors():
    x, y = draw(2)
    found = score(x, y, low=x - 1.0, high=x + 1.0, floors={"upside down": -y, "no change": np.zeros_like(y)})
    assert (found.pearson, found.spearman, found.slope) == (pearson(x, y), spearman(x, y), slope(x, y))
    assert found.coverage == np.mean(np.abs(y - x) <= 1.0)
    assert found.n == 12
    assert found.floors["upside down"] == pytest.approx(-1.0)
    assert np.isnan(found.floors["no change"])
    assert np.isnan(score(x, y).coverage)


def test_a_floor_is_scored_on_the_forecasts_cells():
    x, y = draw(3)
    holed = np.where(np.arange(12) < 2, np.nan, x)
    assert score(holed, y, floors={"f": x}).floors["f"] == pytest.approx(pearson(x[2:], y[2:]))


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(BadInput):
        pearson([1.0, 2.0], [1.0])
    with pytest.raises(BadInput):
        median_within([0], [1.0, 2.0], [1.0, 2.0])


@given(st.integers(4, 60), st.integers(0, 2**32 - 1))
def test_a_correlation_has_the_interval_that_the_field_gives_it(n, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    found, known = pearson_interval(pearson(x, y), n), pearsonr(x, y).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-5)


@pytest.mark.parametrize(("r", "n"), [(0.5, 3), (1.0, 20), (float("nan"), 20)])
def test_where_a_correlation_has_no_interval_its_ends_are_unknown(r, n):
    found = pearson_interval(r, n)
    assert np.isnan(found.low) and np.isnan(found.high)


@given(st.floats(-3.0, 3.0), st.integers(0, 2**32 - 1))
def test_what_is_left_of_an_effect_is_its_multiple(share, seed):
    shifts = np.random.default_rng(seed).normal(size=7)
    assert share_left(shifts, share * shifts) == pytest.approx(share)
    assert np.isnan(share_left(np.zeros(7), shifts))
