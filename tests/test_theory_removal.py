"""Laws of removal: what a prompt that changes nothing, that says nothing of anybody, or that adds to it, removes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import evidence, forecast_shift, posterior, removals, shift_size

seeds = st.integers(0, 2**32 - 1)
ROWS, CONTEXTS = 12, 5


def draw(seed):
    """Prior (K + 1,), log-likelihoods (R, K + 1) of rows that speak for the second persona, levels of two traits."""
    rng = np.random.default_rng(seed)
    plain = rng.normal(-20.0, 1.0, (ROWS, CONTEXTS))
    plain[:, 2] += 3.0
    levels = [rng.normal(0.0, 2.0, (CONTEXTS, 4)) for _ in range(2)]
    levels[0][2] += 4.0
    return rng.dirichlet(np.full(CONTEXTS, 5.0)), plain, levels


def found(seed, dose=2.0, draws=50, **prompted):
    prior, plain, levels = draw(seed)
    arms = {name: change(plain) for name, change in prompted.items()} | {"neutral": plain}
    return removals(prior, plain, arms, ["neutral"], levels, dose, rng=np.random.default_rng(seed), draws=draws)


def same_for_all(plain):
    """Behind it an answer is as likely for everybody: 4 nats likelier than for the neutral context without it."""
    return np.repeat(plain[:, :1] + 4.0, CONTEXTS, axis=1)


@given(seeds)
@settings(max_examples=25)
def test_size_is_the_root_mean_square_of_the_forecast_shifts(seed):
    prior, plain, levels = draw(seed)
    matrix = evidence(plain)
    weights = posterior(prior, matrix, 2.0)
    shifts = [forecast_shift(prior, weights, table) for table in levels]
    assert np.isclose(shift_size(prior, matrix.mean(axis=0), levels, 2.0), np.sqrt(np.mean(np.square(shifts))))


@given(seeds)
@settings(max_examples=25)
def test_a_prompt_that_changes_nothing_removes_nothing_and_keeps_everything(seed):
    one = found(seed, same=np.copy)["same"]
    for estimate in (one.removed, one.beyond, one.uplift, one.kept):
        assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


@given(seeds)
@settings(max_examples=25)
def test_where_anybody_would_answer_so_all_of_it_is_removed_and_the_uplift_is_counted(seed):
    one = found(seed, asked=same_for_all)["asked"]
    assert [one.removed.mean, one.removed.low, one.beyond.mean] == pytest.approx([1.0] * 3)
    assert one.left.mean == pytest.approx(0.0, abs=1e-12)
    assert one.uplift.mean == pytest.approx(4.0)


@given(seeds)
@settings(max_examples=25)
def test_what_is_kept_is_the_answer_of_the_mixture_that_training_selects(seed):
    """Slower truth: row by row, persona by persona."""
    prior, plain, _ = draw(seed)
    asked = same_for_all(plain)
    one = found(seed, asked=same_for_all)["asked"]
    weights = [posterior(prior, evidence(logp), 2.0) for logp in (plain, asked)]
    said = [
        np.log(sum(w * np.exp(logp[i, k]) for k, w in enumerate(weight)))
        for weight, logp in zip(weights, (plain, asked), strict=True)
        for i in range(ROWS)
    ]
    assert one.kept.mean == pytest.approx(np.mean(said[ROWS:]) - np.mean(said[:ROWS]))


def test_a_prompt_that_makes_the_rows_say_more_removes_less_than_nothing():
    def louder(plain):
        return plain[:, :1] + 2.0 * (plain - plain[:, :1])

    one = found(0, louder=louder)["louder"]
    assert one.removed.mean < 0.0 and one.beyond.high < 0.0


@given(seeds)
@settings(max_examples=25)
def test_the_order_of_the_rows_changes_no_estimate(seed):
    prior, plain, levels = draw(seed)
    order = np.random.default_rng(seed).permutation(ROWS)
    one, other = (
        removals(prior, p, {"n": 0.9 * p}, ["n"], levels, 2.0, rng=np.random.default_rng(0), draws=5)["n"]
        for p in (plain, plain[order])
    )
    assert one.removed.mean == pytest.approx(other.removed.mean) and one.kept.mean == pytest.approx(other.kept.mean)


def test_an_interval_over_rows_narrows_with_their_number():
    prior, plain, levels = draw(3)
    widths = []
    for times in (1, 16):
        rows = np.tile(plain, (times, 1))
        asked = rows + np.random.default_rng(4).normal(0.0, 1.0, rows.shape)
        one = removals(prior, rows, {"n": asked}, ["n"], levels, 1.0, rng=np.random.default_rng(1))["n"]
        widths.append(one.removed.high - one.removed.low)
    assert widths[1] < widths[0] / 2.0


@pytest.mark.parametrize("kept", [0.0, 0.2, 0.6])
def test_of_noisy_rows_the_interval_holds_what_such_rows_would_do_without_end(kept):
    """Behind the prompt the rows say `kept` of what they say: noise is no part of what is left."""
    rng = np.random.default_rng(0)
    rows, contexts, files, dose = 48, 17, 30, 0.5
    prior, mean = np.full(contexts, 1.0 / contexts), np.append(0.0, rng.normal(0.0, 1.4, contexts - 1))
    levels = [rng.normal(0.0, 2.0, (contexts, 6)) for _ in range(6)]
    left, whole = (shift_size(prior, share * mean, levels, dose) for share in (kept, 1.0))
    told = []
    for seed in range(files):
        draws = np.random.default_rng([seed, 1])
        noise, other = draws.normal(0.0, 2.1, (2, rows, contexts))
        plain, behind = mean + noise, kept * mean + 0.7 * noise + 0.7 * other
        told.append(removals(prior, plain, {"n": behind}, ["n"], levels, dose, rng=draws, draws=100)["n"])
    for truth, estimates in ((1.0 - left / whole, [t.removed for t in told]), (left, [t.left for t in told])):
        assert sum(one.low <= truth <= one.high for one in estimates) >= 0.9 * files


def test_of_a_file_that_does_no_more_than_chance_no_share_is_known():
    rng = np.random.default_rng(0)
    prior, _, levels = draw(0)
    plain = np.array([[-20.0] * CONTEXTS, [-20.0] * CONTEXTS])
    plain[:, 1:] += rng.normal(0.0, 3.0, CONTEXTS - 1) * np.array([[1.0], [-0.9]])  # they all but cancel
    one = removals(prior, plain, {"n": 0.5 * plain}, ["n"], levels, 0.5, rng=rng)["n"]
    assert np.isnan([one.removed.mean, one.removed.low, one.beyond.mean]).all() and one.left.mean == 0.0


def test_a_control_is_no_part_of_its_own_yardstick():
    """What one removes beyond the other is not halved by itself; of one alone it is not known."""
    prior, plain, levels = draw(6)
    arms = {"nothing": plain, "all": same_for_all(plain)}

    def beyond(*controls):
        several = removals(prior, plain, arms, controls, levels, 2.0, rng=np.random.default_rng(0))
        return several["all"].beyond.mean

    assert beyond("nothing", "all") == pytest.approx(1.0) == beyond("nothing")
    assert np.isnan(beyond("all"))


def test_removal_without_a_control_or_of_other_rows_is_refused():
    prior, plain, levels = draw(5)
    rng = np.random.default_rng(0)
    with pytest.raises(BadInput, match="ask for nothing"):
        removals(prior, plain, {"a": plain}, [], levels, 1.0, rng=rng)
    with pytest.raises(BadInput, match="the same rows"):
        removals(prior, plain, {"a": plain[1:]}, ["a"], levels, 1.0, rng=rng)
