"""A table of shifts as a heat map: orange up, blue down, the number in every cell, a frame where it was trained.

Colour is a help and never the only carrier. Where the width does not hold the columns the table is turned, and where
that does not fit either, the figure grows wider than the page and scrolls in its own box.
"""

import math
from collections.abc import Sequence

import numpy as np

from personae.report.content import Grid
from personae.report.numbers import signed
from personae.report.svg import DOWN, INK, MUTED, RULE, SMALL, UP, WIDE, drawing, group, label, tag, width_of

_CELL, _HEIGHT, _GAP = 31.0, 28.0, 2.0  # the least width of a cell, its height, and the gap between two, pixels
_LONGEST = 172.0  # so much of a column's name is written, pixels
_SLANT, _UPRIGHT = 65, 90  # degrees by which the names of narrow columns are turned: upright where slant has no room
_DEEPEST = 0.62  # opacity of the strongest colour: text stays readable on it, in the light and in the dark


def matrix(grid: Grid, *, unit: str = "nats", digits: int = 1, title: str = "", width: int = WIDE) -> str:
    """The grid as one SVG, each cell signed with `digits` decimals."""
    if _needs(grid) > width and _needs(turned := _turned(grid)) < _needs(grid):
        grid = turned
    left, longest = _label_width(grid), min(max((width_of(c, SMALL) for c in grid.columns), default=0.0), _LONGEST)
    cell = max(_CELL, min(64.0, (width - left) / max(len(grid.columns), 1)))
    tilted = longest > cell - 4
    turn = _SLANT if left + _CELL * (len(grid.columns) - 0.5) + _lean(grid.columns, _SLANT) <= width else _UPRIGHT
    lean = _lean(grid.columns, turn) if tilted else 0.0
    if tilted:  # the last name leans out over the right edge
        cell = max(_CELL, min(64.0, (width - left - lean) / (len(grid.columns) - 0.5)))
    total = max(float(width), left + cell * len(grid.columns), left + cell * (len(grid.columns) - 0.5) + lean)
    top = longest * math.sin(math.radians(turn)) + 14.0 if tilted else 22.0
    finite = np.abs(grid.values[np.isfinite(grid.values)])
    deepest = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    parts = [_column(name, left + cell * (j + 0.5), top, turn if tilted else 0) for j, name in enumerate(grid.columns)]
    cells = []
    for i, row in enumerate(grid.rows):
        y = top + _HEIGHT * i
        parts.append(label(left - 8, y + 18, row, size=12, room=left - 8, text_anchor="end"))
        for j, column in enumerate(grid.columns):
            value, framed = float(grid.values[i, j]), (i, j) in grid.marked
            drawn = _cell(value, left + cell * j, y, cell, deepest, framed, digits)
            cells.append(group(drawn, title=f"{row}, {column}: {signed(value)} {unit}"))
    parts.append(group(*cells, font_size=SMALL, text_anchor="middle"))
    spoken = title or "Shift of every trait"
    return drawing(total, top + _HEIGHT * len(grid.rows) + 4.0, spoken, *parts, scrolls=total > width)


def _turned(grid: Grid) -> Grid:
    return Grid(grid.columns, grid.rows, grid.values.T, frozenset((j, i) for i, j in grid.marked))


def _label_width(grid: Grid) -> float:
    return min(max((width_of(r, 12) for r in grid.rows), default=0.0) + 10.0, 190.0)


def _needs(grid: Grid) -> float:
    return _label_width(grid) + _CELL * len(grid.columns)


def _lean(names: Sequence[str], turn: int) -> float:
    """How far the last of the turned names reaches beyond the middle of its column."""
    return math.cos(math.radians(turn)) * min(width_of(names[-1], SMALL), _LONGEST) + 8.0 if names else 0.0


def _column(name: str, x: float, top: float, turn: int) -> str:
    if not turn:
        return label(x, top - 8, name, size=SMALL, fill=MUTED, text_anchor="middle")
    turned = f"translate({x + 3:.0f},{top - 6:.0f}) rotate(-{turn})"
    return label(0, 0, name, size=SMALL, room=_LONGEST, fill=MUTED, transform=turned)


def _cell(value: float, x: float, y: float, width: float, deepest: float, framed: bool, digits: int) -> str:
    known = math.isfinite(value)
    depth = _DEEPEST * min(abs(value) / deepest, 1.0) ** 0.8 if known else 0.0
    box = {"x": x + _GAP / 2, "y": y + _GAP / 2, "width": width - _GAP, "height": _HEIGHT - _GAP, "rx": 3}
    colour, depth = (UP if value > 0 else DOWN, depth) if depth >= 0.06 else (RULE, 0.35)
    edge = {"stroke": INK, "stroke_width": 1.5} if framed else {}
    back = tag("rect", **box, fill=colour, fill_opacity=f"{depth:.2f}", **edge)
    return back + tag("text", signed(value, digits) if known else "·", x=x + width / 2, y=y + 18)
