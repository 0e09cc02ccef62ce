"""Dose: how many effective episodes a training run was worth.

    dose = argmin_n Σ_arms Σ_cells ( shift_of_dose(n) - measured )²,   n > 0

fitted once on development arms, in log-odds of shift, and then carried to other runs by a law that is as simple as the
evidence for it: dose = coefficient · steps · learning rate, one coefficient for each way of training. For LoRA the
rate is that of the adapter at its own rank; rank has no exponent of its own (alpha / rank scaling is meant to absorb
it), so a coefficient holds for the rank it was fitted at. The dose is never refitted on what is being forecast.

A second reading of the same arms, the shift that their rows make in context, is fitted with it where it is given:

    measured ≈ shift_of_dose(n) + share · in context,   share ≥ 0 by least squares at every n

A training of another dose has as much more of either, and never more than all of the shift in context. (One share and
one dose for all arms; nothing else is free. At each dose on the way the share is the best for all arms, so what is told
below of an arm's own dose is at that dose's share, and arms drawn for an interval keep it.)

What the development arms also tell is how far a *new* arm may land from its forecast, which an interval must say:
- `spread`, the standard deviation of its log dose about the fitted one. Two things add up in squares. Arms differ in
  dose, however many there are (`scatter`: each arm's own log dose ~ N(log dose, scatter²), by maximum likelihood over
  all doses the arm allows, so an arm that hardly moves has little say). And the fitted dose would have come out
  otherwise from other arms: the bootstrap over arms, which shrinks as arms are added. The bootstrap alone would be the
  doubt about the *average* dose, and a new arm is not the average. Few arms know their scatter badly, so the sum is
  widened until its normal 95 % ends are those of Student's t with A - 1 degrees of freedom.
- `residual`, the standard deviation of measured - forecast shift at each arm's *own* dose: what no dose explains.
  Robust: no cell counts as more than `WILD` standard deviations by the median absolute deviation. A degree of freedom
  is off for each arm's dose. The sampling of questions and seeds is left in it: whoever measures the next arm has it.

The cells of one arm share its fate, so a few arms tell neither: fewer than `FEWEST` are never surer than the defaults.
Source: PSM.md section 2, Dose; Higgins, Thompson & Spiegelhalter, JRSS A 172, 2009, section 4 (prediction intervals).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.intervals import percentile_interval
from personae.theory.simplex import log_sum_exp

ShiftOfDose = Callable[[float], Floats]
FEWEST = 4  # development arms that tell how doses scatter, and what training adds
FEW_SPREAD = 0.7  # the least with fewer: half as much again as 18 arms of the laboratory; a factor of 4 either way
FEW_RESIDUAL = 0.5  # nats, likewise; a pair forecast after a fit on two others left 0.43 (docs/real-models.md)
FINER = 8  # steps between two doses of the grid, where cells are read off in between
FINEST = 1e-3  # nats: no shift is known better
WILD = 3.0  # standard deviations: what lies farther out is counted as this far
NORMAL_MAD = 1.4826  # standard deviation of a normal over its median absolute deviation


@dataclass(frozen=True)
class DoseFit:
    """The dose fitted on `arms` arms with its 95 % interval over them; `error` is the root mean square left, nats.

    `spread` and `residual` (nats) are those of a new arm, see the module. With fewer than `FEWEST` arms they are
    `FEW_SPREAD` and `FEW_RESIDUAL`, or more where even those arms say more. `at_edge` says that the best dose lies at
    an end of the range searched: the arms did not determine it. `share` is that of the shift in context, 0 without one.
    """

    dose: float
    low: float
    high: float
    error: float
    at_edge: bool
    arms: int
    spread: float
    residual: float
    share: float = 0.0


def fit_dose(
    shift_of_dose: ShiftOfDose,
    measured: ArrayLike,
    in_context: ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    search: tuple[float, float] = (0.01, 100.0),
    points: int = 81,
    draws: int = 1000,
) -> DoseFit:
    """The dose whose forecast shifts lie nearest to `measured` (A, ...), one row an arm; NaN cells are left out.

    An arm of which no cell is known is no arm. `shift_of_dose(n)` returns the forecast of the same cells, and
    `in_context` (A, ...), nats, is the second reading of them. A log grid finds the valley (there may be several),
    bounded minimisation its floor; arms are drawn with replacement for the interval.
    """
    from scipy.optimize import minimize_scalar

    goal = np.asarray(measured, dtype=np.float64)
    if goal.ndim == 0 or not np.isfinite(goal).any():
        raise BadInput("no measured shift to fit a dose on", remedy="give at least one development arm")
    if not 0.0 < search[0] < search[1]:
        raise BadInput(f"the doses searched, {search[0]} to {search[1]}, must rise from above zero")
    goal = np.where(np.isfinite(goal), goal, np.nan).reshape(len(goal), -1)
    shape, told = goal.shape, np.isfinite(goal).any(axis=1)
    goal = goal[told]
    shown = np.zeros_like(goal) if in_context is None else np.asarray(in_context, dtype=np.float64).reshape(shape)[told]

    def left(log_dose: float) -> Floats:
        """(A, C) measured less the forecast by the dose alone, nats; NaN where a cell is not known."""
        return goal - np.asarray(shift_of_dose(float(np.exp(log_dose))), dtype=np.float64).reshape(shape)[told]

    def off(log_dose: float) -> Floats:
        """(A, C) forecast - measured, nats; NaN where a cell is not known."""
        rest = left(log_dose)
        return _share(rest, shown) * shown - rest

    grid = np.linspace(np.log(search[0]), np.log(search[1]), points)
    cells = np.stack([off(g) for g in grid])  # (points, A, C)
    table = _losses(cells)
    best = int(np.argmin(table.sum(axis=1)))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, points - 1)])
    found = minimize_scalar(lambda g: _losses(off(g)).sum(), bounds=around, method="bounded", options={"xatol": 1e-6})
    drawn = rng.multinomial(len(goal), np.full(len(goal), 1.0 / len(goal)), size=draws)  # (draws, A)
    others = _valleys(grid, table @ drawn.T)
    residual = _residual(_between(cells))
    scatter = _scatter(_between(grid), _losses(_between(cells)), float(found.x), residual)
    low, high = percentile_interval(np.exp(others))
    return DoseFit(
        dose=float(np.exp(found.x)),
        low=low,
        high=high,
        error=float(np.sqrt(found.fun / np.isfinite(goal).sum())),
        at_edge=best in (0, points - 1),
        arms=len(goal),
        spread=_spread(float(np.hypot(scatter, others.std())), len(goal)),
        residual=residual if len(goal) >= FEWEST else max(residual, FEW_RESIDUAL),
        share=_share(left(float(found.x)), shown),
    )


def _share(left: Floats, shown: Floats) -> float:
    """How much of `shown` (A, C) lies nearest to what is `left` (A, C): least squares over known cells, never below 0.

    >>> _share(np.array([[1.0, np.nan]]), np.array([[2.0, 5.0]]))
    0.5
    """
    known = np.isfinite(left)
    power = float(np.square(shown[known]).sum())
    return max(0.0, float(shown[known] @ left[known])) / power if power > 0.0 else 0.0


def _losses(off: Floats) -> Floats:
    """(..., A) squared error of each arm, of cells (..., A, C) that may be unknown."""
    summed: Floats = np.nansum(np.square(off), axis=-1)
    return summed


def _between(values: Floats) -> Floats:
    """`values` (points, ...) with `FINER` - 1 more in a straight line between each two."""
    step = np.arange(FINER).reshape(1, -1, *(1,) * (values.ndim - 1)) / FINER
    inner = values[:-1, None] + step * np.diff(values, axis=0)[:, None]
    return np.concatenate([inner.reshape(-1, *values.shape[1:]), values[-1:]])


def _residual(cells: Floats) -> float:
    """Robust standard deviation (nats) of (doses, A, C) cells, each arm at its own dose."""
    own = _losses(cells).argmin(axis=0)
    left = cells[own, np.arange(len(own))]
    left = left[np.isfinite(left)]
    if left.size <= len(own):
        return FEW_RESIDUAL
    size = np.abs(left)
    tame = np.minimum(size, WILD * NORMAL_MAD * np.median(size))
    return float(np.sqrt(np.square(tame).sum() / (left.size - len(own))))


def _scatter(log_doses: Floats, losses: Floats, centre: float, residual: float) -> float:
    """Standard deviation of arms' log doses about `centre`: the likeliest, given `losses` (doses, A) at every dose."""
    from scipy.optimize import minimize_scalar

    given = -0.5 * losses / max(residual, FINEST) ** 2

    def unlikely(log_scatter: float) -> float:
        prior = -0.5 * np.square((log_doses - centre) / np.exp(log_scatter))
        return -float(log_sum_exp(given + (prior - log_sum_exp(prior, axis=0))[:, None], axis=0).sum())

    widest = log_doses[-1] - log_doses[0]
    bounds = (np.log(log_doses[1] - log_doses[0]), np.log(widest))
    return float(np.exp(minimize_scalar(unlikely, bounds=bounds, method="bounded").x))


def _spread(deviation: float, arms: int) -> float:
    """The normal spread whose 95 % ends are those of Student's t around `arms` arms; never sure of a few."""
    from scipy.stats import norm, t

    if arms < FEWEST:
        return max(deviation, FEW_SPREAD)
    return deviation * float(t.ppf(0.975, arms - 1) / norm.ppf(0.975))


def _valleys(grid: Floats, losses: Floats) -> Floats:
    """(D,) where each column of `losses` (points, D) is least: the vertex of the parabola through the lowest three."""
    at = np.clip(losses.argmin(axis=0), 1, len(grid) - 2)
    left, middle, right = (np.take_along_axis(losses, (at + d)[None], axis=0)[0] for d in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    step = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=bend > 0.0)
    lowest: Floats = grid[at] + np.clip(step, -1.0, 1.0) * (grid[1] - grid[0])
    return lowest


@dataclass(frozen=True)
class DoseLaw:
    """dose = coefficient · steps · rate, for one way of training (and, for LoRA, one rank).

    >>> DoseLaw(500.0).dose(steps=4, rate=1e-3)
    2.0
    """

    coefficient: float

    def dose(self, *, steps: float, rate: float) -> float:
        """Effective episodes of a run."""
        return self.coefficient * steps * rate
