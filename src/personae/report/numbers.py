"""Numbers as a page says them: probabilities in per cent, log-odds in nats, always with their sign where it matters.

A level is a log-odds, ln p(high) - ln p(low); its probability is 1 / (1 + exp(-level)). This is a change of unit and
no result: a page shows the same number in whichever unit a reader can picture.
"""

import math

import numpy as np

_RARE = 0.005  # a probability that whole per cents write as less than one


def probability(level: float) -> float:
    """The probability of the high pole at a level (nats).

    >>> probability(0.0)
    0.5
    """
    return float(0.5 * (1.0 + np.tanh(0.5 * level)))


def percent(share: float, digits: int = 0) -> str:
    r"""A probability, or another share, in per cent; what is not a number is said to be unknown.

    >>> shares = (0.537, 0.005, 0.995, -0.301, -0.001, float("nan"))
    >>> print(", ".join(map(percent, shares)).replace("\u00a0", " "))
    54 %, <1 %, >99 %, −30 %, 0 %, unknown
    """
    if not math.isfinite(share):
        return "unknown"
    smallest = 10.0**-digits
    value = 100.0 * share
    if 0.0 < value <= smallest / 2:
        return f"<{smallest:g}\u00a0%"
    if 100.0 - smallest / 2 <= value < 100.0:
        return f">{100.0 - smallest:g}\u00a0%"
    return f"{plain(value, digits)}\u00a0%"


def from_to(before: float, after: float, edge: str = "{often}, before and after") -> str:
    r"""Two probabilities in as few digits as tell them apart; what does not tell them apart is said once.

    `edge` says it of two that are both next to nothing or next to certain.

    >>> pairs = ((0.27, 0.51), (0.051, 0.054), (0.3, 0.3), (0.0001, 0.002), (0.9999, 0.999))
    >>> print("; ".join(from_to(*pair) for pair in pairs).replace("\u00a0", " "))
    27 % → 51 %; 5.1 % → 5.4 %; 30 %, as before; hardly ever, before and after; nearly always, before and after
    """
    if max(before, after) < _RARE:
        return edge.format(often="hardly ever")
    if min(before, after) > 1.0 - _RARE:
        return edge.format(often="nearly always")
    for digits in (0, 1):
        if (p := percent(before, digits)) != (q := percent(after, digits)):
            return f"{p}\u00a0→\u00a0{q}"
    return f"{percent(after)}, as before"


def signed(number: float, digits: int = 2) -> str:
    """A number with its sign, a true minus, and no negative zero.

    >>> signed(-0.5), signed(1.25), signed(-0.001)
    ('−0.50', '+1.25', '0.00')
    """
    if not math.isfinite(number):
        return "unknown"
    body = f"{abs(number):.{digits}f}"
    if float(body) == 0.0:
        return body
    return ("+" if number > 0 else "−") + body


def two_figures(number: float) -> str:
    """A size with two figures that count, for errors of whatever order.

    >>> two_figures(0.1631), two_figures(0.00042), two_figures(2.0), two_figures(0.0)
    ('0.16', '0.00042', '2.0', '0')
    """
    if not math.isfinite(number) or number == 0.0:
        return "0" if number == 0.0 else "unknown"
    return f"{number:.{max(0, 1 - math.floor(math.log10(abs(number))))}f}"


def points(change: float) -> str:
    r"""A change of probability in percentage points.

    >>> print(", ".join((points(0.354), points(-0.01))).replace("\u00a0", " "))
    +35 points, −1 point
    """
    number = signed(100.0 * change, 0)
    return f"{number}\u00a0point" + ("" if number in ("+1", "−1") else "s")


def plain(number: float, digits: int = 2) -> str:
    """A number without a forced sign.

    >>> plain(0.876), plain(float("nan"))
    ('0.88', 'unknown')
    """
    return signed(number, digits).removeprefix("+")


def duration(seconds: float) -> str:
    r"""A length of time in the two units that matter.

    >>> print(", ".join(map(duration, (42.4, 187.0, 7300.0))).replace("\u00a0", " "))
    42 s, 3 min 7 s, 2 h 1 min
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\u00a0s" if whole else f"{seconds:.1f}\u00a0s"
    if whole < 3600:
        return f"{whole // 60}\u00a0min {whole % 60}\u00a0s"
    return f"{whole // 3600}\u00a0h {whole % 3600 // 60}\u00a0min"
