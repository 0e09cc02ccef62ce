"""Forecast against measured: one mark a cell (arm × trait), shifts in nats, with the line where the two are equal."""

from collections.abc import Sequence

from personae.records import Cloud, Point
from personae.report.content import ScatterPoint
from personae.report.figures.cloud import cloud
from personae.report.svg import WIDE


def forecast_scatter(points: Sequence[ScatterPoint], *, title: str = "", width: int = WIDE) -> str:
    """The points as one SVG, a look for each arm."""
    cells = tuple(Point(p.trait, p.forecast, p.measured, p.arm) for p in points)
    named = title or "Forecast shift against measured shift"
    return cloud(Cloud(named, "forecast shift, nats", "measured shift, nats", cells), width=width)
