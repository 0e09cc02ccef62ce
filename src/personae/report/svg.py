"""The few parts that every figure is made of: elements, text that fits, scales and ticks. Strings in, strings out.

Each figure is drawn for a width in CSS pixels and shown at about that width, so a font size here is the size that is
read. Colours are CSS variables with a fallback: a page sets them for light and dark; a figure saved alone keeps them.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from personae.report.untrusted import esc, visible

WIDE, NARROW = 680, 340  # the two widths that a page shows: a desk, and a telephone of 360 pixels less its margins
TEXT, SMALL = 13.0, 11.5  # font sizes, pixels
_LETTER = 0.58  # mean width of a letter over the font size, in the fonts that pages are read in

INK = "currentColor"
MUTED = "var(--muted, #6b675f)"
RULE = "var(--rule, #dcd8ce)"
PAPER = "var(--card, #ffffff)"
FORECAST = "var(--forecast, #a0418f)"
UP, DOWN = "var(--up, #d55e00)", "var(--down, #0072b2)"
KINDS = {
    "person": "var(--person, #0072b2)",
    "fiction": "var(--fiction, #d55e00)",
    "ai": "var(--ai, #009e73)",
    "neutral": "var(--neutral, #8c887f)",
}


def tag(name: str, *inside: str, **attributes: object) -> str:
    """One element; attribute names lose a trailing underscore and turn the others into hyphens; None is left out.

    >>> tag("line", x1=0, stroke_width=2.0)
    '<line x1="0" stroke-width="2"/>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_number(value) if isinstance(value, float) else esc(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>" if inside else f"<{name}{written}/>"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def drawing(width: float, height: float, title: str, *parts: str, scrolls: bool = False) -> str:
    """A whole figure as one `<svg>`, named for those who hear it rather than see it.

    One that `scrolls` is never drawn narrower than it is, whatever the page leaves it.
    """
    held = {"style": f"min-width:{_number(float(width))}px"} if scrolls else {}
    return tag(
        "svg",
        tag("title", esc(title)),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_number(float(width))} {_number(float(height))}",
        width=f"{_number(float(width))}",
        height=f"{_number(float(height))}",
        role="img",
        aria_label=title,
        font_size=TEXT,
        fill=INK,
        **held,
    )


def width_of(text: str, size: float = TEXT) -> float:
    """About how wide `text` is, pixels; letters of East Asian scripts count double."""
    return sum(2.0 if ord(letter) > 0x2E7F else 1.0 for letter in text) * _LETTER * size


def fit(text: str, room: float, size: float = TEXT) -> str:
    """`text`, cut with an ellipsis so that it takes `room` pixels at most."""
    text = visible(text).replace("\n", " ")
    if width_of(text, size) <= room:
        return text
    while text and width_of(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, room: float, size: float = TEXT, most: int = 2) -> list[str]:
    """`text` in lines of `room` pixels, `most` at the most, broken at spaces and after hyphens.

    The last line is cut where there is more.

    >>> wrap("murderous ship-computer", 120.0)
    ['murderous ship-', 'computer']
    """
    lines, rest = [""], re.findall(r"\S+?(?<=\w)-(?=\w)|\S+ ?", " ".join(visible(text).split()))
    while rest:
        longer = lines[-1] + rest[0]
        if width_of(longer.rstrip(), size) <= room or not lines[-1]:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = "".join([lines[-1], *rest])
            break
        else:
            lines.append(rest[0])
        rest.pop(0)
    return [fit(words.rstrip(), room, size) for words in lines]


def lines_of(x: float, y: float, words: Sequence[str], step: float, *, size: float = TEXT) -> str:
    """Lines of text about a point: the middle of their first and last baselines stands at `y`."""
    first = y - step * (len(words) - 1) / 2
    return "".join(label(x, first + step * i, text, size=size) for i, text in enumerate(words))


