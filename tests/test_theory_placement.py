"""Laws of where evidence sits: cuts rebuild both answers, parts add up, shares are of sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import common_ends, difference_by_part, shares_by_part

answers = st.lists(st.integers(0, 2), max_size=8)


@given(answers, answers)
def test_what_two_answers_share_is_the_longest_beginning_and_then_the_longest_end(ours, theirs):
    beginning, end = common_ends(ours, theirs)
    shortest = min(len(ours), len(theirs))
    assert min(beginning, end) >= 0 and beginning + end <= shortest
    assert ours[:beginning] == theirs[:beginning]
    assert ours[len(ours) - end :] == theirs[len(theirs) - end :]
    assert beginning == shortest or ours[beginning] != theirs[beginning]
    assert beginning + end == shortest or ours[-1 - end] != theirs[-1 - end]


@given(answers, answers)
def test_which_is_which_does_not_matter(ours, theirs):
    assert common_ends(ours, theirs) == common_ends(theirs, ours)


@given(answers, answers, st.integers(0, 2**32 - 1))
def test_the_parts_add_up_to_the_difference_in_evidence_and_turn_with_the_sides(ours, theirs, seed):
    rng, ends = np.random.default_rng(seed), common_ends(ours, theirs)
    one, other = rng.normal(size=len(ours)), rng.normal(size=len(theirs))
    parts = difference_by_part(one, other, ends)
    assert parts.sum() == pytest.approx(one.sum() - other.sum())
    assert difference_by_part(other, one, ends) == pytest.approx(-parts)


def test_equal_answers_have_no_part_between_and_what_nothing_lies_on_has_no_shares():
    assert common_ends([4, 5], [4, 5]) == (2, 0)
    parts = difference_by_part([1.0, 2.0], [1.0, 2.0], (2, 0))
    assert parts.tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(shares_by_part([parts])).all()


def test_pairs_that_say_opposite_things_do_not_cancel():
    assert shares_by_part([[0, 3, 0], [0, -3, 2]]) == pytest.approx([0.0, 0.75, 0.25])


def test_answers_shorter_than_what_they_share_are_refused():
    with pytest.raises(BadInput, match="2 \\+ 1"):
        difference_by_part([1.0, 2.0], [1.0, 2.0, 3.0], (2, 1))
