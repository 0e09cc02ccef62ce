"""Forgetting of lessons: none without decay, and a decay that was there is found again."""

from dataclasses import replace

import numpy as np
import pytest

from personae.studies.lessons import longer, narrow
from personae.workflows.lab.forgetting import fit_decay, worn_off
from personae.workflows.lab.laboratory import PLAN


@pytest.fixture(scope="module")
def lessons(exact_setting):
    heavy = longer(PLAN, 16)
    return narrow(exact_setting.lab, "power", 1), narrow(exact_setting.lab, "lying", 0, plan=heavy)


def test_without_decay_lessons_stay_what_they_are(exact_setting, lessons):
    assert worn_off(exact_setting.exact, lessons, 0.0) == lessons


def test_an_earlier_lesson_is_worn_off_by_the_dose_of_the_later_one(exact_setting, lessons):
    exact = exact_setting.exact
    first, last = worn_off(exact, lessons, 0.2)
    assert last == lessons[1]
    assert exact.dose(first) == pytest.approx(exact.dose(lessons[0]) * np.exp(-0.2 * exact.dose(lessons[1])))
    assert replace(first, plan=lessons[0].plan) == lessons[0], "nothing but the rate changes"


def test_a_planted_decay_is_found_and_cells_that_are_missing_have_no_say(exact_setting, lessons):
    exact, orders = exact_setting.exact, [lessons, lessons[::-1]]
    shifts = [list(exact.shifts(worn_off(exact, order, 0.4)).values()) for order in orders]
    measured = np.array(shifts)
    measured[:, 0] = np.nan
    found = fit_decay(exact, orders, measured)
    assert found.dose == pytest.approx(0.4, rel=1e-3)
    assert found.error == pytest.approx(0.0, abs=1e-4)
    assert not found.at_edge
