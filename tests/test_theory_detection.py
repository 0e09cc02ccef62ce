"""AUROC is the share of pairs in the right order; its interval holds the truth as often as it says, also near 1."""

import numpy as np
import pytest

from personae.theory.detection import auroc, rate


def test_the_area_is_the_share_of_pairs_in_the_right_order_a_tie_being_half():
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 6, size=30), rng.integers(0, 5, size=20)
    pairs = [(a > b) + 0.5 * (a == b) for a in high for b in low]
    assert auroc(high, low).mean == pytest.approx(np.mean(pairs))


def test_what_tells_perfectly_or_never_is_not_known_to_do_so_for_sure():
    best, worst = auroc(np.arange(60) + 100, np.arange(100)), auroc(np.arange(60), np.arange(100) + 100)
    assert (best.mean, best.high) == (1.0, 1.0) and 0.9 < best.low < 1.0
    assert (worst.mean, worst.low) == (0.0, 0.0) and 0.0 < worst.high < 0.1
    assert auroc([2.0], [1.0]).low < best.low


def test_swapping_the_kinds_turns_the_area_over():
    rng = np.random.default_rng(1)
    high, low = rng.normal(1.0, 1.0, 25), rng.normal(0.0, 1.0, 40)
    one, other = auroc(high, low), auroc(low, high)
    assert (one.mean, one.low) == pytest.approx((1.0 - other.mean, 1.0 - other.high))


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.5])
def test_the_interval_holds_the_true_area_as_often_as_it_says(apart):
    from scipy.stats import norm

    rng, truth, held = np.random.default_rng(2), norm.cdf(apart / np.sqrt(2.0)), 0
    for _ in range(400):
        found = auroc(rng.normal(apart, 1.0, 20), rng.normal(0.0, 1.0, 40))
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.99


def test_a_rate_of_none_is_not_known_and_one_of_no_hit_may_be_more():
    assert np.isnan(rate(0, 0).mean)
    none, all_of_them = rate(0, 100), rate(100, 100)
    assert none.low == 0.0 and none.high == pytest.approx(1.0 - 0.025 ** (1 / 100))
    assert all_of_them.low == pytest.approx(1.0 - none.high)
