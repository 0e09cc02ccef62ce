"""Whether intervals keep their promise: closed forms, and forecasts that are calibrated because they were drawn so."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm

from personae.errors import BadInput
from personae.theory import central_quantile, coverage, departures, held, interval_score, pit, share_interval

seeds = st.integers(0, 2**32 - 1)


def cells(seed, n=40, spread=1.0):
    """Intervals of all widths, and measurements `spread` times as scattered as those promise."""
    rng = np.random.default_rng(seed)
    middle, sd = rng.normal(size=n), rng.uniform(0.1, 2.0, size=n)
    half = 1.959964 * sd
    return middle - half, middle + half, middle + spread * sd * rng.normal(size=n)


@given(seeds, st.floats(0.2, 3.0))
def test_at_the_recorded_level_what_is_held_is_what_coverage_counts(seed, spread):
    low, high, measured = cells(seed, spread=spread)
    assert held(departures(low, high, measured), 0.95).mean() == coverage(low, high, measured)


@given(seeds)
def test_a_wider_interval_holds_whatever_a_narrower_one_does(seed):
    u = departures(*cells(seed, spread=1.5))
    shares = [held(u, p) for p in (0.1, 0.5, 0.9, 0.99)]
    assert all((narrow <= wide).all() for narrow, wide in pairwise(shares))


@given(seeds, st.floats(0.01, 100.0), st.floats(-50.0, 50.0))
def test_departures_have_no_unit_and_no_origin(seed, scale, offset):
    ends = cells(seed)
    assert departures(*(scale * e + offset for e in ends)) == pytest.approx(departures(*ends), abs=1e-6)


def test_an_interval_at_any_level_is_that_of_the_normal_with_the_recorded_ends():
    low, high = -1.0, 4.0
    sd = (high - low) / 2 / norm.ppf(0.975)
    for p in (0.2, 0.5, 0.8, 0.99):
        ends = np.array(norm.interval(p, loc=1.5, scale=sd))
        u = departures(low, high, ends)
        assert not held(u * 1.0001, p).any() and held(u * 0.9999, p).all()
    assert pit(departures(low, high, [0.0, 3.0])) == pytest.approx(norm.cdf([0.0, 3.0], loc=1.5, scale=sd))


def test_calibrated_forecasts_hold_what_they_promise_and_their_pit_is_uniform():
    u = departures(*cells(0, n=20_000))
    for p in (0.1, 0.5, 0.9, 0.95):
        assert held(u, p).mean() == pytest.approx(p, abs=0.01)
    assert kstest(pit(u), "uniform").pvalue > 0.01


@pytest.mark.parametrize(("spread", "at_95"), [(2.0, 0.673), (0.5, 0.9999)])
def test_forecasts_too_sure_or_too_cautious_hold_the_share_of_the_closed_form(spread, at_95):
    u = departures(*cells(1, n=20_000, spread=spread))
    assert held(u, 0.95).mean() == pytest.approx(2 * norm.cdf(1.959964 / spread) - 1, abs=0.01)
    assert held(u, 0.95).mean() == pytest.approx(at_95, abs=0.01)


def test_what_is_unknown_has_no_departure_and_an_interval_without_width_holds_what_lies_on_it():
    assert np.isnan(departures([np.nan, 0.0, 0.0], [1.0, np.nan, 1.0], [0.5, 0.5, np.nan])).all()
    assert departures([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 2.0, 0.0]).tolist() == [0.0, np.inf, -np.inf]
    assert pit([np.inf, -np.inf]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("stated", [0.0, 1.0, -0.1, float("nan")])
def test_a_level_that_is_no_share_is_refused(stated):
    with pytest.raises(BadInput, match="no interval holds"):
        central_quantile(stated)


# -- the share and its doubt -----------------------------------------------------------------------------------------
def wilson(k, n):
    from scipy.stats import binomtest

    found = binomtest(k, n).proportion_ci(method="wilson")
    return found.low, found.high


@given(st.integers(1, 40), st.data())
def test_of_independent_observations_the_interval_is_wilsons(n, data):
    k = data.draw(st.integers(0, n))
    found = share_interval(np.arange(n) < k, np.arange(n))
    assert found.mean == k / n
    assert (found.low, found.high) == pytest.approx(wilson(k, n))


@given(st.integers(2, 20), st.integers(2, 9), st.data())
def test_observations_that_repeat_within_a_cluster_count_once(groups, size, data):
    k = data.draw(st.integers(0, groups))
    found = share_interval(np.repeat(np.arange(groups) < k, size), np.repeat(np.arange(groups), size))
    assert (found.low, found.high) == pytest.approx(wilson(k, groups))


def test_clusters_that_all_hold_the_same_share_count_every_observation():
    found = share_interval([True, False] * 10, np.repeat(np.arange(10), 2))
    assert (found.low, found.high) == pytest.approx(wilson(10, 20))


def test_one_cluster_counts_as_one_and_none_as_nothing():
    found = share_interval([True] * 12, [0] * 12)
    assert (found.low, found.high) == pytest.approx(wilson(1, 1))
    assert np.isnan(share_interval([], []).mean)
    with pytest.raises(BadInput, match="cluster labels"):
        share_interval([True, False], [0])


def ends(share, n):
    """Where (p - share)² = z² p (1 - p) / n: Wilson's interval, for any number of observations."""
    z = norm.ppf(0.975)
    return sorted(np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2]).real)


@given(seeds)
def test_doubt_lies_between_one_observation_a_cluster_and_one_each(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(8, size=50)
    found = rng.random(50) < rng.random(8)[labels]
    got = share_interval(found, labels)
    few, many = ends(found.mean(), len(np.unique(labels))), ends(found.mean(), 50)
    small = 1e-9
    assert few[0] - small <= got.low <= many[0] + small and many[1] - small <= got.high <= few[1] + small


def test_an_interval_score_of_nothing_is_unknown():
    assert np.isnan(interval_score([np.nan], [1.0], [0.0]))
    assert interval_score([0.0, np.nan], [2.0, 1.0], [1.0, 0.0]) == 2.0
