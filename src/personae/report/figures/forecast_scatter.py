"""Forecast against measured: one mark a cell (arm × trait), shifts in nats, with the line where the two are equal.

Both axes have one scale, so the dashed diagonal is perfection, the horizontal line "nothing would change", and distance
from the diagonal is the error. Arms have a colour and a shape each.
"""

from collections.abc import Sequence

from personae.report.content import ScatterPoint
from personae.report.numbers import signed
from personae.report.svg import (
    MUTED,
    RULE,
    SHAPES,
    SMALL,
    WIDE,
    Scale,
    drawing,
    label,
    legend,
    line,
    mark,
    tag,
    ticks,
)
from personae.report.untrusted import esc

_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#a0418f", "#b58900", "#3a9fd6", "#8a5a2b", "#6b675f")
ARM_COLOURS = tuple(f"var(--arm{i}, {colour})" for i, colour in enumerate(_PALETTE))


def forecast_scatter(points: Sequence[ScatterPoint], *, title: str = "", width: int = WIDE) -> str:
    """The points as one SVG; more arms than colours begin the round again, with shapes out of step."""
    arms = list(dict.fromkeys(point.arm for point in points))
    style = {
        arm: (SHAPES[(i + i // len(ARM_COLOURS)) % len(SHAPES)], ARM_COLOURS[i % len(ARM_COLOURS)])
        for i, arm in enumerate(arms)
    }
    head, top = legend([(mark(s, 0, 0, 4.5, fill=c), arm) for arm, (s, c) in style.items()], width)
    side = min(float(width), 520.0)
    left, bottom = 44.0 + (width - side) / 2, top + side - 40.0
    low, high = _domain(points)
    x, y = Scale(low, high, left, left + side - 54.0), Scale(low, high, bottom, bottom - side + 54.0)
    parts = [head, _frame(x, y, low, high)]
    for point in points:
        shape, colour = style[point.arm]
        said = f"{point.arm}, {point.trait}: forecast {signed(point.forecast)}, measured {signed(point.measured)}"
        place = (x(point.forecast), y(point.measured))
        drawn = mark(shape, *place, 5.0, fill=colour, fill_opacity="0.85")
        parts.append(tag("g", tag("title", esc(said)), drawn))
    return drawing(width, bottom + 40.0, title or "Forecast shift against measured shift", *parts)


def _domain(points: Sequence[ScatterPoint]) -> tuple[float, float]:
    values = [v for p in points for v in (p.forecast, p.measured)] or [0.0]
    low, high = min(*values, -0.1, 0.0), max(*values, 0.1, 0.0)
    pad = 0.06 * (high - low)
    return low - pad, high + pad


def _frame(x: Scale, y: Scale, low: float, high: float) -> str:
    parts = []
    for value in ticks(low, high, 6):
        strong = MUTED if value == 0.0 else RULE
        words = signed(value, 1 if any(v % 1 for v in ticks(low, high, 6)) else 0)
        parts.append(line(x(value), y.start, x(value), y.end, strong))
        parts.append(line(x.start, y(value), x.end, y(value), strong))
        parts.append(label(x(value), y.start + 16, words, size=SMALL, fill=MUTED, text_anchor="middle"))
        parts.append(label(x.start - 6, y(value) + 4, words, size=SMALL, fill=MUTED, text_anchor="end"))
    parts.append(line(x(low), y(low), x(high), y(high), MUTED, 1.5, stroke_dasharray="5 4"))
    middle = (x.start + x.end) / 2
    parts.append(label(middle, y.start + 33, "forecast shift, nats", size=SMALL, fill=MUTED, text_anchor="middle"))
    turned = f"translate({x.start - 34:.0f},{(y.start + y.end) / 2:.0f}) rotate(-90)"
    parts.append(label(0, 0, "measured shift, nats", size=SMALL, fill=MUTED, text_anchor="middle", transform=turned))
    return "".join(parts)
