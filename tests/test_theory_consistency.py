"""Two halves of one trait agree as Spearman and Brown foretell, noise agrees with nothing, and units do not matter."""

import numpy as np
import pytest

from personae.errors import BadInput
from personae.theory import agreement, split_half


def levels(reliability, personas=300, items=16, seed=0):
    """(K, I) whose mean over items has this reliability."""
    rng = np.random.default_rng(seed)
    noise = np.sqrt(items * (1.0 - reliability) / reliability)
    return rng.normal(size=(personas, 1)) + noise * rng.normal(size=(personas, items))


@pytest.mark.parametrize("reliability", [0.3, 0.6, 0.9])
def test_split_halves_stepped_up_give_the_reliability_of_the_whole(reliability):
    assert split_half(levels(reliability)) == pytest.approx(reliability, abs=0.08)


def test_noise_has_halves_that_do_not_agree():
    assert abs(split_half(np.random.default_rng(1).normal(size=(300, 16)))) < 0.15


def test_agreement_does_not_mind_another_unit_or_another_number_of_items():
    one = levels(0.8, seed=2)
    assert agreement(one, 3.0 * one.mean(axis=1, keepdims=True) + 5.0) == pytest.approx(1.0)
    assert np.isnan(agreement(one, np.ones((300, 4))))


def test_what_cannot_be_halved_or_is_of_other_personas_is_refused():
    with pytest.raises(BadInput, match="two halves"):
        split_half(np.zeros((5, 1)))
    with pytest.raises(BadInput, match="the same personas twice"):
        agreement(np.zeros((3, 2)), np.zeros((4, 2)))


def test_a_flat_half_is_left_out_and_only_flat_halves_leave_nothing():
    assert 0.5 < split_half([[5, 0, 1], [5, 2, 4], [5, 3, 9]]) <= 1.0
    assert np.isnan(split_half([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]))
