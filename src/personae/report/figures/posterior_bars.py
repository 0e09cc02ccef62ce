"""Who the Assistant is: the probability of every persona before the data and after it, grouped by kind.

A hollow bar is the prior, the filled bar below it the posterior. Personas that hold next to nothing before and after
are added up in one row of their kind, and counted.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from personae.records import NEUTRAL
from personae.records.results import Floats
from personae.report.numbers import percent
from personae.report.svg import (
    INK,
    KINDS,
    MUTED,
    RULE,
    SMALL,
    WIDE,
    Scale,
    drawing,
    group,
    label,
    line,
    lines_of,
    tag,
    width_of,
    wrap,
)

KIND_WORDS = {"person": "People", "fiction": "Fiction", "ai": "AIs", "neutral": "No character in particular"}
_LITTLE = 0.005  # below this probability, before and after, a persona is not drawn on its own
_ROW, _HEAD, _LINE = 24.0, 38.0, 14.0

_Bar = tuple[str, float, float | None]


def posterior_bars(
    names: Sequence[str],
    kinds: Mapping[str, str],
    prior: Floats,
    weights: Floats | None = None,
    *,
    title: str = "",
    width: int = WIDE,
) -> str:
    """One SVG: `names`, `prior` and `weights` (K + 1,), neutral first; without `weights` the prior alone, filled."""
    groups = _groups(names, kinds, prior, weights)
    largest = max([0.05, *(max(p, w or 0.0) for bars in groups.values() for _, p, w in bars)])
    longest = max((width_of(name) for bars in groups.values() for name, _, _ in bars), default=0.0)
    left = min(longest + 12.0, 210.0) if width >= 520 else min(longest + 8.0, 134.0)
    right = width - (108.0 if weights is not None else 52.0)
    scale, digits = Scale(0.0, largest, left, right), _digits(groups)
    parts, y = [], 0.0
    for kind, bars in groups.items():
        parts.append(_head(kind, bars, y, width, digits))
        y += _HEAD
        for bar in bars:
            name = wrap(bar[0], left - 8.0)
            height = _ROW + _LINE * (len(name) - 1)
            parts.append(_bar(bar, name, KINDS[kind], scale, y + (height - _ROW) / 2, width, digits))
            y += height
    spoken = title or ("Probability of each persona" + (", before and after" if weights is not None else ""))
    return drawing(width, y + 6.0, spoken, *parts)


def _groups(
    names: Sequence[str], kinds: Mapping[str, str], prior: Floats, weights: Floats | None
) -> dict[str, list[_Bar]]:
    found: dict[str, list[_Bar]] = {kind: [] for kind in KIND_WORDS}
    rest: dict[str, list[_Bar]] = {kind: [] for kind in KIND_WORDS}
    for i, name in enumerate(names):
        kind = "neutral" if name == NEUTRAL else kinds.get(name, "person")
        after = None if weights is None else float(weights[i])
        bar = (name, float(prior[i]), after)
        little = kind != "neutral" and max(bar[1], after or 0.0) < _LITTLE
        (rest if little else found)[kind].append(bar)
    for kind, bars in found.items():
        bars.sort(key=lambda bar: -(bar[1] if bar[2] is None else bar[2]))
        if others := rest[kind]:
            after = None if weights is None else float(np.sum([w or 0.0 for _, _, w in others]))
            words = others[0][0] if len(others) == 1 else f"{len(others)} others"
            bars.append((words, sum(p for _, p, _ in others), after))
    return {kind: bars for kind, bars in found.items() if bars and not _empty_neutral(kind, bars)}


def _empty_neutral(kind: str, bars: list[_Bar]) -> bool:
    return kind == "neutral" and all(max(p, w or 0.0) <= 0.0 for _, p, w in bars)


def _head(kind: str, bars: list[_Bar], y: float, width: int, digits: int) -> str:
    after = None if bars[0][2] is None else sum(w or 0.0 for _, _, w in bars)
    words = _change(sum(p for _, p, _ in bars), after, digits)
    return (
        line(0, y + 32, width, y + 32)
        + tag("circle", cx=5.0, cy=y + 20, r=5.0, fill=KINDS[kind])
        + label(16, y + 24.5, KIND_WORDS[kind], font_weight=600)
        + label(width, y + 24.5, words, text_anchor="end", size=SMALL, fill=MUTED)
    )


def _bar(bar: _Bar, lines: list[str], colour: str, scale: Scale, y: float, width: int, digits: int) -> str:
    name, before, after = bar
    words = _change(before, after, digits)
    parts = [lines_of(0, y + 16.5, lines, _LINE), line(scale.start, y + 3, scale.start, y + 21, RULE)]
    if after is None:
        parts.append(_rect(scale, y + 6, before, 12.0, fill=colour))
    else:
        parts.append(_rect(scale, y + 4, before, 7.0, fill="none", stroke=MUTED, stroke_width=1.0))
        parts.append(_rect(scale, y + 12, after, 8.0, fill=colour))
    parts.append(label(width, y + 16.5, words, text_anchor="end", size=SMALL, fill=INK))
    return group(*parts, title=f"{name}: {words}")


def _digits(groups: Mapping[str, list[_Bar]]) -> int:
    """As many digits as tell every bar that moved from what it was, one at most; the same for all bars."""
    pairs = [(p, w) for bars in groups.values() for _, p, w in bars if w is not None]
    return int(any(percent(p) == percent(w) and percent(p, 1) != percent(w, 1) for p, w in pairs))


def _change(before: float, after: float | None, digits: int) -> str:
    """Both shares; what does not change is said once."""
    p = percent(before, digits)
    return p if after is None or (q := percent(after, digits)) == p else f"{p} → {q}"


def _rect(scale: Scale, y: float, value: float, height: float, **attributes: object) -> str:
    length = max(scale(value) - scale.start, 0.8)
    return tag("rect", x=scale.start, y=y, width=length, height=height, rx=1.5, **attributes)