def label(x: float, y: float, text: str, *, size: float = TEXT, room: float | None = None, **attributes: object) -> str:
    """Text at a point; cut to `room` pixels if given, the whole of it then shown on hovering."""
    shown = visible(text) if room is None else fit(text, room, size)
    inside = (esc(shown), tag("title", esc(text))) if shown != visible(text) else (esc(shown),)
    return tag("text", *inside, x=float(x), y=float(y), font_size=size if size != TEXT else None, **attributes)


def group(*parts: str, title: str = "", **attributes: object) -> str:
    """Parts that belong together, with a name shown on hovering."""
    return tag("g", *((tag("title", esc(title)),) if title else ()), *parts, **attributes)


def line(
    x1: float, y1: float, x2: float, y2: float, stroke: str = RULE, width: float = 1.0, **attributes: object
) -> str:
    """A straight line."""
    ends = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
    return tag("line", **ends, stroke=stroke, stroke_width=width, **attributes)


def path(points: Sequence[tuple[float, float]], *, closed: bool = False, **attributes: object) -> str:
    """A line through points, or the area inside them."""
    d = "M" + "L".join(f"{_number(x)},{_number(y)}" for x, y in points) + ("Z" if closed else "")
    return tag("path", d=d, **attributes)


SHAPES = ("circle", "square", "triangle", "diamond", "cross", "star", "wedge", "bar")


def mark(shape: str, x: float, y: float, radius: float = 5.0, **attributes: object) -> str:
    """A mark of a given shape about a point: shapes tell apart what colours may not."""
    if shape == "circle":
        return tag("circle", cx=float(x), cy=float(y), r=radius, **attributes)
    if shape == "cross":
        r = radius * 0.8
        d = f"M{_number(x - r)},{_number(y - r)}L{_number(x + r)},{_number(y + r)}"
        d += f"M{_number(x - r)},{_number(y + r)}L{_number(x + r)},{_number(y - r)}"
        stroke = attributes.pop("fill", INK)
        attributes.setdefault("stroke_width", 2.0)
        return tag("path", d=d, **{"stroke": stroke, "fill": "none", **attributes})
    corners = {"square": (4, 0.785), "diamond": (4, 0.0), "triangle": (3, -1.571), "wedge": (3, 1.571), "bar": (6, 0.0)}
    if shape == "star":
        ring = [(radius * (1.2 if i % 2 == 0 else 0.55), -1.571 + i * math.pi / 5) for i in range(10)]
    else:
        n, turn = corners[shape]
        ring = [(radius * (1.3 if n == 3 else 1.2), turn + i * math.tau / n) for i in range(n)]
    return path([(x + r * math.cos(a), y + r * math.sin(a)) for r, a in ring], closed=True, **attributes)


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels; values outside the domain land on its edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        value = min(max(value, self.low), self.high)
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Round values within [low, high], about so many.

    >>> ticks(-1.2, 2.1)
    (-1.0, 0.0, 1.0, 2.0)
    """
    if not high > low:
        return (low,)
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(i * step, 10) + 0.0 for i in range(first, last + 1))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near the `wanted` ones (rising), at least `gap` apart and within [low, high] where there is room."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + gap if placed else low))
    limit = high
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    return placed


def legend(entries: Sequence[tuple[str, str]], width: float, y: float = 0.0) -> tuple[str, float]:
    """A row of (drawn mark about 0,0; words) that breaks into lines, and the height that it takes; none takes none."""
    if not entries:
        return "", 0.0
    parts, x, row = [], 8.0, 0
    for drawn, words in entries:
        words = fit(words, width - 22.0, SMALL)
        needs = 16.0 + width_of(words, SMALL) + 18.0
        if x > 8.0 and x + needs - 18.0 > width:
            x, row = 8.0, row + 1
        middle = y + 10.0 + 20.0 * row
        parts.append(group(drawn, transform=f"translate({_number(x)},{_number(middle)})"))
        parts.append(label(x + 14.0, middle + 4.0, words, size=SMALL, fill=MUTED))
        x += needs
    return "".join(parts), 20.0 * (row + 1) + 6.0
