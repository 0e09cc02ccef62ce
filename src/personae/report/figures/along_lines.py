"""Quantities along an axis: what was measured as dots with 95 % intervals, the exact answer as a broken line.

A measured line and the exact one of its group share a colour and a shape, filled and hollow, so where the account is
right the dots sit in the hollow marks. Floors and ceilings are dotted, without marks. The axis has its ticks where the
lines have values; a zero on a logarithmic axis stands one step before the rest.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from personae.records import Line, Lines
from personae.report.figures.palette import ARM_COLOURS, SHAPES_OPEN
from personae.report.svg import (
    MUTED,
    PAPER,
    RULE,
    SMALL,
    WIDE,
    Scale,
    drawing,
    group,
    label,
    legend,
    line,
    mark,
    path,
    width_of,
    wrap,
)
from personae.report.units import Unit, estimate_words, numbers_of, picture_unit, quantity

_DOTS = ("1 4", "8 4 1 4")  # one bound, and another
_ASIDE = 3.0  # so far apart stand the dots of two measured lines at one place, pixels


def along_lines(picture: Lines, *, width: int = WIDE) -> str:
    """The lines as one SVG."""
    unit = picture_unit(picture)
    styles = _styles(picture.lines)
    drawn = [(_key(styles[i], one), one.name) for i, one in enumerate(picture.lines)]
    if any(not (one.exact or one.bound) for one in picture.lines):
        drawn.append((_whisker(0.0, -8.0, 8.0, MUTED), "95 % interval"))
    head, top = legend(drawn, width)
    height = 270.0 if width >= 520 else 210.0
    low, high = unit.domain(numbers_of(picture))
    marks = unit.marks(low, high)
    left = max((width_of(words, SMALL) for _, words in marks), default=0.0) + 10.0
    names = wrap(picture.y_label, width, SMALL)
    top += 17.0 * len(names) + 8.0
    y = Scale(low, high, top + height, top)
    places = sorted({v for one in picture.lines for v in one.x if math.isfinite(v)}) or [0.0]
    along = _along(places, log=picture.log_x)
    edge = 10.0 + width_of(quantity(places[-1]), SMALL) / 2
    x = Scale(along(places[0]), along(places[-1]), left + edge, width - edge)
    parts = [label(0, top - 12.0 - 17.0 * i, words, size=SMALL, fill=MUTED) for i, words in enumerate(reversed(names))]
    parts.append(_frame(marks, x, y, left, width))
    parts.append(_axis(picture, places, lambda v: x(along(v)), y.start, width))
    order = sorted(range(len(styles)), key=lambda i: not picture.lines[i].exact)  # what was measured lies above
    parts += [_line(picture.lines[i], styles[i], lambda v: x(along(v)), y, unit) for i in order]
    return drawing(width, y.start + 42.0, picture.title, head, *parts)


@dataclass(frozen=True)
class _Style:
    shape: str
    colour: str
    aside: float
    dash: str | None = None


def _styles(lines: tuple[Line, ...]) -> list[_Style]:
    """One look for each pair of a measured line and its exact one, and for each line that has no partner."""
    drawn = iter(_styles_of([one for one in lines if not one.bound]))
    dots = (_Style("", MUTED, 0.0, _DOTS[i % len(_DOTS)]) for i in range(len(lines)))
    return [next(dots) if one.bound else next(drawn) for one in lines]


def _styles_of(lines: list[Line]) -> list[_Style]:
    measured: dict[str, int] = {}
    for one in lines:
        measured[one.group] = measured.get(one.group, 0) + (not one.exact)
    keys = [(one.group, "" if measured[one.group] <= 1 else one.name) for one in lines]
    order = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    middle = (len(order) - 1) / 2
    return [
        _Style(
            SHAPES_OPEN[order[key] % len(SHAPES_OPEN)],
            ARM_COLOURS[order[key] % len(ARM_COLOURS)],
            _ASIDE * (order[key] - middle),
            "5 4" if one.exact else None,
        )
        for key, one in zip(keys, lines)
    ]


def _along(places: list[float], *, log: bool) -> Callable[[float], float]:
    """How far along the axis a place is."""
    if not log:
        return float
    positive = [v for v in places if v > 0.0] or [1.0]
    step = (math.log(positive[-1] / positive[0]) / max(len(positive) - 1, 1)) or 1.0
    return lambda v: math.log(v) if v > 0.0 else math.log(positive[0]) - step


def _key(style: _Style, one: Line) -> str:
    drawn = line(-8, 0, 8, 0, style.colour, 2.0, stroke_dasharray=style.dash)
    return drawn if one.bound else drawn + _mark(style, 0, 0, exact=one.exact)


def _mark(style: _Style, x: float, y: float, *, exact: bool) -> str:
    if exact:
        return mark(style.shape, x, y, 6.5, fill=PAPER, stroke=style.colour, stroke_width=1.5)
    return mark(style.shape, x, y, 4.5, fill=style.colour)


def _whisker(x: float, low: float, high: float, colour: str) -> str:
    ends = [line(x - 3.5, y, x + 3.5, y, colour, 1.5) for y in (low, high)]
    return line(x, low, x, high, colour, 1.5) + "".join(ends)


def _line(one: Line, style: _Style, place: Callable[[float], float], y: Scale, unit: Unit) -> str:
    known = [(place(v) + style.aside, e, v) for v, e in zip(one.x, one.y) if math.isfinite(e.mean) and math.isfinite(v)]
    parts = []
    if len(known) > 1:
        ends = [(x, y(e.mean)) for x, e, _ in known]
        parts.append(path(ends, fill="none", stroke=style.colour, stroke_width=2.0, stroke_dasharray=style.dash))
    for x, e, v in () if one.bound else known:
        drawn = _mark(style, x, y(e.mean), exact=one.exact)
        if e.low < e.high and math.isfinite(e.low) and math.isfinite(e.high):
            drawn = _whisker(x, y(e.low), y(e.high), style.colour) + drawn
        parts.append(group(drawn, title=f"{one.name} at {quantity(v)}: {estimate_words(unit, e)}"))
    return "".join(parts)


def _frame(marks: list[tuple[float, str]], x: Scale, y: Scale, left: float, width: int) -> str:
    parts = []
    for value, words in marks:
        parts.append(line(left, y(value), width, y(value), MUTED if value == 0.0 else RULE))
        parts.append(label(left - 7, y(value) + 4, words, size=SMALL, fill=MUTED, text_anchor="end"))
    return "".join(parts)


def _axis(picture: Lines, places: list[float], place: Callable[[float], float], bottom: float, width: int) -> str:
    parts, free = [], -1e9
    for value in places:
        x, room = place(value), width_of(quantity(value), SMALL)
        parts.append(line(x, bottom, x, bottom + 4, MUTED))
        if x - room / 2 >= free:
            parts.append(label(x, bottom + 17, quantity(value), size=SMALL, fill=MUTED, text_anchor="middle"))
            free = x + room / 2 + 8.0
    name = label(width / 2, bottom + 35, picture.x_label, size=SMALL, room=width, fill=MUTED, text_anchor="middle")
    return "".join(parts) + name
