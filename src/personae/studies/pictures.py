"""Parts of pictures that studies share: rows, lines and clouds with what was foreseen beside what was measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from personae.records import Cloud, Compared, Estimate, Line, Point
from personae.records.results import Floats
from personae.studies.study import Setting
from personae.workflows.lab.trainings import Lesson
from personae.workflows.lab.trial import Trial


def compared(
    setting: Setting, trials: Mapping[str, Trial], arms: Mapping[str, Sequence[Lesson]], traits: Sequence[str]
) -> tuple[Compared, ...]:
    """The shift of each of `traits` in each arm, nats, beside the exact answer and the model's own forecast."""
    exact = {name: setting.exact.shifts(lessons) for name, lessons in arms.items()}
    model = {name: setting.model.shifts(lessons) for name, lessons in arms.items()}
    return tuple(
        Compared(name, trials[name].shift(trait), exact[name][trait], model[name][trait], group=trait)
        for trait in traits
        for name in arms
    )


def measured_line(name: str, x: Sequence[float], y: Sequence[Estimate], group: str) -> Line:
    """What was measured at each `x`."""
    return Line(name, tuple(x), tuple(y), group=group)


def exact_line(name: str, x: Sequence[float], y: Sequence[float], group: str) -> Line:
    """What is foreseen at each `x`: numbers without an interval."""
    return Line(name, tuple(x), tuple(known(v) for v in y), exact=True, group=group)


def bound_line(name: str, x: Sequence[float], y: Sequence[float]) -> Line:
    """A floor or a ceiling at each `x`."""
    return Line(name, tuple(x), tuple(known(v) for v in y), bound=True, group=name)


def known(value: float) -> Estimate:
    """A number that has no interval of its own."""
    return Estimate(value, value, value)


def cells_cloud(
    title: str, x_label: str, foreseen: Floats, measured: Floats, arms: Mapping[str, str], traits: Sequence[str]
) -> Cloud:
    """Every cell of (A, T) shifts that both sides know, nats; `arms` {name: group}, in the order of the rows."""
    return Cloud(
        title,
        x_label,
        "measured, nats",
        tuple(
            Point(f"{trait}, {name}", float(foreseen[a, t]), float(measured[a, t]), group)
            for a, (name, group) in enumerate(arms.items())
            for t, trait in enumerate(traits)
            if np.isfinite(foreseen[a, t]) and np.isfinite(measured[a, t])
        ),
    )
