"""The posterior moving: how much of the Assistant each persona holds as the dose of episodes grows.

Stacked areas that add up to one, in the colour of their kind, with a line of background between neighbours and names
at both ends, so that nothing hangs on telling shades apart. The dose runs linearly while it spans little, and by
doublings where it spans much. The largest personas are named; the others of a kind share one area.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from personae.records import NEUTRAL
from personae.records.results import Floats
from personae.report.content import DosePath
from personae.report.figures.posterior_bars import KIND_WORDS
from personae.report.numbers import percent
from personae.report.svg import (
    INK,
    KINDS,
    MUTED,
    PAPER,
    SMALL,
    WIDE,
    Scale,
    drawing,
    group,
    label,
    line,
    lines_of,
    path,
    spread,
    ticks,
    width_of,
    wrap,
)

_NAMED = 7  # so many personas have an area of their own
_LEFT, _TOP = 44.0, 10.0
_BESIDE, _SHARE = 16.0, 46.0  # pixels from the areas to the words beside them, and for the share that begins those
_ENDS = 0.01  # a persona that holds less than this at the last dose is not named there
_APART = 31.0  # pixels between two marks of the dose


@dataclass(frozen=True)
class _Band:
    """One area: `share` (D,) of the posterior."""

    name: str
    kind: str
    share: Floats


def posterior_by_dose(
    path_: DosePath,
    names: Sequence[str],
    kinds: Mapping[str, str],
    *,
    at: float | None = None,
    title: str = "",
    width: int = WIDE,
) -> str:
    """One SVG; `at` is the dose that was forecast with, drawn as a dashed line."""
    bands = _bands(path_, names, kinds)
    longest, least = (200.0, 280.0) if width >= 520 else (96.0, 250.0)
    ends = [band.name for band in bands if band.share[-1] >= _ENDS]
    room = min(longest, max((width_of(name, SMALL) for name in ends), default=0.0) + 1.0)
    right = width - _BESIDE - _SHARE - room
    gap = 16.0 if all(width_of(name, SMALL) <= room for name in ends) else 29.0
    height = max(least, _TOP + gap * len(ends) + 4.0)
    along = _along(path_.doses)
    x = Scale(along(float(path_.doses[0])), along(float(path_.doses[-1])), _LEFT, right)
    y = Scale(0.0, 1.0, height, _TOP)
    edges = np.vstack([np.zeros(len(path_.doses)), np.cumsum([b.share for b in bands], axis=0)])
    xs = [x(along(float(d))) for d in path_.doses]
    parts = [_area(band, xs, edges[i], edges[i + 1], y) for i, band in enumerate(bands)]
    if at is not None and path_.doses[0] <= at <= path_.doses[-1]:
        parts.append(line(x(along(at)), _TOP, x(along(at)), height, INK, 1.5, stroke_dasharray="4 3"))
    parts.append(_names_after(bands, edges, y, right, room, gap))
    parts.append(_names_before(bands, edges, y, right, width))
    parts.append(_axes(path_.doses, along, x, y, height, right))
    return drawing(width, height + 40.0, title or "Who the Assistant is as the dose grows", *parts)


def _bands(path_: DosePath, names: Sequence[str], kinds: Mapping[str, str]) -> list[_Band]:
    weights = np.clip(np.asarray(path_.weights, dtype=float), 0.0, 1.0)
    matter = np.maximum(weights[0], weights[-1]) + 0.01 * weights.max(axis=0)
    named = {int(k) for k in np.argsort(-matter, kind="stable")[:_NAMED]}
    bands = []
    for kind in reversed(KIND_WORDS):
        mine = [k for k, n in enumerate(names) if ("neutral" if n == NEUTRAL else kinds.get(n, "person")) == kind]
        rest = [k for k in mine if k not in named]
        if rest:
            words = names[rest[0]] if len(rest) == 1 else f"other {KIND_WORDS[kind][:1].lower()}{KIND_WORDS[kind][1:]}"
            bands.append(_Band(words.replace("aIs", "AIs"), kind, weights[:, rest].sum(axis=1)))
        own = sorted((k for k in mine if k in named), key=lambda k: float(weights[-1, k]))
        bands += [_Band(names[k], kind, weights[:, k]) for k in own]
    return [band for band in bands if band.share.max() > 1e-4]


def _along(doses: Floats) -> Callable[[float], float]:
    positive = [float(d) for d in doses if d > 0]
    if not positive or positive[-1] / positive[0] <= 16.0:
        return float
    return lambda dose: math.log2(1.0 + dose / positive[0])


def _area(band: _Band, xs: list[float], below: Floats, above: Floats, y: Scale) -> str:
    upper = [(x, y(float(v))) for x, v in zip(xs, above)]
    lower = [(x, y(float(v))) for x, v in zip(xs, below)]
    said = f"{band.name}: {percent(float(band.share[0]))} → {percent(float(band.share[-1]))}"
    shape = path(
        [*upper, *reversed(lower)],
        closed=True,
        fill=KINDS[band.kind],
        fill_opacity="0.8",
        stroke=PAPER,
        stroke_width=1.5,
        stroke_linejoin="round",
    )
    return group(shape, title=said)


def _names_after(bands: list[_Band], edges: Floats, y: Scale, right: float, room: float, gap: float) -> str:
    """At the right end, the names of what is left there, with its share."""
    parts = []
    ends = [i for i, band in enumerate(bands) if band.share[-1] >= _ENDS]
    wanted = [y(float(edges[i, -1] + edges[i + 1, -1]) / 2) for i in ends]
    places = spread([-v for v in wanted], gap, -y(0.0) + gap / 2 - 3, -_TOP - gap / 2 + 3)
    for i, middle, place in zip(ends, wanted, places):
        share, at = percent(float(bands[i].share[-1])), right + _BESIDE
        parts.append(path([(right + 2, middle), (right + 12, -place)], stroke=KINDS[bands[i].kind], fill="none"))
        parts.append(label(at, 4 - place, share, size=SMALL, font_weight=700))
        lines = wrap(bands[i].name, room, SMALL)
        parts.append(lines_of(at + _SHARE, 4 - place, lines, 13.0, size=SMALL))
    return "".join(parts)


def _names_before(bands: list[_Band], edges: Floats, y: Scale, right: float, width: int) -> str:
    """Inside the left end, the names of what was large before; with little room only of what is not named after."""
    parts = []
    for i, band in enumerate(bands):
        low, high = y(float(edges[i, 0])), y(float(edges[i + 1, 0]))
        if low - high >= 15.0 and (width >= 520 or band.share[-1] < _ENDS):
            room = right - _LEFT - 10
            parts.append(label(_LEFT + 6, (low + high) / 2 + 4, band.name, size=SMALL, room=room, fill="#161513"))
    return "".join(parts)


def _marks(doses: Floats, along: Callable[[float], float], x: Scale) -> list[float]:
    """Round doses: on a linear axis at equal steps, else 1, 2, 5 in every power of ten, or fewer, as there is room."""
    first, last = float(doses[0]), float(doses[-1])
    if along is float:
        return list(ticks(first, last, max(1, int((x.end - x.start) / (2.0 * _APART)))))
    least = min(float(d) for d in doses if d > 0)
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(last)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        round_ = [float(f"{step}e{power}") for power in powers for step in steps]
        marks = [*([first] if first == 0.0 else []), *(d for d in round_ if least <= d <= last)]
        if all(x(along(b)) - x(along(a)) >= _APART for a, b in pairwise(marks)):
            break
    return marks


def _axes(doses: Floats, along: Callable[[float], float], x: Scale, y: Scale, height: float, right: float) -> str:
    parts = [
        label(_LEFT - 6, y(share) + 4, percent(share), size=SMALL, fill=MUTED, text_anchor="end")
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    for dose in _marks(doses, along, x):
        place = x(along(dose))
        parts.append(line(place, height, place, height + 4, MUTED))
        parts.append(label(place, height + 17, f"{dose:g}", size=SMALL, fill=MUTED, text_anchor="middle"))
    words = "dose, effective episodes"
    return "".join(parts) + label((_LEFT + right) / 2, height + 33, words, size=SMALL, fill=MUTED, text_anchor="middle")
