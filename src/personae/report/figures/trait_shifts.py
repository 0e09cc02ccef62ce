"""Per trait: where the Assistant stood, where the forecast puts it, and where it was found after training.

Each row has two lanes that start from the same tick, the level before training: above, the forecast with its 95 %
interval (and exact inference as a cross); below, the measurement with its interval. Drawn as a probability of the high
pole, or as log-odds in nats; the same numbers either way. Where all of a row is next to nothing or to certain, its
numbers are given in nats, since per cents would not tell them apart.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from personae.records import Estimate
from personae.report.content import TraitRow
from personae.report.numbers import percent, plain, probability, signed
from personae.report.svg import (
    FORECAST,
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    WIDE,
    Scale,
    drawing,
    group,
    label,
    legend,
    line,
    mark,
    tag,
    ticks,
    width_of,
    wrap,
)
from personae.report.untrusted import esc

Unit = Literal["probability", "log-odds", "shift"]
_LANE = 6.5  # distance of a lane from the middle of its row, pixels
_WORDS = 16.0  # from one line of a row's meaning to the next
_BOLD = 1.12  # a bold letter is about so much wider
_EDGE = 0.005  # nearer than this to 0 or 1, probabilities are written alike


def trait_shifts(
    rows: Sequence[TraitRow], *, unit: Unit = "probability", tall: bool = False, title: str = "", width: int = WIDE
) -> str:
    """The rows as one SVG. `unit` "shift": log-odds of change, zero drawn strongly; `tall`: few rows, all words."""
    layout = _layout(rows, width, tall)
    frame = _frame(rows, unit, layout)
    head, top = legend(_entries(rows, unit), width)
    tops = [top + 8.0]
    for row in rows:
        tops.append(tops[-1] + layout.height(row))
    bottom = tops.pop()
    middles = [y + layout.middle(row) for row, y in zip(rows, tops)]
    parts = [head, _grid(frame, layout, top, bottom, middles)]
    parts += [_row(row, frame, y, layout) for row, y in zip(rows, tops)]
    return drawing(width, bottom + 36.0, title or _spoken(rows, unit), *parts)


def _spoken(rows: Sequence[TraitRow], unit: Unit) -> str:
    """What the figure shows, for who does not see it."""
    known = {
        "before training": unit != "shift",
        "as forecast": any(row.forecast is not None for row in rows),
        "as measured": any(row.measured is not None for row in rows),
    }
    what = "Shift of each trait" if unit == "shift" else "Each trait"
    return f"{what}: {', '.join(said for said, shown in known.items() if shown)}"


@dataclass(frozen=True)
class _Layout:
    """Where things stand in a row, pixels: the name beside the lanes, above them, or above them with all its words."""

    form: Literal["beside", "above", "tall"]
    width: int
    room: float  # for names and meanings
    start: float
    end: float

    def meaning(self, row: TraitRow) -> list[str]:
        """The row's meaning in lines; none where it follows the name on one line."""
        if not row.meaning or self.follows(row):
            return []
        return wrap(row.meaning, self.room, TEXT if self.form == "tall" else SMALL, most=3)

    def follows(self, row: TraitRow) -> bool:
        """Whether the meaning stands behind the name, before the numbers at the right."""
        if self.form != "above":
            return False
        return _BOLD * width_of(_named(row)) + 8.0 + width_of(row.meaning, SMALL) <= self.room - 128.0

    def middle(self, row: TraitRow) -> float:
        """The middle of the row's lanes, from its top."""
        lines = len(self.meaning(row))
        if self.form == "beside":
            return self.height(row) / 2
        return (38.0 + 18.0 * lines) if self.form == "tall" else 36.0 + _WORDS * lines

    def height(self, row: TraitRow) -> float:
        """The height of the row."""
        if self.form == "beside":
            return max(40.0, 24.0 + _WORDS * len(self.meaning(row)))
        return self.middle(row) + (32.0 if self.form == "tall" else 20.0)


