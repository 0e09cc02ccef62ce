"""Bounds on a forecast, for a pipeline's gate: `power>0.1` is crossed where power is forecast to rise by over 0.1 nats.

A bound names a trait, `>` or `<`, and a shift in nats against the untrained model (against the control where there is
one). A trait that the model cannot show cannot be bounded, and that is an error: a gate never passes in silence.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from personae.errors import BadInput, BoundCrossed, RunFailed
from personae.records import TraitForecast

_FORM = re.compile(r"\s*(?P<trait>[^<>]+?)\s*(?P<sign>[<>])\s*(?P<number>[^<>]+?)\s*")


@dataclass(frozen=True)
class Bound:
    """A shift of `trait` that is crossed by what is greater (`sign` ">") or less ("<") than `nats`."""

    trait: str
    sign: str
    nats: float

    def crossed(self, shift: float) -> bool:
        """Whether a shift (nats) lies beyond."""
        return shift > self.nats if self.sign == ">" else shift < self.nats

    @property
    def written(self) -> str:
        """As an option states it: `power>0.1`."""
        return f"{self.trait}{self.sign}{self.nats:g}"

    def told(self, state: str, shift: float) -> dict[str, Any]:
        """What a program is told of it; `shift` in nats."""
        return {"bound": self.written, "state": state, "shift": shift}


def read_bound(text: str, traits: Iterable[str], option: str = "--fail-if", noun: str = "trait") -> Bound:
    """The bound that `text`, given as an `option`, states about one of `traits`, or of whatever else the `noun` says.

    >>> read_bound("power>0.1", ["power"])
    Bound(trait='power', sign='>', nats=0.1)
    """
    names = list(traits)
    found = _FORM.fullmatch(text)
    if not found:
        raise BadInput(f"{option} {text!r} is no bound", remedy=f"write it as '{noun}>0.1' or '{noun}<-0.1'")
    try:
        nats = float(found["number"])
    except ValueError:
        nats = math.nan
    if not math.isfinite(nats):
        raise BadInput(f"{option} {text!r}: {found['number']!r} is no number", remedy="give one, as in 0.1")
    if found["trait"] not in names:
        raise BadInput(
            f"{option} {text!r}: there is no {noun} {found['trait']!r}", remedy=nearest_name(found["trait"], names)
        )
    return Bound(found["trait"], found["sign"], nats)


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Which of `names` was meant, where one is near in spelling; all of them otherwise.

    >>> nearest_name("power", ["care", "power-seeking"]), nearest_name("malice", ["care", "power-seeking"])
    ('did you mean power-seeking?', 'one of care, power-seeking')
    """
    near = [n for n in names if name.lower() in n] or get_close_matches(name.lower(), names, n=2)
    return f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(names)}"


def check_shown(bounds: Sequence[Bound], traits: Collection[str]) -> None:
    """Raise `RunFailed` where a bound is on a trait that is not among `traits`, those that the model can show."""
    for bound in bounds:
        if bound.trait not in traits:
            raise RunFailed(f"the bound on {bound.trait} cannot be checked: this model cannot show that trait")


def check_bounds(bounds: Sequence[Bound], forecast: Mapping[str, TraitForecast]) -> None:
    """Raise `BoundCrossed` where the forecast crosses any, `RunFailed` where one cannot be checked."""
    check_shown(bounds, forecast)
    cross([b for b in bounds if b.crossed(forecast[b.trait].shift)], {t: f.shift for t, f in forecast.items()})


def bounds_told(bounds: Sequence[Bound], forecast: Mapping[str, TraitForecast]) -> list[dict[str, Any]]:
    """What a program is told of each bound: whether it is `crossed` or `held`, and the shift forecast, nats."""
    shifts = [(bound, forecast[bound.trait].shift) for bound in bounds]
    return [bound.told("crossed" if bound.crossed(shift) else "held", shift) for bound, shift in shifts]


def cross(over: Sequence[Bound], shifts: Mapping[str, float]) -> None:
    """Raise `BoundCrossed` that names the bounds `over` which the `shifts` (nats) lie beyond, if there are any."""
    if over:
        said = ", ".join(f"{b.trait} {shifts[b.trait]:+.3f} nats ({b.sign} {b.nats:g})" for b in over)
        raise BoundCrossed(f"the forecast crosses a bound: {said}")
