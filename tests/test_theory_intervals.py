"""Laws of the intervals: they cover at their rate, widen with what is not known, and follow the generator alone."""

import numpy as np
import pytest

from personae.errors import BadInput
from personae.records import Blocks
from personae.theory import (
    clustered_mean_interval,
    clustered_ratio_interval,
    evidence,
    forecast_intervals,
    forecast_shift,
    percentile_interval,
    posterior,
    posterior_draws,
    shift_draws,
)
from personae.theory import intervals as module
from personae.theory.intervals import SAMPLED, Doubt


def generator(seed=0):
    return np.random.default_rng(seed)


def width(estimate):
    return estimate.high - estimate.low


def world(seed=0, episodes=20, personas=6, items=12):
    rng = generator(seed)
    prior = rng.dirichlet(np.ones(personas + 1))
    matrix = evidence(rng.normal(0.0, 1.0, (episodes, personas + 1)))
    return prior, matrix, rng.normal(0.0, 2.0, (personas + 1, items))


def test_a_mean_has_the_interval_of_the_normal_theory():
    values = generator(1).normal(3.0, 2.0, 200)
    found = clustered_mean_interval(values, rng=generator(), draws=4000)
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.05)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05)


def test_clustered_intervals_cover_the_truth_where_unclustered_ones_do_not():
    """40 questions with 5 like answers each, true mean 0: the clustered interval covers about 95 times in a hundred."""
    rng, questions = generator(2), np.repeat(np.arange(40), 5)
    hits = {True: 0, False: 0}
    for _ in range(200):
        values = rng.normal(size=40)[questions] + 0.2 * rng.normal(size=200)
        for clustered in hits:
            found = clustered_mean_interval(values, questions if clustered else None, rng=rng, draws=300)
            hits[clustered] += found.low <= 0.0 <= found.high
    assert 0.89 <= hits[True] / 200 <= 0.99
    assert hits[False] / 200 < 0.75


def test_each_value_its_own_cluster_is_no_clustering():
    values = generator(3).normal(size=30)
    plain = clustered_mean_interval(values, rng=generator())
    assert clustered_mean_interval(values, np.arange(30), rng=generator()) == plain


def test_cluster_labels_may_be_names():
    found = clustered_mean_interval([1.0, 2.0, 6.0], ["a", "a", "b"], rng=generator())
    assert found.mean == 3.0
    assert (found.low, found.high) == (1.5, 6.0)


def test_one_cluster_tells_nothing_of_the_spread():
    found = clustered_mean_interval([1.0, 2.0], [7, 7], rng=generator())
    assert found.mean == 1.5
    assert np.isnan([found.low, found.high]).all()


def test_values_that_all_agree_have_an_interval_of_no_width():
    found = clustered_mean_interval([2.0] * 9, rng=generator())
    assert (found.mean, found.low, found.high) == (2.0, 2.0, 2.0)


def test_a_ratio_weighs_clusters_by_their_denominator():
    assert clustered_ratio_interval([1.0, 3.0], [1.0, 9.0], rng=generator()).mean == pytest.approx(0.4)
    whole = generator(1).lognormal(0.0, 1.0, 50)
    found = clustered_ratio_interval(0.3 * whole, whole, rng=generator())  # both are drawn together
    assert (found.low, found.high) == pytest.approx((0.3, 0.3))


def forecast_interval(prior, matrix, levels, dose, rng, draws, doubt=SAMPLED):
    """Of one trait."""
    return forecast_intervals(prior, matrix, {"": levels}, dose, rng=rng, draws=draws, doubt=doubt)[""]


def test_the_same_generator_gives_the_same_interval():
    prior, matrix, levels = world()
    first, again, other = (forecast_interval(prior, matrix, levels, 1.0, generator(s), 50) for s in (5, 5, 6))
    assert first == again
    assert first != other


def test_the_forecast_interval_holds_the_forecast_and_its_mean_is_the_forecast():
    prior, matrix, levels = world(1)
    found = forecast_interval(prior, matrix, levels, 1.0, generator(), 300)
    assert found.mean == forecast_shift(prior, posterior(prior, matrix, 1.0), levels)
    assert found.low < found.mean < found.high


def test_draws_are_the_posterior_of_resampled_episodes_under_a_reweighted_prior():
    """With one episode and one persona beside neutral nothing is left to draw: every draw is the posterior itself."""
    prior, matrix = np.array([0.3, 0.7]), np.array([[0.0, 1.5]])
    before, after = posterior_draws(prior, matrix, 2.0, rng=generator(), draws=20)
    assert np.allclose(np.exp(before), prior)
    assert np.allclose(np.exp(after), posterior(prior, matrix, 2.0))


def test_the_neutral_context_keeps_its_share_of_every_drawn_prior():
    prior, matrix, _ = world(2)
    before, after = posterior_draws(prior, matrix, 1.0, rng=generator(), draws=50)
    assert np.allclose(np.exp(before[:, 0]), prior[0])
    assert np.allclose(np.exp(before).sum(axis=1), 1.0)
    assert np.allclose(np.exp(after).sum(axis=1), 1.0)


