"""The posterior moving: how much of the Assistant each persona holds as the dose of episodes grows.

Stacked areas that add up to one, in the colour of their kind, with a line of background between neighbours and names
at both ends, so that nothing hangs on telling shades apart. The dose runs linearly while it spans little, and by
doublings where it spans much. The largest personas are named; the others of a kind share one area.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
    fit,
    group,
    label,
    line,
    path,
    spread,
    tag,
    ticks,
)
from personae.report.untrusted import esc

_NAMED = 7  # so many personas have an area of their own
_LEFT, _TOP = 44.0, 10.0


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
    right = width - (178.0 if width >= 520 else 124.0)
    height = 280.0 if width >= 520 else 250.0
    along = _along(path_.doses)
    x = Scale(along(float(path_.doses[0])), along(float(path_.doses[-1])), _LEFT, right)
    y = Scale(0.0, 1.0, height, _TOP)
    edges = np.vstack([np.zeros(len(path_.doses)), np.cumsum([b.share for b in bands], axis=0)])
    xs = [x(along(float(d))) for d in path_.doses]
    parts = [_area(band, xs, edges[i], edges[i + 1], y) for i, band in enumerate(bands)]
    parts.append(_names(bands, edges, y, right, width))
    parts.append(_axes(path_.doses, along, x, y, height, right))
    if at is not None and path_.doses[0] <= at <= path_.doses[-1]:
        parts.append(line(x(along(at)), _TOP, x(along(at)), height, INK, 1.5, stroke_dasharray="4 3"))
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


def _names(bands: list[_Band], edges: Floats, y: Scale, right: float, width: int) -> str:
    """Names at the right end for what is left there, and inside the left end for what was large before."""
    parts = []
    ends = [i for i, band in enumerate(bands) if band.share[-1] >= 0.01]
    wanted = [y(float(edges[i, -1] + edges[i + 1, -1]) / 2) for i in ends]
    places = spread([-v for v in wanted], 16.0, -y(0.0) + 5, -_TOP - 5)
    for i, middle, place in zip(ends, wanted, places):
        words, share = fit(bands[i].name, width - right - 58, SMALL), percent(float(bands[i].share[-1]))
        parts.append(path([(right + 2, middle), (right + 12, -place)], stroke=KINDS[bands[i].kind], fill="none"))
        both = (tag("tspan", esc(share), font_weight=700), tag("tspan", esc(words), dx=5))
        parts.append(tag("text", *both, x=right + 16, y=4 - place, font_size=SMALL))
    for i, band in enumerate(bands):
        low, high = y(float(edges[i, 0])), y(float(edges[i + 1, 0]))
        if low - high >= 15.0:
            room = 0.45 * (right - _LEFT)
            parts.append(label(_LEFT + 6, (low + high) / 2 + 4, band.name, size=SMALL, room=room, fill="#161513"))
    return "".join(parts)


def _axes(doses: Floats, along: Callable[[float], float], x: Scale, y: Scale, height: float, right: float) -> str:
    parts = [
        label(_LEFT - 6, y(share) + 4, percent(share), size=SMALL, fill=MUTED, text_anchor="end")
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    marks = ticks(float(doses[0]), float(doses[-1])) if along is float else [float(d) for d in doses]
    last = -1e9
    for dose in marks:
        place = x(along(dose))
        if place - last < 34.0:
            continue
        last = place
        parts.append(line(place, height, place, height + 4, MUTED))
        parts.append(label(place, height + 17, f"{dose:.2g}", size=SMALL, fill=MUTED, text_anchor="middle"))
    words = "dose, effective episodes"
    return "".join(parts) + label((_LEFT + right) / 2, height + 33, words, size=SMALL, fill=MUTED, text_anchor="middle")
