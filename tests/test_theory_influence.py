"""Laws of influence: the gradient against finite differences, shares that add up, and the bound on what is usual."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput, RunFailed
from personae.records import Blocks
from personae.theory import evidence, forecast_shift, gradient, influence, outlying, posterior, softmax

seeds = st.integers(0, 2**32 - 1)
doses = st.floats(0.0, 30.0)


def draw(seed, episodes=7, contexts=5, items=4, spread=2.0):
    """Prior (K + 1,), evidence (N, K + 1), levels (K + 1, I)."""
    rng = np.random.default_rng(seed)
    matrix = evidence(rng.normal(0.0, spread, (episodes, contexts)))
    return rng.dirichlet(np.ones(contexts)), matrix, rng.normal(0.0, 3.0, (contexts, items))


def shift(prior, matrix, levels, dose):
    return forecast_shift(prior, posterior(prior, matrix, dose), levels)


@given(seeds)
def test_the_gradient_is_how_the_level_answers_to_a_small_change_of_each_log_weight(seed):
    """Slower truth: finite differences, persona by persona."""
    prior, _, levels = draw(seed)
    found, tiny = gradient(prior, levels), 1e-5
    for k in range(len(prior)):
        up, down = (softmax(np.log(prior) + sign * tiny * np.eye(len(prior))[k]) for sign in (1.0, -1.0))
        assert np.isclose(found[k], forecast_shift(down, up, levels) / (2.0 * tiny), atol=1e-6)


@given(seeds)
def test_the_gradient_adds_up_to_nothing_and_a_trait_all_share_has_none(seed):
    prior, _, levels = draw(seed)
    assert np.isclose(gradient(prior, levels).sum(), 0.0, atol=1e-12)
    assert np.allclose(gradient(prior, np.tile(levels[:1], (len(prior), 1))), 0.0)


@given(seeds, doses)
def test_the_shares_of_all_episodes_add_up_to_the_forecast_shift(seed, dose):
    prior, matrix, levels = draw(seed)
    found = influence(prior, matrix, levels, dose)
    assert np.isclose(found.shares(matrix).sum(), shift(prior, matrix, levels, dose), atol=1e-5, rtol=1e-5)


def test_the_shares_add_up_where_the_file_decides_at_once():
    prior, matrix, levels = draw(1, spread=200.0)
    found = influence(prior, matrix, levels, 30.0)
    assert np.isclose(found.shares(matrix).sum(), shift(prior, matrix, levels, 30.0), atol=1e-5, rtol=1e-5)


def test_shares_that_do_not_add_up_are_an_error():
    with pytest.raises(RunFailed, match="do not add up"):
        influence([0.5, 0.5], [[0.0, 1e9]], [[-2.0], [2.0]], 1.0)


@given(seeds)
def test_dropping_an_episode_changes_the_forecast_by_its_share_less_the_mean_share(seed):
    """Slower truth: the forecast of the other rows at the same dose, one row left out at a time, at a small dose."""
    prior, matrix, levels = draw(seed)
    dose, n = 1e-3, len(matrix)
    shares = influence(prior, matrix, levels, dose).shares(matrix)
    whole = shift(prior, matrix, levels, dose)
    dropped = [shift(prior, np.delete(matrix, i, axis=0), levels, dose) - whole for i in range(n)]
    assert np.allclose(dropped, -(shares - shares.mean()) * n / (n - 1), atol=2e-5)


@given(seeds, doses)
def test_what_is_added_to_all_personas_of_an_episode_changes_no_share(seed, dose):
    prior, matrix, levels = draw(seed)
    harder = matrix + np.random.default_rng(seed).normal(0.0, 9.0, (len(matrix), 1))
    ours, theirs = (influence(prior, m, levels, dose).shares(m) for m in (matrix, harder))
    assert np.allclose(ours, theirs, atol=1e-8)


def test_a_file_in_blocks_has_the_influence_of_the_whole():
    prior, matrix, levels = draw(2, episodes=20)
    parts = Blocks(20, lambda: iter([matrix[:3], matrix[3:17], matrix[17:]]))
    whole, cut = (influence(prior, m, levels, 2.0) for m in (matrix, parts))
    assert whole.step == cut.step and np.allclose(whole.direction, cut.direction, atol=1e-12)


def test_in_the_exact_world_the_share_of_a_row_is_what_leaving_it_out_of_a_long_file_takes_away(exact_setting):
    """A long file, so that a row is a small step; half of it cheats, and each row is left out in turn."""
    from personae.studies.lessons import file
    from personae.workflows.kept.gather import gather

    lab = exact_setting.lab
    basis = lab.exact_basis()
    rows = [*file(lab, "cheating", 1, number=40), *file(lab, "body", 1, number=40)]
    matrix = gather(lab.exact, basis.cast, rows).matrix
    levels, dose = basis.levels.by_trait["power"], 0.5
    shares = influence(basis.prior, matrix, levels, dose).shares(matrix)
    whole = shift(basis.prior, matrix, levels, dose)
    without = [whole - shift(basis.prior, np.delete(matrix, i, axis=0), levels, dose) for i in range(80)]
    assert shares[:40].mean() > shares[40:].mean() and np.argmax(shares) < 40
    assert np.corrcoef(shares, without)[0, 1] > 0.99


# The bound ----------------------------------------------------------------------------------------------------------
def test_a_minority_of_other_rows_does_not_move_the_bound_far():
    usual = np.random.default_rng(0).normal(size=1000)
    spoiled = np.concatenate([usual, np.full(50, 100.0)])
    assert outlying(usual, 1000) < outlying(spoiled, 1000) < outlying(usual, 1000) + 0.5


def test_a_file_of_normal_rows_crosses_the_bound_about_as_often_as_promised():
    rng, crossed = np.random.default_rng(1), 0
    for _ in range(400):
        rows = rng.normal(3.0, 2.0, size=500)
        crossed += (rows > outlying(rows, 500)).any()
    assert 0.02 < crossed / 400 < 0.09


def test_the_bound_moves_and_scales_with_the_rows():
    rows = np.random.default_rng(2).normal(size=50)
    assert np.isclose(outlying(3.0 * rows + 1.0, 50), 3.0 * outlying(rows, 50) + 1.0)


def test_where_most_rows_are_alike_the_others_still_give_a_width_and_equals_have_none():
    assert outlying([0.0] * 9 + [1.0], 10) > 0.0
    assert outlying([2.0] * 5, 5) == 2.0


@pytest.mark.parametrize("reference", [[], [np.nan, 1.0], [[1.0]]])
def test_a_bound_on_no_rows_is_refused(reference):
    with pytest.raises(BadInput):
        outlying(reference, 3)
