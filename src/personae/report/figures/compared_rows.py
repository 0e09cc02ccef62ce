"""What was measured, row by row: a dot with its 95 % interval, the exact answer as a ring, the forecast as a pointer.

A dot within its ring is a claim that came out as exact inference has it. The pale stem begins where nothing would have
changed. Rows of one group stand together under its name; the numbers stand at the right, and all of them in the table.
"""

import math
from dataclasses import dataclass

from personae.records import Compared, Rows
from personae.report.svg import (
    FORECAST,
    INK,
    MUTED,
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
    tag,
    width_of,
    wrap,
)
from personae.report.units import Unit, numbers_of, picture_unit

_NAMES = 196.0  # room for the names beside the lanes, pixels
_LINE = 17.0  # from one line of a name to the next
_HEAD, _GAP = 27.0, 6.0  # the name of a group, and what keeps it from the group before
_BOLD = 1.12  # a bold letter is about so much wider


def compared_rows(picture: Rows, *, width: int = WIDE, most: int | None = None) -> str:
    """The rows as one SVG; with `most`, the first so many of them, and how many there are besides."""
    rows = picture.rows[:most]
    unit = picture_unit(picture)
    layout = _layout(rows, unit, width)
    low, high = unit.domain(numbers_of(picture), also=(picture.zero,))
    x = Scale(low, high, layout.start, layout.end)
    head, top = legend(_entries(picture, unit), width)
    y = top + 4.0
    parts: list[str] = []
    lanes: list[tuple[float, float]] = []
    if layout.columns:
        parts.append(_column_names(layout, y))
        y += 18.0
    first = y
    for name, members in _groups(rows).items():
        if name:
            y += _GAP if lanes else 0.0
            parts.append(label(0, y + 18, name, room=width / _BOLD, font_weight=600))
            y += _HEAD
        for row in members:
            height = layout.height(row)
            parts.append(_row(row, picture.zero, unit, x, y, layout))
            lanes.append((y + layout.middle(row) - 13.0, y + layout.middle(row) + 13.0))
            y += height
    spans = [(first, y)] if layout.beside else lanes
    grid = _grid(unit, x, picture.zero, spans, y, layout)
    rest = len(picture.rows) - len(rows)
    if rest:
        parts.append(label(0, y + 52, f"and {rest} more", size=SMALL, fill=MUTED))
    return drawing(width, y + (60.0 if rest else 40.0), picture.title, head, grid, *parts)


@dataclass(frozen=True)
class _Layout:
    """Where things stand in a row, pixels: the name beside the lane, or above it where there is little room."""

    width: int
    beside: bool
    start: float
    end: float
    columns: tuple[tuple[str, float], ...]  # (name, right edge) of the numbers where they have columns

    def lines(self, row: Compared) -> list[str]:
        """The row's name in lines."""
        return wrap(row.label, _NAMES if self.beside else float(self.width), most=5)

    def middle(self, row: Compared) -> float:
        """The middle of the row's lane, from its top."""
        return self.height(row) / 2 + 2.0 if self.beside else _LINE * len(self.lines(row)) + 22.0

    def height(self, row: Compared) -> float:
        """The height of the row."""
        lines = _LINE * len(self.lines(row))
        return max(36.0, lines + 12.0) if self.beside else lines + 43.0


def _layout(rows: tuple[Compared, ...], unit: Unit, width: int) -> _Layout:
    room = max((_BOLD * width_of(unit.say(r.measured.mean)) for r in rows), default=0.0) + 12.0
    if width < 520:
        return _Layout(width, False, 9.0, width - max(room + 9.0, 50.0), ())
    names = ["measured"]
    names += ["exact"] if any(r.exact is not None for r in rows) else []
    names += ["forecast"] if any(r.forecast is not None for r in rows) else []
    step = max(room, 66.0)
    edges = [width - step * (len(names) - 1 - i) for i in range(len(names))]
    return _Layout(width, True, _NAMES + 14.0, edges[0] - step - 2.0, tuple(zip(names, edges)))


