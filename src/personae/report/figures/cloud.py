"""Cells around the diagonal: what was expected of each along, what was measured upwards, in one scale.

The broken diagonal is perfection, the horizontal line "nothing would change", and distance from the diagonal is the
error. Groups have a colour and a shape each.
"""

import math

from personae.records import Cloud, Point
from personae.report.figures.palette import looks
from personae.report.svg import MUTED, RULE, SMALL, WIDE, Scale, drawing, group, label, legend, line, mark, width_of
from personae.report.units import Unit, numbers_of, picture_unit

_FEW = 4  # so many groups have a legend in a small picture


def cloud(picture: Cloud, *, width: int = WIDE, brief: bool = False) -> str:
    """The points as one SVG, each named on hovering where there is room for a mouse.

    `brief` leaves out the names of groups where they are many.
    """
    small = brief or width < 520
    styles = looks([point.group for point in picture.points])
    named = [(mark(s, 0, 0, 4.5, fill=c), name) for name, (s, c) in styles.items() if name]
    head, top = legend([] if brief and len(named) > _FEW else named, width)
    unit = picture_unit(picture)
    low, high = _domain(picture, unit)
    marks = unit.marks(low, high, 6 if width >= 520 else 4)
    widest = max((width_of(words, SMALL) for _, words in marks), default=0.0)
    before, after, side = widest + 26.0, widest / 2 + 2.0, min(float(width), 520.0)
    left, bottom = before + (width - side) / 2, top + side - before - 4.0
    right = left + side - before - after
    x, y = Scale(low, high, left, right), Scale(low, high, bottom, bottom - (right - left))
    parts = [head, _frame(picture, marks, x, y)]
    for point in picture.points:
        if math.isfinite(point.x) and math.isfinite(point.y):
            shape, colour = styles[point.group]
            drawn = mark(shape, x(point.x), y(point.y), 4.0 if small else 5.0, fill=colour, fill_opacity="0.85")
            parts.append(drawn if small else group(drawn, title=_in_words(point, picture, unit)))
    return drawing(width, bottom + 40.0, picture.title, *parts)


def _domain(picture: Cloud, unit: Unit) -> tuple[float, float]:
    least = (-0.1, 0.0, 0.1) if unit.form in ("signed", "points") else (0.0,)
    return unit.domain(numbers_of(picture), also=least, pad=0.06)


def _in_words(point: Point, picture: Cloud, unit: Unit) -> str:
    who = ", ".join(name for name in (point.group, point.label) if name)
    names = (picture.x_label.split(",")[0], picture.y_label.split(",")[0])
    return f"{who}: {names[0]} {unit.say(point.x)}, {names[1]} {unit.say(point.y)}"


def _frame(picture: Cloud, marks: list[tuple[float, str]], x: Scale, y: Scale) -> str:
    parts = []
    for value, words in marks:
        strong = MUTED if value == 0.0 else RULE
        parts.append(line(x(value), y.start, x(value), y.end, strong))
        parts.append(line(x.start, y(value), x.end, y(value), strong))
        parts.append(label(x(value), y.start + 16, words, size=SMALL, fill=MUTED, text_anchor="middle"))
        parts.append(label(x.start - 6, y(value) + 4, words, size=SMALL, fill=MUTED, text_anchor="end"))
    parts.append(line(x(x.low), y(y.low), x(x.high), y(y.high), MUTED, 1.5, stroke_dasharray="5 4"))
    before = max((width_of(words, SMALL) for _, words in marks), default=0.0) + 14.0
    turned = f"translate({x.start - before:.0f},{(y.start + y.end) / 2:.0f}) rotate(-90)"
    parts.append(_axis((x.start + x.end) / 2, y.start + 33, picture.x_label, x.end - x.start))
    parts.append(_axis(0, 0, picture.y_label, x.end - x.start, transform=turned))
    return "".join(parts)


def _axis(x: float, y: float, words: str, room: float, transform: str | None = None) -> str:
    return label(x, y, words, size=SMALL, room=room, fill=MUTED, text_anchor="middle", transform=transform)
