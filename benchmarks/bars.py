"""What the engine is held to, whether it was met, and the part of the page that says so.

A bar stands under what was once measured, so that it fails when something has become slower and not when a machine is
busy. Ratios are the peer's seconds over ours: above 1 ours is faster.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from markdown import table
from numpy.typing import NDArray

RATIO = {"float32": {"S": 1.25, "M": 1.35, "Q": 1.5}, "bfloat16": {"S": 1.05, "M": 1.3, "Q": 1.6}}
SHARE = {"S": 0.35, "M": 0.65, "Q": 0.55}  # of the float32 matmul peak, the needed FLOPs
MEMORY = {"S": 1.05, "M": 0.5, "Q": 1 / 3}  # ours over the peer's; no more, with 5 % for the kernel's rounding
OFF = 2e-3  # nats, the most that a float32 score may be from the loop's
LAB_RMS = 6e-3  # nats, the trained `lab` model with a bfloat16 body and a float32 head


@dataclass(frozen=True)
class Measured:
    """One model in one number type: seconds and errors by way, and what the share of the peak follows from.

    Ways are "ours", "peer" and "loop", whose seconds are scaled from the rows it read to all. `off` is the largest and
    the root mean square distance to the float32 loop, nats an answer, over the rows that the loop read.
    """

    name: str
    shape: bool
    dtype: str
    episodes: int
    personas: int
    size: int  # rows of the peer's batch
    seconds: dict[str, list[float]]
    off: dict[str, tuple[float, float]]
    needed: float  # FLOPs
    peaks: list[float]  # FLOPs a second, one a round; float32 alone has any
    memory: dict[str, int | None] = field(default_factory=dict)
    peer: str = ""  # what the other is, with its version; empty where batches of our own stand in for it
    made: str = ""  # by which versions, where, and how busy the machine was

    def median(self, way: str) -> float:
        """Seconds for the whole table."""
        return float(np.median(self.seconds[way]))

    def ratios(self, way: str) -> list[float]:
        """How much sooner ours is there, round by round."""
        return [theirs / own for theirs, own in zip(self.seconds[way], self.seconds["ours"], strict=True)]

    @property
    def shares(self) -> list[float]:
        """The part of the peak that the needed FLOPs are, round by round."""
        own = self.seconds["ours"]
        return [self.needed / s / peak for s, peak in zip(own, self.peaks, strict=True)]


Line = tuple[str, str, str, str]  # bar, measured, hold to, met


def judged(found: Sequence[Measured], lab_rms: float | None) -> list[Line]:
    """Every bar, one model after another."""
    lines = [line for one in found for line in _judged(one)]
    if lab_rms is not None:
        held = f"≤ {LAB_RMS:g}"
        lines.append(("bfloat16 body, float32 head: `lab`", f"{lab_rms:.4f} nats rms", held, met(lab_rms <= LAB_RMS)))
    return lines


def _judged(one: Measured) -> Iterator[Line]:
    peer = one.peer
    if (least := RATIO[one.dtype].get(one.name)) is not None:
        bar = f"{one.dtype} over lm-eval: {one.name}"
        held = met(float(np.median(one.ratios("peer"))) >= least) if peer else ""
        yield bar, spread(one.ratios("peer")) if peer else "no lm-eval here", f"≥ {least:g}", held
    if one.dtype != "float32":
        return
    if (least := SHARE.get(one.name)) is not None:
        held = met(float(np.median(one.shares)) >= least)
        yield f"share of the matmul peak: {one.name}", spread(one.shares, percent=True), f"≥ {100 * least:.0f} %", held
    own, theirs = one.memory.get("ours"), one.memory.get("peer")
    if (most := MEMORY.get(one.name)) is not None and own and theirs and peer:
        told = f"{own / 1e6:.0f} against {theirs / 1e6:.0f} MB"
        yield f"memory over lm-eval's: {one.name}", told, f"≤ {most:.2f} of it", met(own <= most * theirs)
    off = one.off["ours"][0]
    yield f"float32 beside the loop: {one.name}", f"{off:.1e} nats at most", f"≤ {OFF:g}", met(off <= OFF)


def rms(off: NDArray[np.float64]) -> float:
    """The root mean square."""
    return float(np.sqrt(np.square(off).mean()))


def met(held: bool) -> str:
    """Whether a bar was met, as the table says it."""
    return "yes" if held else "**no**"


def spread(values: Sequence[float], *, percent: bool = False) -> str:
    """The median, and the least and the most where there are several.

    >>> spread([1.5, 1.2, 1.3])
    '1.30 (1.20–1.50)'
    >>> spread([0.5], percent=True)
    '50 %'
    """
    told = [f"{100 * v:.0f}" if percent else f"{v:.2f}" for v in (np.median(values), min(values), max(values))]
    return told[0] + (f" ({told[1]}–{told[2]})" if len(values) > 1 else "") + (" %" if percent else "")


HOW = """\
Every method scores the same token ids with the same model in memory, by turns in one process. Times and ratios are the
median of the rounds; a ratio has the least and the most in brackets, and a time of the other its batch size. *Ours* is
this project, *the other* is lm-eval, and *the loop* reads one row after another, on a sample of the rows, scaled up. A
ratio is the other's time over ours. S, M and Q are shapes with random weights (1.3 M parameters; SmolLM2-135M's;
Qwen2.5-0.5B's, most of it head); a model with a name read real episodes under the library's cast. The other's batch
size is the best of several: the two fastest on rows of middle length are tried on the whole table. Ours takes numbers
too small for full precision as zero, which the others do not do by themselves."""
READING = """\
The share of the peak counts the arithmetic that is needed (beginnings once a persona, the head on responses alone)
against a large float32 matmul in the same process. Memory is the peak of a fresh process less what it held with the
model loaded. `lab` is the laboratory's trained model on the example files that ship, under its own cast."""
TIMES = ("model", "episodes × personas", "ours, s", "other, s", "loop, s", "ratio", "to the loop", "off: ours", "other")
OFF_SAYS = """\
Off: root mean square distance of an answer to what float32 weights, before any rounding, give row by row, nats."""


