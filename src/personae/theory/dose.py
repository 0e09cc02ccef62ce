"""Dose: how many effective episodes a training run was worth.

    dose = argmin_n Σ_arms Σ_cells ( shift_of_dose(n) - measured )²,   n > 0

fitted once on development arms, in log-odds of shift, and then carried to other runs by a law that is as simple as the
evidence for it: dose = coefficient · steps · learning rate, one coefficient for each method of training. For LoRA the
rate is that of the adapter at its own rank; rank has no exponent of its own (alpha / rank scaling is meant to absorb
it), so a coefficient holds for the rank it was fitted at. The dose is never refitted on what is being forecast.
Source: PSM.md section 2, Dose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.intervals import percentile_interval

ShiftOfDose = Callable[[float], Floats]


@dataclass(frozen=True)
class DoseFit:
    """The fitted dose with its 95 % interval over arms; `error` is the root mean square left, nats.

    `at_edge` says that the best dose lies at an end of the range searched: the arms did not determine it.
    """

    dose: float
    low: float
    high: float
    error: float
    at_edge: bool


def fit_dose(
    shift_of_dose: ShiftOfDose,
    measured: ArrayLike,
    *,
    rng: np.random.Generator,
    search: tuple[float, float] = (0.01, 100.0),
    points: int = 81,
    draws: int = 1000,
) -> DoseFit:
    """The dose whose forecast shifts lie nearest to `measured` (A, ...), one row an arm; NaN cells are left out.

    `shift_of_dose(n)` returns the forecast of the same cells. A log grid finds the valley (there may be several),
    bounded minimisation its floor; arms are drawn with replacement for the interval.
    """
    from scipy.optimize import minimize_scalar

    goal = np.asarray(measured, dtype=np.float64)
    known = np.isfinite(goal)
    if goal.ndim == 0 or not known.any():
        raise BadInput("no measured shift to fit a dose on", remedy="give at least one development arm")
    if not 0.0 < search[0] < search[1]:
        raise BadInput(f"the doses searched, {search[0]} to {search[1]}, must rise from above zero")

    def losses(log_dose: float) -> Floats:
        """(A,) squared error of each arm."""
        off = np.where(known, np.asarray(shift_of_dose(float(np.exp(log_dose)))) - goal, 0.0)
        summed: Floats = np.square(off).reshape(len(goal), -1).sum(axis=1)
        return summed

    grid = np.linspace(np.log(search[0]), np.log(search[1]), points)
    table = np.stack([losses(g) for g in grid])  # (points, A)
    best = int(np.argmin(table.sum(axis=1)))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, points - 1)])
    found = minimize_scalar(lambda g: losses(g).sum(), bounds=around, method="bounded", options={"xatol": 1e-6})
    drawn = rng.multinomial(len(goal), np.full(len(goal), 1.0 / len(goal)), size=draws)  # (draws, A)
    low, high = percentile_interval(np.exp(_valleys(grid, table @ drawn.T)))
    error = float(np.sqrt(found.fun / known.sum()))
    return DoseFit(float(np.exp(found.x)), low, high, error, best in (0, points - 1))


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
    """dose = coefficient · steps · rate, for one `method` of training (and, for LoRA, one rank).

    >>> DoseLaw("sft", 500.0).dose(steps=4, rate=1e-3)
    2.0
    """

    method: str
    coefficient: float

    def dose(self, *, steps: float, rate: float) -> float:
        """Effective episodes of a run."""
        return self.coefficient * steps * rate


def dose_law(method: str, runs: Sequence[tuple[float, float, float]]) -> DoseLaw:
    """The law through `runs` of (fitted dose, steps, rate): the geometric mean of dose / (steps · rate)."""
    ratios = np.array([dose / (steps * rate) for dose, steps, rate in runs], dtype=np.float64)
    if not ratios.size or not (ratios > 0.0).all():
        raise BadInput("a law of dose needs at least one run with a dose above zero")
    return DoseLaw(method, float(np.exp(np.log(ratios).mean())))
