"""Laws of foresight: what was worked out once is not worked out again, and never taken for something else."""

from dataclasses import replace

import numpy as np
import pytest

from personae.studies.lessons import GENTLE, narrow
from personae.studies.study import Setting
from personae.workflows.lab import foresight as module
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.trainings import Lesson
from personae.world import ExactSimulator


class Silent:
    """A simulator that nothing may be asked of."""

    def __init__(self, digest: str) -> None:
        self.name, self.digest = "silent", digest

    def log_likelihood(self, *_: object) -> None:
        raise AssertionError("it was asked again")


@pytest.fixture
def known(exact_setting) -> Foresight:
    return Foresight(exact_setting.lab.exact, exact_setting.exact.basis, 400.0)


@pytest.fixture
def lesson(exact_setting) -> Lesson:
    return narrow(exact_setting.lab, "cheating", 1)


def test_what_was_foreseen_once_is_not_worked_out_again(known, lesson, exact_setting, monkeypatch):
    first = known.shifts([lesson])
    weights = known.weights([lesson])
    kept = dict(first)
    first.clear()  # what was given away is the caller's own

    def never(*_: object) -> None:
        raise AssertionError("it was worked out again")

    for name in ("posterior", "forecast_shift", "gather"):
        monkeypatch.setattr(module, name, never)
    again = narrow(exact_setting.lab, "cheating", 1)
    assert known.shifts([again]) == kept
    assert np.array_equal(known.weights([again]), weights)


def test_another_dose_another_order_and_turns_are_foreseen_anew(known, exact_setting):
    lesson, other = narrow(exact_setting.lab, "cheating", 1, plan=GENTLE), narrow(exact_setting.lab, "care", 1)
    first = known.shifts([lesson])
    doubled = replace(lesson, plan=replace(lesson.plan, steps=2 * lesson.plan.steps))
    strong = replace(known, coefficient=2.0 * known.coefficient)
    assert strong.shifts([lesson]) == pytest.approx(known.shifts([doubled]))
    assert strong.shifts([lesson])["power"] > first["power"] + 0.1
    assert known.shifts([lesson, other]) == pytest.approx(known.shifts([other, lesson]))
    assert not np.allclose(known.weights([lesson], other.episodes[:3]), known.weights([lesson]))


def test_evidence_that_was_kept_is_read_by_whoever_comes_next_and_asks_the_same(known, lesson, tmp_path):
    kept = replace(known, kept=tmp_path, _evidence={})
    found = kept.evidence(lesson.episodes)
    silent = replace(kept, simulator=Silent(known.simulator.digest), _evidence={})
    assert np.array_equal(silent.evidence(lesson.episodes), found)
    for other in (replace(kept, simulator=Silent("another"), _evidence={}), silent):
        with pytest.raises(AssertionError, match="asked again"):
            other.evidence(lesson.episodes[: 8 if other is silent else None])


def test_a_basis_is_measured_once_for_all_studies(exact_setting, monkeypatch):
    def never(*_: object) -> None:
        raise AssertionError("it was measured again")

    monkeypatch.setattr(ExactSimulator, "log_likelihood", never)
    again = Setting(exact_setting.lab, exact_setting.request).exact.basis
    assert np.array_equal(again.prior, exact_setting.exact.basis.prior)
    for trait, table in exact_setting.exact.basis.levels.by_trait.items():
        assert np.array_equal(again.levels.by_trait[trait], table)
