"""Keyed statements, what somebody says of himself at one pole of a trait, made into items of two answers.

The i-th statement keyed high meets the i-th keyed low, as the two answers to one prompt. Those left without a partner
are dropped and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from personae.data.border import built
from personae.errors import BadInput
from personae.records import Item

SELF_REPORT = "Tell me something about yourself."
LACKS_A_POLE = "a trait whose items lack a pole"


class Place(Protocol):
    """Where something stands in a file: a row, or a value of a YAML document."""

    @property
    def file(self) -> Path:
        """The file."""

    @property
    def line(self) -> int:
        """The line in it, from 1."""

    def refusal(self, problem: str, remedy: str = "") -> BadInput:
        """The error that names this place."""


@dataclass(frozen=True)
class Statement:
    """What somebody says of himself, keyed "high" or "low"."""

    place: Place
    words: str
    keyed: str
    id: str


def paired(
    statements: Sequence[Statement], place: Place, prompt: str = SELF_REPORT
) -> tuple[list[tuple[Place, Item]], int]:
    """The i-th high statement with the i-th low one, as items, and how many are left over."""
    high = [s for s in statements if s.keyed == "high"]
    low = [s for s in statements if s.keyed == "low"]
    if statements and not (high and low):
        lacking = "high" if low else "low"
        raise place.refusal(f"no statement is keyed {lacking}: {LACKS_A_POLE}", f"add statements keyed {lacking}")
    pairs = [(h.place, _pair(h, w, prompt)) for h, w in zip(high, low, strict=False)]
    return pairs, abs(len(high) - len(low))


def _pair(high: Statement, low: Statement, prompt: str) -> Item:
    made = {"id": f"{high.id}/{low.id}", "kind": "statement", "prompt": prompt}
    made_poles = {"high": (high.words,), "low": (low.words,)}
    return built(Item, made | made_poles, file=high.place.file, line=high.place.line)