def _layout(rows: Sequence[TraitRow], width: int, tall: bool) -> _Layout:
    if tall:
        return _Layout("tall", width, float(width), 8.0, width - 64.0)
    if width < 520:
        return _Layout("above", width, float(width), 8.0, width - 10.0)
    longest = max((max(_BOLD * width_of(_named(row)), width_of(row.meaning, SMALL)) for row in rows), default=0.0)
    room = min(max(longest, 120.0), 216.0) + 1.0
    return _Layout("beside", width, room, room + 18.0, width - 82.0)


def _named(row: TraitRow) -> str:
    return row.trait + (" · trained" if row.trained else "")


@dataclass(frozen=True)
class _Frame:
    """How a level becomes a place and a word."""

    unit: Unit
    scale: Scale
    marks: tuple[float, ...]
    convert: Callable[[float], float]
    say: Callable[[float], str]

    def x(self, level: float) -> float:
        """The pixel of a level."""
        return self.scale(self.convert(level))


def _numbers(rows: Sequence[TraitRow]) -> Iterator[float]:
    for row in rows:
        yield row.base
        yield from (e for e in (row.exact,) if e is not None)
        for estimate in (row.forecast, row.measured):
            if estimate is not None:
                yield from (estimate.mean, estimate.low, estimate.high)


def _frame(rows: Sequence[TraitRow], unit: Unit, layout: _Layout) -> _Frame:
    start, end = layout.start, layout.end
    if unit == "probability":
        marks = (0.0, 0.25, 0.5, 0.75, 1.0)
        return _Frame(unit, Scale(0.0, 1.0, start, end), marks, probability, lambda level: percent(probability(level)))
    found = [v for v in _numbers(rows) if abs(v) < 1e6] or [0.0]
    low, high = min(*found, 0.0, *found), max(*found, 0.0, *found)
    pad = 0.04 * ((high - low) or 2.0)
    low, high = low - pad, high + pad
    say = signed if unit == "shift" else plain
    return _Frame(unit, Scale(low, high, start, end), ticks(low, high), float, say)


def _entries(rows: Sequence[TraitRow], unit: Unit) -> list[tuple[str, str]]:
    before = "no change" if unit == "shift" else "before training"
    entries = [(line(0, -7, 0, 7, MUTED, 2.5), before)]
    if any(row.forecast for row in rows):
        entries.append((mark("diamond", 0, 0, 5, fill=FORECAST), "forecast, 95 % interval"))
    if any(row.exact is not None for row in rows):
        entries.append((mark("cross", 0, 0, 4.5, fill=INK), "exact inference"))
    if any(row.measured for row in rows):
        entries.append((mark("circle", 0, 0, 5, fill=INK), "measured, 95 % interval"))
    return entries


def _grid(frame: _Frame, layout: _Layout, top: float, bottom: float, middles: Sequence[float]) -> str:
    parts = []
    for value in frame.marks:
        x = frame.scale(value)
        strong = frame.unit != "probability" and value == 0.0
        for y1, y2 in _spans(layout, top, bottom, middles):
            parts.append(line(x, y1, x, y2, MUTED if strong else RULE, 1.0))
        words = percent(value) if frame.unit == "probability" else signed(value, 1 if value % 1 else 0)
        anchor = "start" if x < 16 else "end" if x > layout.width - 16 else "middle"
        parts.append(label(x, bottom + 16, words, size=SMALL, fill=MUTED, text_anchor=anchor))
    axis = {
        "probability": "chance of the trait’s high answer",
        "log-odds": "log-odds of the high answer, nats",
        "shift": "change in log-odds of the high answer, nats",
    }[frame.unit]
    middle = (frame.scale.start + frame.scale.end) / 2
    return "".join(parts) + label(middle, bottom + 32, axis, size=SMALL, fill=MUTED, text_anchor="middle")


def _spans(layout: _Layout, top: float, bottom: float, middles: Sequence[float]) -> list[tuple[float, float]]:
    """Where a grid line runs: all the way down, or past the lanes only where names stand above them."""
    if layout.form == "beside":
        return [(top + 4.0, bottom)]
    return [(middle - 14.0, middle + 14.0) for middle in middles]


