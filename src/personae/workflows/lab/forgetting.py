"""Lessons one after another, with a decay: what is foreseen where later lessons wear earlier ones off.

A dose is proportional to the rate, so a lesson that wore off by half is worth one at half the rate; what is foreseen of
a training that forgets is then what is foreseen of a gentler one that does not.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from personae.records.results import Floats
from personae.theory import DoseFit, faded, fit_dose
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.trainings import Lesson

SEARCHED = (1e-3, 3.0)  # decays per effective episode; at the lower end a lesson loses nothing that could be seen


def worn_off(foresight: Foresight, lessons: Sequence[Lesson], decay: float) -> tuple[Lesson, ...]:
    """`lessons`, in the order they are given, at the rates that they are still worth after those that follow."""
    doses = [foresight.dose(lesson) for lesson in lessons]
    left = faded(doses, decay) / np.array(doses)
    return tuple(
        replace(lesson, plan=replace(lesson.plan, rate=lesson.plan.rate * float(share)))
        for lesson, share in zip(lessons, left, strict=True)
    )


def fit_decay(
    foresight: Foresight, several: Sequence[Sequence[Lesson]], measured: ArrayLike, *, seed: int = 0
) -> DoseFit:
    """The decay that foresees `measured` shifts (A, T), nats, of `several` trainings best; NaN cells are left out.

    `dose` of what comes back is the decay per effective episode, with its interval over trainings.
    """

    def foreseen(decay: float) -> Floats:
        shifts = [foresight.shifts(worn_off(foresight, lessons, decay)) for lessons in several]
        return np.array([list(row.values()) for row in shifts])

    return fit_dose(foreseen, measured, rng=np.random.default_rng(seed), search=SEARCHED)
