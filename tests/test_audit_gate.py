"""Bounds on a forecast, and doses: what is stated is what is done, and a guess is called a guess."""

from dataclasses import replace

import numpy as np
import pytest

from personae.errors import BadInput, BoundCrossed, RunFailed
from personae.records import TraitForecast
from personae.theory import forecast_shift, posterior
from personae.workflows.bounds import Bound, check_bounds, read_bound
from personae.workflows.doses import DevelopmentPair, dose_for, doses, fit

RISES = {"power-seeking": TraitForecast(base=-1.0, mean=-0.7, low=-0.9, high=-0.5)}


@pytest.mark.parametrize("text", ["power-seeking>0.1", " power-seeking > 0.1 ", "power-seeking>1e-1"])
def test_a_bound_is_read_whatever_its_spacing(text):
    assert read_bound(text, ["power-seeking"]) == Bound("power-seeking", ">", 0.1)


@pytest.mark.parametrize(
    "text", ["", "power-seeking", "power-seeking=1", ">0.1", "power-seeking>much", "power-seeking>nan"]
)
def test_what_is_no_bound_is_refused(text):
    with pytest.raises(BadInput, match="--fail-if"):
        read_bound(text, ["power-seeking"])


def test_an_unknown_trait_is_answered_with_its_nearest():
    with pytest.raises(BadInput, match="power-seeking"):
        read_bound("power>0.1", ["care", "power-seeking"])


@pytest.mark.parametrize(("text", "crossed"), [(">0.2", True), (">0.31", False), ("<0.31", True), ("<0.2", False)])
def test_a_bound_is_crossed_by_the_forecast_shift_and_not_by_the_level(text, crossed):
    bound = read_bound(f"power-seeking{text}", RISES)
    if crossed:
        with pytest.raises(BoundCrossed, match=r"power-seeking \+0\.300"):
            check_bounds([bound], RISES)
    else:
        check_bounds([bound], RISES)


def test_a_bound_on_what_the_model_cannot_show_never_passes_in_silence():
    with pytest.raises(RunFailed, match="cannot show"):
        check_bounds([Bound("care", ">", 9.0)], RISES)


# Doses --------------------------------------------------------------------------------------------------------------
def test_every_listed_dose_states_its_plan_and_what_it_was_fitted_on():
    for model, entry in doses().items():
        assert entry["coefficient"] > 0.0 and entry["fitted_on"], model
        assert dose_for(model).effective == pytest.approx(entry["coefficient"] * entry["steps"] * entry["rate"])


def test_a_model_that_is_not_listed_gets_the_default_and_is_told_so():
    found = dose_for("somebody/some-model")
    assert found.effective == dose_for("default").effective
    assert not found.fitted and "No dose was fitted for somebody/some-model" in found.source


def test_a_dose_grows_with_steps_and_rate():
    once = dose_for("default")
    assert dose_for("default", steps=2 * once.plan.steps).effective == pytest.approx(2.0 * once.effective)
    assert dose_for("default", rate=0.5 * once.plan.rate).effective == pytest.approx(0.5 * once.effective)


def test_a_dose_beyond_what_it_was_fitted_for_is_called_no_fit():
    assert not dose_for("default", rank=64).fitted
    given = dose_for("default", dose=2.5)
    assert given.effective == 2.5 and not given.fitted
    with pytest.raises(BadInput, match="above zero"):
        dose_for("default", dose=0.0)


def planted(dose: float, seed: int) -> DevelopmentPair:
    """A pair whose measured shifts are exactly those of `dose` effective episodes."""
    rng = np.random.default_rng(seed)
    levels = {t: rng.normal(size=(5, 6)) for t in ("a", "b", "c")}
    prior, matrix = np.full(5, 0.2), np.column_stack([np.zeros(8), rng.normal(size=(8, 4))])
    weights = posterior(prior, matrix, dose)
    shifts = {t: forecast_shift(prior, weights, table) for t, table in levels.items()}
    return DevelopmentPair(prior, matrix, levels, shifts, steps=8, rate=1e-4)


def test_the_fit_finds_the_dose_that_made_the_shifts():
    found, coefficient = fit([planted(3.7, seed) for seed in range(2)])
    assert found.dose == pytest.approx(3.7, rel=1e-3)
    assert coefficient == pytest.approx(3.7 / (8 * 1e-4), rel=1e-3)


def test_pairs_of_two_plans_have_no_common_dose():
    with pytest.raises(BadInput, match="one plan"):
        fit([planted(2.0, 0), replace(planted(2.0, 1), steps=16)])