def test_personas_are_reweighted_about_their_prior_as_a_flat_dirichlet_does():
    """Even personas that share 0.9: mean 0.9 / K, variance 0.81 · (K - 1) / (K² · (K + 1))."""
    prior, matrix, _ = world(3, personas=8)
    prior = np.array([0.1, *np.full(8, 0.9 / 8)])
    before, _ = posterior_draws(prior, matrix, 1.0, rng=generator(), draws=4000)
    drawn = np.exp(before[:, 1:])
    assert np.allclose(drawn.mean(axis=0), prior[1:], atol=0.006)
    assert drawn.var(axis=0).mean() == pytest.approx(0.81 * 7 / (64 * 9), rel=0.05)


def test_a_prior_that_is_all_neutral_forecasts_nothing_for_sure():
    found = forecast_interval([1.0, 0.0], [[0.0, 3.0]], np.array([[0.0, 1.0], [2.0, 3.0]]), 5.0, generator(), 30)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)


def test_no_dose_is_no_shift_for_sure():
    prior, matrix, levels = world(4)
    found = forecast_interval(prior, matrix, levels, 0.0, generator(), 30)
    assert (found.mean, found.low, found.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_episodes_that_disagree_widen_the_forecast_and_agreeing_ones_leave_no_doubt():
    """One persona beside neutral and items all alike: the episodes are the only thing that can differ between draws."""
    prior, levels = [0.5, 0.5], np.array([[0.0, 0.0], [2.0, 2.0]])
    files = (np.full(8, 1.0), np.tile([2.0, 0.0], 4), np.tile([5.0, -3.0], 4))
    agreeing, mixed, torn = (
        forecast_interval(prior, np.column_stack([np.zeros(8), file]), levels, 1.0, generator(), 400) for file in files
    )
    assert agreeing.mean == pytest.approx(mixed.mean) == pytest.approx(torn.mean)
    assert width(agreeing) == pytest.approx(0.0, abs=1e-12)
    assert width(torn) > 2.0 * width(mixed) > 0.0


def test_the_first_trait_comes_out_as_it_would_alone_and_the_others_have_its_draws_of_who_speaks():
    prior, matrix, levels = world(6)
    together = forecast_intervals(prior, matrix, {"power": levels, "care": -levels}, 1.0, rng=generator(), draws=100)
    alone = forecast_interval(prior, matrix, levels, 1.0, generator(), 100)
    assert together["power"] == alone
    assert together["care"].mean == pytest.approx(-alone.mean)


def test_an_unmatched_controls_mean_is_drawn_too_and_one_of_alike_rows_adds_nothing():
    rng = np.random.default_rng(8)
    prior = [0.0, 0.5, 0.5]
    file, control = (np.column_stack([np.zeros(n), rng.normal(size=n), np.zeros(n)]) for n in (200, 50))
    spreads = []
    for rows in (None, control, np.tile(control.mean(axis=0), (50, 1))):
        less = None if rows is None else Blocks(len(rows), lambda rows=rows: iter([rows[:20], rows[20:]]))
        _, after = posterior_draws(
            prior, file - control.mean(axis=0), 1.0, rng=generator(), draws=20_000, doubt=Doubt(cast=0.0), less=less
        )
        spreads.append((after[:, 1] - after[:, 2]).std())
    alone, beside, constant = spreads
    assert alone == pytest.approx(file[:, 1].std() / np.sqrt(200), rel=0.03)
    assert beside == pytest.approx(np.hypot(alone, control[:, 1].std() / np.sqrt(50)), rel=0.03)
    assert constant == pytest.approx(alone)


def test_a_ratio_with_draws_of_nothing_has_no_ends_where_they_are_many_and_leaves_out_a_few():
    rng = np.random.default_rng(0)
    rare = clustered_ratio_interval([0, 0, 0, 0.1], [0, 0, 0, 1.0], rng=rng)
    assert rare.mean == pytest.approx(0.1) and np.isnan([rare.low, rare.high]).all()
    some = clustered_ratio_interval([0.1, 0.2, 0.3, 0.1, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0], rng=rng)
    assert 0.0 < some.low < some.mean < some.high < 0.4
    assert np.isnan(clustered_ratio_interval([0.0, 0.0], [0.0, 0.0], rng=rng).mean)


def test_mixing_in_blocks_is_mixing_at_once(monkeypatch):
    prior, matrix, levels = world(7)
    before, after = posterior_draws(prior, matrix, 1.0, rng=generator(), draws=33)
    at_once = shift_draws(before, after, levels, rng=generator())
    monkeypatch.setattr(module, "BLOCK", levels.size * 4)
    assert np.array_equal(shift_draws(before, after, levels, rng=generator()), at_once)


# -- what a training adds to the doubt ---------------------------------------------------------------------------------
def two_poles(gap):
    """A prior, evidence and levels by which a dose shifts a trait by dose · gap nats exactly, whatever is drawn."""
    return [0.0, 0.5, 0.5], np.tile([0.0, gap / 2, -gap / 2], (4, 1)), np.array([[0.0], [60.0], [-60.0]])


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
def test_a_shift_proportional_to_the_dose_has_the_ends_of_a_log_normal(spread):
    found = forecast_interval(*two_poles(0.8), 2.0, generator(), 20_000, Doubt(spread=spread, cast=0.0))
    assert found.mean == pytest.approx(1.6)
    assert np.log([found.low / 1.6, found.high / 1.6]) == pytest.approx([-1.96 * spread, 1.96 * spread], rel=0.04)


def test_a_file_that_says_nothing_has_an_interval_of_the_residual_alone():
    """Its dose and cast do not matter: training's own departure is what is left."""
    found = forecast_interval(*two_poles(0.0), 2.0, generator(), 20_000, Doubt(spread=0.7, residual=0.3, cast=1.0))
    assert found.mean == 0.0
    assert (found.low, found.high) == pytest.approx((-1.96 * 0.3, 1.96 * 0.3), rel=0.04)


@pytest.mark.parametrize("part", ["spread", "residual", "cast"])
def test_the_interval_widens_with_every_doubt_and_the_forecast_stays(part):
    prior, matrix, levels = world(9)
    matrix = np.tile(matrix.mean(axis=0), (4, 1))  # episodes that agree, so that nothing else is in doubt
    sizes = (0.0, 0.3, 0.9)
    found = [forecast_interval(prior, matrix, levels, 1.0, generator(), 400, Doubt(**{part: s})) for s in sizes]
    assert width(found[0]) < width(found[1]) < width(found[2])
    assert len({f.mean for f in found}) == 1


def test_without_spread_and_residual_the_doubt_is_of_episodes_cast_and_items_alone():
    prior, matrix, levels = world(10)
    assert forecast_interval(prior, matrix, levels, 1.0, generator(), 60, Doubt(0.0, 0.0)) == forecast_interval(
        prior, matrix, levels, 1.0, generator(), 60
    )
    again = generator()
    before, after = posterior_draws(prior, matrix, 1.0, rng=again, draws=60)
    shifts = shift_draws(before, after, levels, rng=again)
    found = forecast_interval(prior, matrix, levels, 1.0, generator(), 60)
    assert (found.low, found.high) == percentile_interval(shifts)


def test_one_stream_draws_the_same_episodes_and_personas_at_any_spread():
    prior, matrix, _ = world(11)
    sure, unsure = (posterior_draws(prior, matrix, 1.0, rng=generator(), draws=40, doubt=Doubt(s)) for s in (0.0, 0.5))
    assert np.array_equal(sure[0], unsure[0])
    doses = [np.diff(u - b)[0] / np.diff(s - b)[0] for b, s, u in zip(sure[0], sure[1], unsure[1], strict=True)]
    assert np.log(doses).std() == pytest.approx(0.5, abs=0.15)


def test_a_cast_that_names_everybody_is_not_reweighted():
    prior, matrix, _ = world(12)
    before, _ = posterior_draws(prior, matrix, 1.0, rng=generator(), draws=20, doubt=Doubt(cast=0.0))
    assert np.allclose(np.exp(before), prior)


@pytest.mark.parametrize("cast", [0.25, 0.5])
def test_personas_in_less_doubt_are_reweighted_as_a_tighter_dirichlet(cast):
    """Of K even personas that share 0.9: variance 0.81 · (K - 1) / (K² · (K / cast² + 1))."""
    _, matrix, _ = world(13, personas=8)
    prior = np.array([0.1, *np.full(8, 0.9 / 8)])
    before, _ = posterior_draws(prior, matrix, 1.0, rng=generator(), draws=4000, doubt=Doubt(cast=cast))
    assert np.exp(before[:, 1:]).var(axis=0).mean() == pytest.approx(0.81 * 7 / (64 * (8 / cast**2 + 1)), rel=0.05)


@pytest.mark.parametrize("parts", [{"spread": -0.1}, {"residual": np.nan}, {"cast": 1.5}, {"spread": np.inf}])
def test_what_is_no_standard_deviation_is_no_doubt(parts):
    with pytest.raises(BadInput, match="no doubt"):
        Doubt(**parts)


@pytest.mark.parametrize(
    "call",
    [
        lambda: clustered_mean_interval([], rng=generator()),
        lambda: clustered_mean_interval([1.0, 2.0], [1], rng=generator()),
        lambda: clustered_ratio_interval([1.0, 2.0], [1.0], rng=generator()),
    ],
)
def test_values_that_do_not_match_are_refused(call):
    with pytest.raises(BadInput):
        call()
