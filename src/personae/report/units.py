"""How the numbers of one picture are written: its unit is read once, and picture, table and sentence then agree.

A unit is words, and these words in it count: "nats" asks for a sign, except of what has none ("loss, nats");
"probability", "chance", "share" and "accuracy" are from 0 to 1 and written in per cent, a "change" or "difference" of
them in points; everything else is a plain number with as many digits as its size asks for.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from personae.records import Bar, Estimate, Lines, Matrix, Picture, Rows
from personae.report.numbers import percent, plain, signed
from personae.report.svg import ticks

_SHARES = frozenset({"probability", "probabilities", "chance", "share", "shares", "accuracy"})
_CHANGES = frozenset({"change", "changes", "shift", "shifts", "rise", "difference"})
_UNSIGNED = frozenset({"loss", "divergence", "kl", "entropy", "error", "errors", "distance"})
_DIGITS = 8  # a number is never written with more decimals


@dataclass(frozen=True)
class Unit:
    """One way to write numbers, with a fixed number of `digits` after the point; `words` names it on an axis."""

    words: str
    form: Literal["signed", "share", "points", "plain"]
    digits: int

    def say(self, value: float) -> str:
        """The value; what is not a number is said to be unknown."""
        return _written(value, self.form, self.digits)

    def span(self, estimate: Estimate) -> str:
        """The ends of an interval; one that is not known is said to be unknown once."""
        if not (math.isfinite(estimate.low) or math.isfinite(estimate.high)):
            return self.say(math.nan)
        return f"{self.say(estimate.low)} to {self.say(estimate.high)}"

    def domain(self, values: Iterable[float], *, also: Sequence[float] = (), pad: float = 0.05) -> tuple[float, float]:
        """From where to where an axis runs: all of the values and of `also`; a share's ends at 0 and 1 if they do."""
        found = [v for v in (*values, *also) if math.isfinite(v)] or [0.0]
        low, high = min(found), max(found)
        if self.form in ("signed", "points"):
            low, high = min(low, 0.0), max(high, 0.0)
        if self.form == "share" and low >= 0.0 and high <= 1.0:
            return 0.0, 1.0 if high > 0.5 else max(1.1 * high, 0.02)
        size = max(abs(low), abs(high))
        edge = pad * max(high - low if high - low > 1e-6 * size else size or 1.0, 1e-6)
        return (0.0 if low == 0.0 and self.form == "plain" else low - edge), high + edge

    def marks(self, low: float, high: float, about: int = 5) -> list[tuple[float, str]]:
        """Round values within [low, high], and how each is written under an axis."""
        places = ticks(low, high, about)
        step = min((b - a for a, b in pairwise(places)), default=1.0)
        scaled = 100.0 * step if self.form in ("share", "points") else step
        digits = max(0, -math.floor(math.log10(scaled) + 1e-9))
        return [(value, _written(value, self.form, digits, short=True)) for value in places]


def unit_of(words: str, values: Iterable[float]) -> Unit:
    """The unit that `words` name, with digits enough for all of `values`.

    >>> unit_of("nats", [0.5, -1.25]).say(0.5), unit_of("probability", [0.12]).say(0.12).replace("\u00a0", " ")
    ('+0.50', '12 %')
    >>> unit_of("seconds", [1234.5, 2.0]).say(1234.5), unit_of("", [0.004]).say(0.004)
    ('1234', '0.0040')
    >>> unit_of("share of the change explained", [0.5]).form, unit_of("rise in probability", [0.5]).form
    ('share', 'points')
    """
    found = [abs(v) for v in values if math.isfinite(v)]
    largest = max(found, default=1.0) or 1.0
    named = re.findall(r"[a-z]+", words.lower())
    if "nats" in named and _UNSIGNED.isdisjoint(named):
        return Unit(words, "signed", 2 if largest >= 0.1 else 3)
    telling = [word for word in named if word in _SHARES | _CHANGES]
    if not _SHARES.isdisjoint(telling):
        at_an_edge = largest < 0.1 or 0.9 < min(found, default=0.0) <= largest <= 1.0
        return Unit(words, "points" if telling[0] in _CHANGES else "share", 1 if at_an_edge else 0)
    size = math.floor(math.log10(largest))
    return Unit(words, "plain", min(_DIGITS, 2 - max(size, 0) if size >= -1 else 1 - size) if size <= 2 else 0)


