"""Colours and shapes for things that have names and no order, the same in every figure."""

from collections.abc import Sequence

from personae.report.svg import SHAPES

_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#a0418f", "#b58900", "#3a9fd6", "#8a5a2b", "#6b675f")
ARM_COLOURS = tuple(f"var(--arm{i}, {colour})" for i, colour in enumerate(_PALETTE))
SHAPES_OPEN = tuple(shape for shape in SHAPES if shape != "cross")  # those that can be drawn hollow


def looks(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """{name: (shape, colour)}; more names than colours begin the round again, with shapes out of step."""
    return {
        name: (SHAPES[(i + i // len(ARM_COLOURS)) % len(SHAPES)], ARM_COLOURS[i % len(ARM_COLOURS)])
        for i, name in enumerate(dict.fromkeys(names))
    }
