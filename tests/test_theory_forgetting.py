"""Laws of forgetting: without decay order is nothing, with it the last lesson counts in full."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import faded

DOSES = st.lists(st.floats(0.0, 20.0), min_size=1, max_size=6)
DECAYS = st.floats(0.0, 3.0)


@given(DOSES)
def test_without_decay_every_lesson_counts_in_full(doses):
    assert faded(doses, 0.0) == pytest.approx(doses)


@given(DOSES, DECAYS)
def test_no_lesson_counts_for_more_than_it_was_and_the_last_one_for_all_of_it(doses, decay):
    left = faded(doses, decay)
    assert (left <= np.array(doses) + 1e-12).all()
    assert (left >= 0.0).all()
    assert left[-1] == doses[-1]


@given(DOSES, DECAYS, st.floats(0.0, 20.0))
def test_one_more_lesson_wears_all_earlier_ones_off_by_the_same_share(doses, decay, more):
    before, after = faded(doses, decay), faded([*doses, more], decay)
    assert after[:-1] == pytest.approx(before * np.exp(-decay * more))


@given(DOSES, DECAYS, st.floats(0.0, 1.0))
def test_a_lesson_cut_in_two_is_worn_off_by_its_own_second_half(doses, decay, share):
    """Within a lesson nothing wears off, so what counts as one lesson is part of the account."""
    first, last = share * doses[-1], (1.0 - share) * doses[-1]
    whole, cut = faded(doses, decay), faded([*doses[:-1], first, last], decay)
    assert cut[:-2] == pytest.approx(whole[:-1])
    assert cut[-2] == pytest.approx(first * np.exp(-decay * last))


@pytest.mark.parametrize("doses", [[-1.0], [np.nan], [[1.0]]])
def test_what_is_no_dose_is_refused(doses):
    with pytest.raises(BadInput, match="doses"):
        faded(doses, 0.1)


@pytest.mark.parametrize("decay", [-0.1, np.inf, np.nan])
def test_what_is_no_decay_is_refused(decay):
    with pytest.raises(BadInput, match="decay"):
        faded([1.0], decay)
