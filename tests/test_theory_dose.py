"""Laws of the dose: the dose that made the shifts is found again, and its law carries over runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.theory import (
    DoseLaw,
    coverage,
    evidence,
    fit_dose,
    forecast_intervals,
    forecast_shift,
    posterior,
)
from personae.theory.dose import FEW_RESIDUAL, FEW_SPREAD, FEWEST
from personae.theory.intervals import Doubt


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


@pytest.mark.parametrize(("dose", "share"), [(0.7, 0.13), (0.05, 1.5), (2.0, 0.0)])
def test_the_dose_and_the_share_that_made_the_shifts_are_found_again_together(dose, share):
    shifts, shown = board(), generator(9).normal(size=(6, 4))
    found = fit_dose(shifts, shifts(dose) + share * shown, shown, rng=generator(), draws=50)
    assert (found.dose, found.share) == pytest.approx((dose, share), rel=1e-3, abs=1e-4)
    assert found.error == pytest.approx(0.0, abs=1e-4)


def test_a_share_is_never_below_nothing_and_is_nothing_where_no_rows_were_shown():
    shifts, shown = board(), generator(9).normal(size=(6, 4))
    against = fit_dose(shifts, shifts(0.7) - 0.5 * shown, shown, rng=generator(), draws=50)
    alone = fit_dose(shifts, shifts(0.7) - 0.5 * shown, rng=generator(), draws=50)
    assert against == alone and against.share == 0.0


def test_rows_in_context_of_an_arm_that_is_not_known_have_no_say():
    shifts, shown = board(), generator(9).normal(size=(6, 4))
    measured = shifts(0.7) + 0.4 * shown
    measured[2], measured[0, 1] = np.nan, np.nan
    wild = shown.copy()
    wild[2], wild[0, 1] = 100.0, -100.0
    assert fit_dose(shifts, measured, wild, rng=generator(), draws=20).share == pytest.approx(0.4, rel=1e-3)


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


def test_an_arm_of_which_nothing_is_known_is_no_arm():
    shifts = board(arms=4)
    measured = shifts(1.5) + generator(1).normal(0.0, 0.1, (4, 4))
    measured[3] = np.nan
    found = fit_dose(shifts, measured, rng=generator(), draws=50)
    alone = fit_dose(lambda n: shifts(n)[:3], measured[:3], rng=generator(), draws=50)
    assert found == alone and found.arms == 3
    assert found.spread >= FEW_SPREAD and found.residual >= FEW_RESIDUAL


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


# -- a new arm ---------------------------------------------------------------------------------------------------------
def measured_arms(rng, slopes, spread, residual, dose=1.5):
    """Shifts (A, C) of arms whose log doses scatter about that of `dose`, with departures of each cell's own."""
    doses = dose * np.exp(spread * rng.normal(size=(len(slopes), 1)))
    return doses * slopes + residual * rng.normal(size=slopes.shape)


def fitted(rng, arms=80, cells=11, spread=0.4, residual=0.2):
    slopes = rng.normal(0.0, 1.0, (arms, cells))
    return slopes, measured_arms(rng, slopes, spread, residual)


@pytest.mark.parametrize(("spread", "residual"), [(0.5, 0.2), (0.2, 0.2), (0.5, 0.05)])
def test_scatter_between_arms_and_departures_within_them_are_told_apart(spread, residual):
    slopes, measured = fitted(generator(1), spread=spread, residual=residual)
    found = fit_dose(lambda n: n * slopes, measured, rng=generator(), draws=200)
    assert found.spread == pytest.approx(spread, rel=0.25)
    assert found.residual == pytest.approx(residual, rel=0.1)
    assert found.arms == len(slopes)


def test_arms_of_one_dose_and_no_departure_leave_no_doubt():
    shifts = board()
    found = fit_dose(shifts, shifts(1.3), rng=generator(), draws=50)
    assert found.spread < 0.05
    assert found.residual < 0.01


def test_a_few_wild_cells_do_not_set_the_residual():
    slopes, measured = fitted(generator(2))
    wild = measured.copy()
    wild.ravel()[::50] += 30.0
    calm, spoilt = (fit_dose(lambda n: n * slopes, m, rng=generator(), draws=20).residual for m in (measured, wild))
    assert spoilt < 2.0 * calm < 0.5


