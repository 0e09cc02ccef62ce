"""Every instrument by its name; see `measure.instrument` for what they have in common."""

from collections.abc import Callable

from personae.errors import BadInput
from personae.measure.instrument import Instrument
from personae.measure.item_answers import answers, behaviour, statements
from personae.measure.options import options
from personae.measure.yes_no import yes_no

BY_LIKELIHOOD: dict[str, Callable[[int], Instrument]] = {
    "answers": answers,
    "behaviour": behaviour,
    "statements": statements,
    "yes-no": yes_no,
    "options": options,
}
NAMES = (*BY_LIKELIHOOD, "sampled")
DEFAULT = "answers"


def instrument(
    name: str = DEFAULT, *, frame: int = 0, judge: str | None = None, draws: int | None = None, seed: int = 0
) -> Instrument:
    """The instrument called `name`, in a frame; `judge` (a served model), `draws` and `seed` are those of `sampled`."""
    if name not in NAMES:
        raise BadInput(f"there is no instrument {name!r}", remedy=f"choose from {', '.join(NAMES)}")
    if name != "sampled":
        if judge is not None or draws is not None:
            raise BadInput(f"{name} asks no judge and draws nothing", remedy="leave --judge and --draws out")
        return BY_LIKELIHOOD[name](frame)
    from personae.measure.judge import Judge
    from personae.measure.sampled import DRAWS, Sampled

    if judge is None:
        raise BadInput("sampled answers need a judge", remedy="give --judge http://host:8000/v1#model")
    return Sampled(Judge.at(judge), DRAWS if draws is None else draws, seed, frame)
