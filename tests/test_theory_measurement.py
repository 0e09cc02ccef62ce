"""Laws of attenuation, reliability, the principal direction and the floors, on data whose truth was drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import (
    attenuation_items,
    attenuation_only,
    cell_reliability,
    character_shift,
    direction_shares,
    first_direction,
    first_direction_share,
    mean_of_others,
    one_direction_levels,
    pearson,
    pooled_attenuation,
    rank_one,
    seed_variance,
    variance_components,
)

seeds = st.integers(0, 2**32 - 1)
fractions = st.floats(0.0, 1.0)


def normal(seed, *shape, spread=2.0):
    return np.random.default_rng(seed).normal(0.0, spread, shape)


# --- attenuation and character ----------------------------------------------------------------------------------------
@given(seeds, fractions)
def test_an_instrument_that_shrinks_is_all_attenuation_and_no_character(seed, lost):
    """Towards the middle of the personas, wherever that lies: an item of which one pole is long is far from zero."""
    untrained = normal(seed, 5, 3) - [0.0, 20.0, -5.0]
    centre = untrained.mean(axis=0)
    trained = centre + (1.0 - lost) * (untrained - centre)
    assert pooled_attenuation(untrained, trained) == pytest.approx(lost, abs=1e-9)
    assert np.allclose(character_shift(untrained[0], trained[0], lost, centre), 0.0)


@given(seeds, fractions)
def test_a_move_common_to_all_personas_is_no_attenuation(seed, lost):
    untrained = normal(seed, 5, 3)
    trained = (1.0 - lost) * untrained + normal(seed + 1, 3)
    assert pooled_attenuation(untrained, trained) == pytest.approx(lost, abs=1e-9)


def test_character_is_what_the_shrinking_does_not_account_for():
    assert character_shift(4.0, 3.0, 0.5, 0.0) == pytest.approx(1.0)
    assert character_shift(-16.0, -15.0, 0.5, -20.0) == pytest.approx(3.0)
    assert np.allclose(character_shift([2.0, -2.0], [3.0, -1.0], 0.0, 7.0), [1.0, 1.0])


def test_attenuation_is_one_less_the_fitted_slope():
    untrained, trained = normal(1, 7, 1), normal(2, 7, 1)
    slope = np.polyfit(untrained[:, 0], trained[:, 0], 1)[0]
    assert pooled_attenuation(untrained, trained) == pytest.approx(1.0 - slope)


def test_pooling_weighs_traits_by_how_far_personas_differ_in_them():
    untrained = np.column_stack([[3.0, -3.0, 3.0, -3.0], [1.0, -1.0, 1.0, -1.0]])
    trained = untrained * [1.0, 0.0]
    assert pooled_attenuation(untrained, trained) == pytest.approx(0.1)


def test_attenuation_is_unknown_where_personas_do_not_differ():
    same = np.column_stack([np.ones(4), np.arange(4.0)])
    assert pooled_attenuation(same, same) == 0.0
    assert np.isnan(pooled_attenuation(np.ones((4, 2)), np.ones((4, 2))))


@pytest.mark.parametrize("count", [4, 16, 24, 100])
def test_a_quarter_of_the_items_measures_attenuation_and_follows_no_pattern(count):
    chosen = attenuation_items(count)
    assert chosen.sum() == count // 4
    for period in (2, 3, 4):
        if count >= 24:
            assert len(set(np.flatnonzero(chosen) % period)) == period
    assert np.array_equal(chosen, attenuation_items(count))


# --- reliability ------------------------------------------------------------------------------------------------------
def simulated(seed, personas, items, persona, item, interaction):
    rng = np.random.default_rng(seed)
    parts = (rng.normal(0.0, s, shape) for s, shape in ((persona, (personas, 1)), (item, (1, items))))
    return sum(parts) + rng.normal(0.0, interaction, (personas, items))


def test_known_variance_components_are_found_again():
    found = variance_components(simulated(0, 400, 300, persona=2.0, item=1.0, interaction=3.0))
    assert found.persona == pytest.approx(4.0, rel=0.15)
    assert found.item == pytest.approx(1.0, rel=0.3)
    assert found.interaction == pytest.approx(9.0, rel=0.05)


def test_reliability_is_the_correlation_of_two_halves_of_a_doubled_instrument():
    """The meaning of reliability: personas measured twice, on fresh items, correlate by it."""
    first, second = np.split(simulated(1, 3000, 16, persona=1.0, item=2.0, interaction=2.0), 2, axis=1)
    assert cell_reliability(first) == pytest.approx(pearson(first.mean(axis=1), second.mean(axis=1)), abs=0.04)
    assert cell_reliability(first) == pytest.approx(1.0 / (1.0 + 4.0 / 8.0), abs=0.04)


def test_estimates_are_unbiased_on_small_tables():
    found = [variance_components(simulated(s, 5, 4, 2.0, 1.0, 1.0)) for s in range(1500)]
    assert np.mean([f.interaction for f in found]) == pytest.approx(1.0, rel=0.05)
    assert np.mean([f.persona for f in found]) == pytest.approx(4.0, rel=0.1)


@given(seeds)
def test_reliability_ignores_how_hard_an_item_is_and_lies_between_zero_and_one(seed):
    levels = normal(seed, 6, 5)
    found = cell_reliability(levels)
    assert 0.0 <= found <= 1.0
    assert cell_reliability(levels + normal(seed + 1, 5, spread=10.0)) == pytest.approx(found, abs=1e-9)


def test_noise_alone_is_not_reliable_and_neither_are_personas_all_alike():
    assert np.mean([cell_reliability(normal(s, 8, 8)) for s in range(100)]) < 0.25
    assert cell_reliability(np.ones((4, 4))) == 0.0


def test_seeds_that_disagree_cost_reliability():
    levels = [[0.0, 1.0], [2.0, 3.0]]  # persona variance 2, no interaction
    assert cell_reliability(levels, between_seeds=2.0) == pytest.approx(0.5)
    assert seed_variance([[0.0, 5.0], [2.0, 5.0]]) == pytest.approx(1.0)


# --- principal direction ----------------------------------------------------------------------------------------------
@given(seeds)
def test_direction_shares_are_the_eigenvalues_of_the_covariance(seed):
    table = normal(seed, 7, 4)
    values = np.linalg.eigvalsh(np.cov(table.T))[::-1]
    assert np.allclose(direction_shares(table), values / values.sum())
    assert first_direction_share(table) == pytest.approx(values[0] / values.sum())


def test_a_cast_on_one_axis_has_all_its_variance_in_one_direction():
    table = 5.0 + np.outer([-2.0, 0.0, 1.0, 3.0], [0.6, -0.8])
    assert first_direction_share(table) == pytest.approx(1.0)
    assert np.allclose(first_direction(table), [-0.6, 0.8])
    assert np.allclose(rank_one(table), table)


def test_a_cast_without_variance_has_no_direction_to_report():
    assert np.isnan(first_direction_share(np.ones((4, 3))))


# --- floors -----------------------------------------------------------------------------------------------------------
def test_rank_one_is_the_nearest_cast_on_one_line():
    """Slower truth: no line through the mean, of many drawn, comes nearer."""
    table = normal(3, 8, 4)
    nearest = np.square(table - rank_one(table)).sum()
    centred = table - table.mean(axis=0)
    for axis in normal(4, 300, 4):
        unit = axis / np.linalg.norm(axis)
        assert np.square(centred - np.outer(centred @ unit, unit)).sum() >= nearest - 1e-9


def test_the_one_direction_cast_has_rank_one_profiles_and_the_same_items():
    levels = {t: normal(i, 6, 5 + i) for i, t in enumerate(["power", "care", "truth"])}
    flat = one_direction_levels(levels)
    profile = np.column_stack([flat[t].mean(axis=1) for t in levels])
    assert list(flat) == list(levels)
    assert first_direction_share(profile[1:]) == pytest.approx(1.0)
    for trait, table in levels.items():
        assert np.allclose(np.diff(flat[trait], axis=1), np.diff(table, axis=1))
        assert flat[trait][1:].mean() == pytest.approx(table[1:].mean())


def test_the_neutral_row_does_not_help_to_define_the_direction():
    levels = {t: normal(i, 6, 4) for i, t in enumerate("abc")}
    moved = {t: np.vstack([table[:1] + 9.0, table[1:]]) for t, table in levels.items()}
    for trait in levels:
        assert np.allclose(one_direction_levels(levels)[trait][1:], one_direction_levels(moved)[trait][1:])


@given(seeds, fractions)
def test_attenuation_alone_explains_a_profile_that_only_shrank(seed, lost):
    base = normal(seed, 4)
    assert np.allclose(attenuation_only(base, np.tile(-lost * base, (3, 1))), -lost * base)


def test_attenuation_alone_is_the_least_squares_shrinkage_of_the_cells_that_are_known():
    base, measured = normal(5, 3, 4), normal(6, 3, 4)
    measured[1, 2] = np.nan
    known = np.isfinite(measured)
    factor = np.linalg.lstsq(base[known][:, None], measured[known], rcond=None)[0][0]
    assert np.allclose(attenuation_only(base, measured), factor * base)
    assert not attenuation_only(np.zeros(4), measured).any()


@given(seeds)
def test_the_mean_of_the_others_leaves_its_own_arm_out(seed):
    measured = normal(seed, 5, 3)
    for arm, forecast in enumerate(mean_of_others(measured)):
        assert np.allclose(forecast, np.delete(measured, arm, axis=0).mean(axis=0))


def test_the_mean_of_others_averages_what_is_known():
    found = mean_of_others([[1.0, np.nan], [np.nan, np.nan], [3.0, 2.0]])
    assert np.array_equal(found, [[3.0, 2.0], [2.0, 2.0], [1.0, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pooled_attenuation(np.ones((3, 2)), np.ones((3, 2))),
        lambda: pooled_attenuation(np.ones((4, 2)), np.ones((4, 3))),
        lambda: variance_components(np.ones((1, 4))),
        lambda: cell_reliability(np.ones((4, 1))),
        lambda: seed_variance(np.ones((1, 4))),
        lambda: mean_of_others(np.ones((1, 4))),
    ],
)
def test_too_little_to_measure_from_is_refused(call):
    with pytest.raises(BadInput):
        call()
