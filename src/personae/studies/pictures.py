"""Parts of pictures that studies share: rows and lines with the exact answer beside what was measured."""

from collections.abc import Mapping, Sequence

from personae.records import Compared, Estimate, Line
from personae.studies.study import Setting
from personae.workflows.trainings import Lesson
from personae.workflows.trial import Trial


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
    return Line(name, tuple(x), tuple(Estimate(v, v, v) for v in y), exact=True, group=group)