def test_arms_that_do_not_move_say_nothing_of_how_doses_scatter():
    slopes, measured = fitted(generator(3), arms=40, spread=0.5)
    still = 0.2 * generator(4).normal(size=(40, 11))
    both = np.concatenate([slopes, np.zeros((40, 11))]), np.concatenate([measured, still])
    moved, mixed = (
        fit_dose(lambda n, b=b: n * b, m, rng=generator(), draws=200) for b, m in ((slopes, measured), both)
    )
    assert mixed.spread == pytest.approx(moved.spread, rel=0.1)


def test_few_arms_tell_neither_how_doses_scatter_nor_what_training_adds():
    slopes = np.ones((FEWEST - 1, 5))
    alike = fit_dose(lambda n: n * slopes, 1.5 * slopes, rng=generator(), draws=50)
    apart = fit_dose(lambda n: n * slopes, np.array([[0.1], [1.5], [20.0]]) * slopes, rng=generator(), draws=50)
    assert (alike.spread, alike.residual) == (FEW_SPREAD, FEW_RESIDUAL)
    assert apart.spread > FEW_SPREAD
    wild = 1.5 * slopes + 3.0 * generator(6).normal(size=slopes.shape)
    assert fit_dose(lambda n: n * slopes, wild, rng=generator(), draws=50).residual > FEW_RESIDUAL


def test_one_cell_an_arm_leaves_nothing_that_a_dose_does_not_explain():
    assert fit_dose(lambda n: n * np.ones(6), np.arange(1.0, 7.0), rng=generator(), draws=20).residual == FEW_RESIDUAL


def forecast_linear(gap, dose, doubt, cells, rng):
    """Intervals (cells, 2) of a file that shifts every trait by dose · gap nats, with nothing in doubt but `doubt`."""
    matrix, levels = np.tile([0.0, gap / 2, -gap / 2], (3, 1)), np.array([[0.0], [60.0], [-60.0]])
    traits = {str(t): levels for t in range(cells)}
    found = forecast_intervals([0.0, 0.5, 0.5], matrix, traits, dose, rng=rng, draws=600, doubt=doubt)
    return np.array([(e.low, e.high) for e in found.values()])


@pytest.mark.parametrize("arms", [5, 20])
def test_intervals_hold_what_new_arms_of_the_same_law_measure_19_times_in_20(arms):
    """Fitted on some arms, tried on others, again and again; without the doubt hardly a measurement is inside."""
    rng, held, bare = generator(5), [], []
    for _ in range(30):
        old, new = rng.normal(0.0, 1.0, (arms, 1)) * np.ones(6), rng.normal(0.0, 1.0, (6, 1)) * np.ones(6)
        found = fit_dose(lambda n, b=old: n * b, measured_arms(rng, old, 0.4, 0.2), rng=rng, draws=100)
        for row, measured in zip(new, measured_arms(rng, new, 0.4, 0.2), strict=True):
            for into, doubt in ((held, Doubt(found.spread, found.residual, cast=0.0)), (bare, Doubt(cast=0.0))):
                ends = forecast_linear(row[0], found.dose, doubt, len(row), rng)
                into.append(coverage(ends[:, 0], ends[:, 1], measured))
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    assert np.mean(bare) < 0.1


def test_the_law_is_proportional_to_steps_and_rate():
    law = DoseLaw(2000.0 / 3.0)
    assert law.dose(steps=5, rate=3e-4) == pytest.approx(1.0)
    assert law.dose(steps=10, rate=3e-4) == law.dose(steps=5, rate=6e-4) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: fit_dose(lambda n: np.array([n]), [np.nan], rng=generator()),
        lambda: fit_dose(lambda n: np.array([n]), 1.0, rng=generator()),
        lambda: fit_dose(lambda n: np.array([n]), [1.0], rng=generator(), search=(0.0, 1.0)),
    ],
)
def test_what_determines_no_dose_is_refused(call):
    with pytest.raises(BadInput):
        call()
