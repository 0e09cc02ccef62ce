"""The pictures of a finding, drawn: on a page in two widths, or as a file of its own that knows light and dark."""

import re
from importlib import resources

import numpy as np

from personae.records import Lines, Matrix, Picture, Rows
from personae.report.content import Grid
from personae.report.figures.along_lines import along_lines
from personae.report.figures.cloud import cloud
from personae.report.figures.compared_rows import compared_rows
from personae.report.figures.matrix import matrix
from personae.report.svg import INK, WIDE, drawing, label, tag, wrap

_FIRST = 8  # rows of a brief picture
_MARGIN, _LINE = 16.0, 20.0
_FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def picture_drawing(picture: Picture, *, width: int = WIDE, brief: bool = False) -> str:
    """The picture as one SVG in the colours of the page around it; `brief` for an overview of many."""
    if isinstance(picture, Rows):
        return compared_rows(picture, width=width, most=_FIRST if brief else None)
    if isinstance(picture, Lines):
        return along_lines(picture, width=width)
    if isinstance(picture, Matrix):
        grid = Grid(picture.rows, picture.columns, np.array(picture.values), frozenset(picture.marked))
        return matrix(grid, unit=picture.unit, title=picture.title, width=width)
    return cloud(picture, width=width, brief=brief)


def picture_svg(picture: Picture, *, width: int = WIDE) -> str:
    """The picture with its title as a file of its own, on its own ground, light or dark as the reader prefers."""
    drawn = picture_drawing(picture, width=width)
    wide, high = (float(re.findall(rf'^<svg [^>]*? {side}="([\d.]+)"', drawn)[0]) for side in ("width", "height"))
    lines = wrap(picture.title, width - 20.0, 16.0)
    top = _MARGIN + _LINE * len(lines) + 10.0
    heading = [
        label(_MARGIN, _MARGIN + 14.0 + _LINE * i, words, size=16.0, font_weight=600) for i, words in enumerate(lines)
    ]
    whole, height = max(wide, float(width)) + 2 * _MARGIN, top + high + _MARGIN
    ground = tag("rect", width=whole, height=height, rx=10.0, fill="var(--card, #ffffff)")
    inside = drawn.replace("<svg ", f'<svg x="{_MARGIN:.0f}" y="{top:.0f}" ', 1)
    parts = (tag("style", _style(drawn)), ground, *heading, inside)
    return drawing(whole, height, picture.title, *parts).replace(f' fill="{INK}"', "", 1) + "\n"


def _style(drawn: str) -> str:
    """The colours that a drawing uses, as the pages have them, and its letters."""
    used = {*re.findall(r"var\(--(\w+)", drawn), "card", "ink"}
    sheet = resources.files("personae.report").joinpath("page.css").read_text(encoding="utf-8")
    light, dark, *_ = re.findall(r":root \{(.*?)\}", sheet, flags=re.DOTALL)
    rules = [
        "".join(f"--{name}:{colour};" for name, colour in re.findall(r"--(\w+): (#\w+)", block) if name in used)
        for block in (light, dark)
    ]
    shape = f"color:var(--ink);fill:currentColor;font-family:{_FONT};font-variant-numeric:tabular-nums"
    return f":root{{{rules[0]}{shape}}}svg{{overflow:visible}}@media(prefers-color-scheme:dark){{:root{{{rules[1]}}}}}"