def numbers_of(picture: Picture) -> list[float]:
    """Every number of a picture that is in its unit; the places along a line's axis are not."""
    if isinstance(picture, Rows):
        measured = [v for row in picture.rows for v in _three(row.measured)]
        return measured + [v for row in picture.rows for v in (row.exact, row.forecast) if v is not None]
    if isinstance(picture, Lines):
        return [v for line in picture.lines for y in line.y for v in _three(y)]
    if isinstance(picture, Matrix):
        return [v for row in picture.values for v in row]
    return [v for point in picture.points for v in (point.x, point.y)]


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.mean, estimate.low, estimate.high


def picture_unit(picture: Picture) -> Unit:
    """The unit that a picture's numbers are written in, wherever they are written."""
    if isinstance(picture, Rows | Matrix):
        return unit_of(picture.unit, numbers_of(picture))
    if isinstance(picture, Lines):
        return unit_of(picture.y_label, numbers_of(picture))
    return unit_of(f"{picture.x_label} {picture.y_label}", numbers_of(picture))


def _written(value: float, form: str, digits: int, *, short: bool = False) -> str:
    if form == "signed":
        return signed(value, digits)
    if form == "share":
        return percent(value, digits)
    if form == "points" and math.isfinite(value):
        return signed(100.0 * value, digits) + ("" if short else "\u00a0points")
    return plain(value, digits)


def estimate_words(unit: Unit, estimate: Estimate) -> str:
    """A number with its interval in brackets; without brackets where there is none, as of an exact answer."""
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high) and estimate.low < estimate.high
    return unit.say(estimate.mean) + (f" [{unit.say(estimate.low)}, {unit.say(estimate.high)}]" if known else "")


def quantity(number: float) -> str:
    """A place on an axis in four figures: a dose, a number of steps or of tokens.

    >>> [quantity(v).replace("\u00a0", " ") for v in (0.25, 40.0, 1500.0, 9999.6, 30_000.0, 3_200_000.0)]
    ['0.25', '40', '1500', '10 k', '30 k', '3.2 M']
    """
    if not math.isfinite(number):
        return "unknown"
    number = float(f"{number:.4g}")  # 9999.6 is 10 k
    for size, letter in ((1e9, "\u00a0G"), (1e6, "\u00a0M"), (1e4, "\u00a0k")):
        if abs(number) >= size:
            return f"{number / min(size, 1e3 if size == 1e4 else size):.4g}{letter}".replace("-", "−")
    return f"{number:.4g}".replace("-", "−")


def bar_words(bar: Bar) -> tuple[str, str, str]:
    """Value, bar, and whether it is met, in digits enough to see that it is.

    >>> bar_words(Bar("r", 0.8496, 0.85)), bar_words(Bar("r", 108.0, 0.25, at_least=False))
    (('0.8496', 'at least 0.8500', 'missed'), ('108', 'at most 0.25', 'missed'))
    """
    if math.isnan(bar.value):
        return "unknown", f"{_side(bar)} {unit_of('', [bar.bar]).say(bar.bar)}", "cannot be told"
    ours, theirs = _bar_digits(bar)
    while (
        max(ours, theirs) < _DIGITS
        and replace(bar, value=round(bar.value, ours), bar=round(bar.bar, theirs)).met != bar.met
    ):
        ours, theirs = ours + 1, theirs + 1
    return _figure(bar.value, ours), f"{_side(bar)} {_figure(bar.bar, theirs)}", "met" if bar.met else "missed"


def _bar_digits(bar: Bar) -> tuple[int, int]:
    """Digits of the value and of the bar: alike, but each its own where the larger would hide those of the bar."""
    alike, theirs = (unit_of("", numbers).digits for numbers in ([bar.value, bar.bar], [bar.bar]))
    if alike >= 2 and (bar.bar == 0.0 or round(bar.bar, alike) != 0.0):
        return alike, alike
    return unit_of("", [bar.value]).digits, theirs


def _figure(number: float, digits: int) -> str:
    return ("∞" if number > 0.0 else "−∞") if math.isinf(number) else plain(number, digits)


def _side(bar: Bar) -> str:
    return "at least" if bar.at_least else "at most"
