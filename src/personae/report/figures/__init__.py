"""Figures: each a function from plain records to one SVG string of a given width; `figure` draws one for a page."""

from collections.abc import Callable

from markupsafe import Markup

from personae.report.blocks import Figure
from personae.report.figures.along_lines import along_lines
from personae.report.figures.calibration_curve import calibration_curve
from personae.report.figures.cloud import cloud
from personae.report.figures.compared_rows import compared_rows
from personae.report.figures.forecast_scatter import forecast_scatter
from personae.report.figures.matrix import matrix
from personae.report.figures.picture import picture_drawing, picture_svg
from personae.report.figures.posterior_bars import posterior_bars
from personae.report.figures.posterior_by_dose import posterior_by_dose
from personae.report.figures.trait_shifts import trait_shifts
from personae.report.svg import NARROW, WIDE

__all__ = [
    "along_lines",
    "calibration_curve",
    "cloud",
    "compared_rows",
    "figure",
    "forecast_scatter",
    "matrix",
    "picture_drawing",
    "picture_svg",
    "posterior_bars",
    "posterior_by_dose",
    "trait_shifts",
]


def figure(draw: Callable[[int], str], caption: str = "") -> Figure:
    """What `draw` draws at a desk's width and at a telephone's. The one place where a drawing becomes markup."""
    wide, narrow = draw(WIDE), draw(NARROW)
    return Figure(Markup(wide), Markup(narrow), caption)  # every text in a drawing went through `esc`