def _groups(rows: tuple[Compared, ...]) -> dict[str, list[Compared]]:
    found: dict[str, list[Compared]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found


def _entries(picture: Rows, unit: Unit) -> list[tuple[str, str]]:
    entries = [(_band(-8.0, 9.0, 0.0) + mark("circle", 0, 0, 5.0, fill=INK), "measured, 95 % interval")]
    if any(row.exact is not None for row in picture.rows):
        entries.append((_ring(0, 0), "exact inference"))
    if any(row.forecast is not None for row in picture.rows):
        entries.append((mark("wedge", 0, 0, 5.0, fill=FORECAST), "forecast by the untrained model"))
    if unit.form != "share" or picture.zero != 0.0:
        entries.append((line(0, -7, 0, 7, MUTED, 2.0), "no change"))
    return entries


def _column_names(layout: _Layout, y: float) -> str:
    return "".join(
        label(edge, y + 10, name, size=SMALL, fill=MUTED, text_anchor="end") for name, edge in layout.columns
    )


def _grid(unit: Unit, x: Scale, zero: float, spans: list[tuple[float, float]], bottom: float, layout: _Layout) -> str:
    parts = []
    for value, words in unit.marks(x.low, x.high, 4 if width_of(unit.say(x.high), SMALL) > 44 else 5):
        place = x(value)
        parts += [line(place, y1, place, y2, RULE) for y1, y2 in spans]
        start = place - width_of(words, SMALL) / 2 < 0
        anchor = {"x": 0.0, "text_anchor": "start"} if start else {"x": place, "text_anchor": "middle"}
        parts.append(tag("text", words, y=bottom + 16, font_size=SMALL, fill=MUTED, **anchor))
    parts += [line(x(zero), y1, x(zero), y2, MUTED, 2.0) for y1, y2 in spans]
    room = 2 * min((x.start + x.end) / 2, layout.width - (x.start + x.end) / 2)
    middle = (x.start + x.end) / 2
    axis = label(middle, bottom + 33, unit.words, size=SMALL, room=room, fill=MUTED, text_anchor="middle")
    return "".join(parts) + axis


def _row(row: Compared, zero: float, unit: Unit, x: Scale, y: float, layout: _Layout) -> str:
    lines, middle = layout.lines(row), y + layout.middle(row)
    top = middle + 4.5 - _LINE * (len(lines) - 1) / 2 if layout.beside else y + 16.0
    parts = [label(0, top + _LINE * i, words) for i, words in enumerate(lines)]
    m = row.measured
    if math.isfinite(m.mean):
        parts.append(line(x(zero), middle, x(m.mean), middle, INK, 2.0, stroke_opacity="0.35"))
    if math.isfinite(m.low) and math.isfinite(m.high):
        parts.append(_band(x(m.low), x(m.high), middle))
    if row.forecast is not None and math.isfinite(row.forecast):
        parts.append(mark("wedge", x(row.forecast), middle - 12.0, 5.0, fill=FORECAST))
    if math.isfinite(m.mean):
        parts.append(mark("circle", x(m.mean), middle, 5.0, fill=INK))
    if row.exact is not None and math.isfinite(row.exact):
        parts.append(_ring(x(row.exact), middle))
    return group(*parts, _values(row, unit, middle, layout), title=_in_words(row, unit))


def _band(start: float, end: float, y: float) -> str:
    box = {"x": start, "y": y - 4.5, "width": max(end - start, 1.0), "height": 9.0, "rx": 4.5}
    return tag("rect", **box, fill=INK, fill_opacity="0.22")


def _ring(x: float, y: float) -> str:
    return mark("circle", x, y, 8.0, fill="none", stroke=INK, stroke_width=1.5)


def _values(row: Compared, unit: Unit, middle: float, layout: _Layout) -> str:
    if not layout.columns:
        return label(layout.width, middle + 4.5, unit.say(row.measured.mean), text_anchor="end", font_weight=700)
    told = {"measured": (row.measured.mean, INK), "exact": (row.exact, INK), "forecast": (row.forecast, FORECAST)}
    parts = []
    for name, edge in layout.columns:
        value, colour = told[name]
        weight = 700 if name == "measured" else None
        if value is not None:
            words = unit.say(value)
            parts.append(label(edge, middle + 4.5, words, text_anchor="end", fill=colour, font_weight=weight))
    return "".join(parts)


def _in_words(row: Compared, unit: Unit) -> str:
    said = f"measured {unit.say(row.measured.mean)} ({unit.span(row.measured)})"
    for name, value in (("exact", row.exact), ("forecast", row.forecast)):
        said += "" if value is None else f", {name} {unit.say(value)}"
    return f"{row.group}, {row.label}: {said}" if row.group else f"{row.label}: {said}"