def _row(row: TraitRow, frame: _Frame, y: float, layout: _Layout) -> str:
    middle = y + layout.middle(row)
    say = frame.say if _told_apart(row, frame) else _in_nats
    parts = [_name(row, y, layout), line(frame.x(row.base), middle - 12, frame.x(row.base), middle + 12, MUTED, 2.5)]
    said = []
    if row.forecast is not None:
        parts.append(_lane(row.base, row.forecast, frame, middle - _LANE, FORECAST, "diamond"))
        said.append((say(row.forecast.mean), FORECAST, 400))
    if row.exact is not None and math.isfinite(row.exact):
        parts.append(mark("cross", frame.x(row.exact), middle - _LANE, 4.5, fill=INK))
    if row.measured is not None:
        parts.append(_lane(row.base, row.measured, frame, middle + _LANE, INK, "circle"))
        said.append((say(row.measured.mean), INK, 700))
    parts.append(_values(said, y, middle, layout))
    return group(*parts, title=_in_words(row, say))


def _told_apart(row: TraitRow, frame: _Frame) -> bool:
    """Whether per cents tell the row's levels apart; nats always do."""
    if frame.unit != "probability":
        return True
    shares = [probability(v) for v in (row.base, *(e.mean for e in (row.forecast, row.measured) if e is not None))]
    return max(shares) >= _EDGE and min(shares) <= 1.0 - _EDGE


def _in_nats(level: float) -> str:
    return f"{signed(level, 1)}\u00a0nats"


def _name(row: TraitRow, y: float, layout: _Layout) -> str:
    words, meaning = _named(row), layout.meaning(row)
    if layout.follows(row):
        behind = tag("tspan", esc(row.meaning), dx=7, font_size=SMALL, fill=MUTED)
        return tag("text", tag("tspan", esc(words), font_weight=600), behind, x=0, y=y + 14)
    first = y + (14.0 if layout.form != "beside" else 18.0)
    room = (layout.width - 128.0 if layout.form == "above" else layout.room) / _BOLD
    size, step = (TEXT, 18.0) if layout.form == "tall" else (SMALL, _WORDS)
    lines = [label(0, first + step * (i + 1), text, size=size, fill=MUTED) for i, text in enumerate(meaning)]
    return label(0, first, words, room=room, font_weight=600) + "".join(lines)


def _lane(base: float, estimate: Estimate, frame: _Frame, y: float, colour: str, shape: str) -> str:
    """What is known of an estimate: its band, the way from `base`, and the mark."""
    start, low, high, end = (frame.x(v) for v in (base, estimate.low, estimate.high, estimate.mean))
    parts = []
    if math.isfinite(estimate.low) and math.isfinite(estimate.high):
        box = {"x": low, "y": y - 4.5, "width": max(high - low, 1.0), "height": 9.0, "rx": 4.5}
        parts.append(tag("rect", **box, fill=colour, fill_opacity="0.22"))
    if math.isfinite(estimate.mean):
        parts += [line(start, y, end, y, colour, 2.0), mark(shape, end, y, 5.0, fill=colour)]
    return "".join(parts)


def _values(said: Sequence[tuple[str, str, int]], y: float, middle: float, layout: _Layout) -> str:
    if layout.form != "above":
        lanes = [middle - _LANE, middle + _LANE] if len(said) == 2 else [middle]
        return "".join(
            label(layout.width, lane + 4.5, words, text_anchor="end", fill=colour, font_weight=weight)
            for lane, (words, colour, weight) in zip(lanes, said)
        )
    parts, x = [], float(layout.width)
    for words, colour, weight in reversed(said):
        parts.append(label(x, y + 14, words, text_anchor="end", fill=colour, font_weight=weight))
        x -= width_of(words, TEXT) + 16
    return "".join(parts)


def _in_words(row: TraitRow, say: Callable[[float], str]) -> str:
    parts = [f"before {say(row.base)}"]
    for name, estimate in (("forecast", row.forecast), ("measured", row.measured)):
        if estimate is not None:
            span = f"{say(estimate.low)} to {say(estimate.high)}"
            parts.append(f"{name} {say(estimate.mean)} ({span})")
    if row.exact is not None:
        parts.append(f"exact {say(row.exact)}")
    return f"{row.trait}: " + ", ".join(parts)