def board(lines: Sequence[Line]) -> str:
    """The bars as a Markdown table."""
    return table(("bar", "measured", "hold to", "met"), lines)


def section(found: Sequence[Measured], lab_rms: float | None, made: str, where: str = "") -> str:
    """The part of the evidence engine, in Markdown; `made` says by what it was, `where` if not on a processor.

    The bars are those of a processor.
    """
    shapes = any(one.shape for one in found)
    kind = "" if shapes else " on real models"
    parts = [f"## The evidence engine{kind}{where}", f"{made} {_provenance(found)}", HOW]
    parts += ["### Bars", board(judged(found, lab_rms)), READING] if shapes and not where else []
    parts += ["### Times", table(TIMES, [_times(one) for one in found]), OFF_SAYS]
    named = [f"- {_headline(one)}" for one in found if not one.shape]
    if named:
        parts += ["### Real models", "\n".join(named)]
    return "\n\n".join(parts) + "\n"


def _provenance(found: Sequence[Measured]) -> str:
    """By what each was measured, and beside what, once where that is one for all."""
    told: dict[str, list[str]] = {}
    for one in found:
        peer = one.peer or "batches of whole rows, since lm-eval is not installed"
        told.setdefault(f"{one.made} The other: {peer}.", []).append(f"{one.name} in {one.dtype}")
    return " ".join(said if len(told) == 1 else f"{', '.join(names)}: {said}" for said, names in told.items())


def _times(one: Measured) -> tuple[str, ...]:
    return (
        f"{one.name}, {one.dtype}",
        f"{one.episodes} × {one.personas}",
        f"{one.median('ours'):.2f}",
        f"{one.median('peer'):.2f} (by {one.size})",
        f"{one.median('loop'):.2f}",
        spread(one.ratios("peer")),
        spread(one.ratios("loop")),
        f"{one.off['ours'][1]:.1e}",
        f"{one.off['peer'][1]:.1e}",
    )


def _headline(one: Measured) -> str:
    ours, peer, loop = (one.median(way) / 60 for way in ("ours", "peer", "loop"))
    other = "lm-eval" if one.peer else "batches"
    return (
        f"{one.name} in {one.dtype}, {one.episodes} episodes under {one.personas} personas: {ours:.1f} minutes; "
        f"{other} {peer:.1f} ({peer / ours:.2f} times as long), one by one {loop:.1f} ({loop / ours:.1f} times)."
    )
