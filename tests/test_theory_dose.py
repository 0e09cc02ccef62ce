"""Laws of the dose: the dose that made the shifts is found again, and its law carries over runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import DoseLaw, dose_law, evidence, fit_dose, forecast_shift, posterior


def generator(seed=0):
    return np.random.default_rng(seed)


def board(seed=0, arms=6, personas=5, traits=4):
    """A forecast of (arms, traits) shifts as a function of dose, from posteriors over a drawn cast."""
    rng = generator(seed)
    prior = rng.dirichlet(np.ones(personas))
    files = [evidence(rng.normal(0.0, 1.0, (4, personas))) for _ in range(arms)]
    profiles = [rng.normal(0.0, 2.0, (personas, 3)) for _ in range(traits)]

    def shifts(dose):
        return np.array([[forecast_shift(prior, posterior(prior, f, dose), t) for t in profiles] for f in files])

    return shifts


@pytest.mark.parametrize("dose", [0.05, 0.7, 3.0])
def test_the_dose_that_made_the_shifts_is_found_again(dose):
    shifts = board()
    found = fit_dose(shifts, shifts(dose), rng=generator(), draws=50)
    assert found.dose == pytest.approx(dose, rel=1e-4)
    assert found.error == pytest.approx(0.0, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((dose, dose), rel=0.02)
    assert not found.at_edge


@settings(deadline=None, max_examples=25)
@given(st.floats(0.02, 50.0), st.integers(0, 1000))
def test_a_straight_law_has_the_closed_form_of_least_squares(truth, seed):
    rng = generator(seed)
    slopes = rng.normal(0.0, 1.0, (5, 3)) + 2.0
    measured = truth * slopes + 0.05 * truth * rng.normal(size=(5, 3))
    found = fit_dose(lambda n: n * slopes, measured, rng=rng, draws=20)
    assert found.dose == pytest.approx((slopes * measured).sum() / np.square(slopes).sum(), rel=1e-4)


def test_the_interval_covers_the_dose_and_narrows_with_arms():
    slopes = np.ones((200, 3))
    noise = generator(4).normal(0.0, 1.0, (200, 1))
    few, many = (
        fit_dose(lambda n, a=a: n * slopes[:a], 2.0 + noise[:a] * slopes[:a], rng=generator()) for a in (10, 200)
    )
    assert few.low < 2.0 < few.high
    assert many.high - many.low < (few.high - few.low) / 2.0
    assert many.high - many.low == pytest.approx(2 * 1.96 * noise.std() / np.sqrt(200), rel=0.15)


def test_cells_that_are_not_known_have_no_say():
    shifts = board()
    measured = shifts(1.5)
    measured[0, 0] = np.nan
    assert fit_dose(shifts, measured, rng=generator(), draws=20).dose == pytest.approx(1.5, rel=1e-4)


def test_a_dose_that_the_arms_do_not_determine_says_so():
    found = fit_dose(lambda n: np.array([n]), [1e6], rng=generator(), draws=20)
    assert found.at_edge
    assert found.dose == pytest.approx(100.0, rel=1e-3)


def test_a_flat_valley_gives_no_warning_and_a_dose_within_the_search():
    found = fit_dose(lambda _: np.zeros((2, 2)), np.ones((2, 2)), rng=generator(), search=(0.5, 2.0), draws=20)
    assert 0.5 <= found.low <= found.high <= 2.0


def test_the_law_is_proportional_to_steps_and_rate():
    law = dose_law("sft", [(1.0, 5, 3e-4), (4.0, 10, 6e-4)])
    assert law.dose(steps=5, rate=3e-4) == pytest.approx(1.0)
    assert law.dose(steps=10, rate=3e-4) == pytest.approx(2.0)
    assert law == DoseLaw("sft", law.coefficient)


def test_the_law_through_scattered_runs_is_their_geometric_mean():
    assert dose_law("lora", [(1.0, 1, 1.0), (4.0, 1, 1.0)]).coefficient == pytest.approx(2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: fit_dose(lambda n: np.array([n]), [np.nan], rng=generator()),
        lambda: fit_dose(lambda n: np.array([n]), 1.0, rng=generator()),
        lambda: fit_dose(lambda n: np.array([n]), [1.0], rng=generator(), search=(0.0, 1.0)),
        lambda: dose_law("sft", []),
        lambda: dose_law("sft", [(0.0, 5, 3e-4)]),
    ],
)
def test_what_determines_no_dose_is_refused(call):
    with pytest.raises(BadInput):
        call()
