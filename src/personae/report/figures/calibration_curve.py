"""Do intervals keep their promise: of those that promised to hold the truth so often, how many did.

A point above the dashed diagonal held more than promised (too wide, cautious), below it less (too narrow, too sure).
Its whisker is the uncertainty of the share itself; its size grows with the number of forecasts behind it.
"""

import math
from collections.abc import Sequence

from personae.report.content import CalibrationPoint
from personae.report.numbers import percent
from personae.report.svg import FORECAST, MUTED, RULE, SMALL, WIDE, Scale, drawing, group, label, line, mark, path


def calibration_curve(points: Sequence[CalibrationPoint], *, title: str = "", width: int = WIDE) -> str:
    """The points as one SVG, in rising order of what was stated."""
    side = min(float(width), 420.0)
    left = 48.0 + (width - side) / 2
    x, y = Scale(0.0, 1.0, left, left + side - 64.0), Scale(0.0, 1.0, side - 40.0, 12.0)
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(line(x(share), y(0), x(share), y(1), RULE))
        parts.append(line(x(0), y(share), x(1), y(share), RULE))
        parts.append(label(x(share), y(0) + 16, percent(share), size=SMALL, fill=MUTED, text_anchor="middle"))
        parts.append(label(x(0) - 6, y(share) + 4, percent(share), size=SMALL, fill=MUTED, text_anchor="end"))
    parts.append(line(x(0), y(0), x(1), y(1), MUTED, 1.5, stroke_dasharray="5 4"))
    ordered = sorted(points, key=lambda point: point.stated)
    if len(ordered) > 1:
        places = [(x(p.stated), y(p.held.mean)) for p in ordered]
        parts.append(path(places, fill="none", stroke=FORECAST, stroke_width=2.0))
    parts += [_point(point, x, y) for point in ordered]
    middle = (x.start + x.end) / 2
    parts.append(label(middle, y(0) + 34, "promised by the interval", size=SMALL, fill=MUTED, text_anchor="middle"))
    turned = f"translate({left - 40:.0f},{(y.start + y.end) / 2:.0f}) rotate(-90)"
    parts.append(label(0, 0, "held", size=SMALL, fill=MUTED, text_anchor="middle", transform=turned))
    return drawing(width, side + 4.0, title or "How often intervals held the measurement", *parts)


def _point(point: CalibrationPoint, x: Scale, y: Scale) -> str:
    place = x(point.stated)
    whisker = line(place, y(point.held.low), place, y(point.held.high), FORECAST, 2.0)
    radius = min(3.5 + math.log10(max(point.n, 1)), 7.0)
    said = f"promised {percent(point.stated)}, held {percent(point.held.mean)} of {point.n}"
    return group(whisker, mark("circle", place, y(point.held.mean), radius, fill=FORECAST), title=said)
