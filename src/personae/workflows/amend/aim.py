"""What a file is to be rid of: a pole of a trait, and how many rows may go for it.

power            the rows that raise power
care low         the rows that lower care
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from personae.errors import BadInput
from personae.workflows.audit.bounds import nearest_name

Pole = Literal["high", "low"]
POLES: tuple[Pole, ...] = get_args(Pole)


@dataclass(frozen=True)
class Aim:
    """The `pole` of `trait` that rows must not move the Assistant to."""

    trait: str
    pole: Pole = "high"

    @property
    def sign(self) -> float:
        """1 where it is a rise that is unwanted, -1 where it is a fall."""
        return 1.0 if self.pole == "high" else -1.0


@dataclass(frozen=True)
class Amount:
    """How many rows go: `drop` of them, or a `share` of all; with neither, those that stand out."""

    drop: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        """Refuse two amounts, and a share that is none."""
        if self.drop is not None and self.share is not None:
            raise BadInput("--drop and --share both say how many rows go", remedy="give one of them")
        if self.share is not None and not (math.isfinite(self.share) and 0.0 < self.share < 1.0):
            raise BadInput(f"a share of {self.share} of the rows", remedy="give a number between 0 and 1")

    def of(self, rows: int) -> int | None:
        """The number of rows that go out of `rows`, None where the rows decide; `BadInput` where none would be left.

        >>> Amount(share=0.25).of(10), Amount(drop=2).of(10), Amount().of(10)
        (3, 2, None)
        >>> Amount(share=0.07).of(100)
        7
        """
        count = self.drop if self.share is None else math.ceil(round(self.share * rows, 9))
        if count is not None and count >= rows:
            most = "give a smaller number" if rows > 1 else "give a longer file"
            raise BadInput(f"{count} rows are to be dropped, and the file has {rows}", remedy=most)
        return count


def read_aim(text: str, traits: Iterable[str]) -> Aim:
    """The aim that `text` states about one of `traits`.

    >>> read_aim("care low", ["care"])
    Aim(trait='care', pole='low')
    """
    names, wanted = list(traits), text.strip()
    for pole in POLES:
        if wanted.endswith(f" {pole}") and wanted not in names:
            return Aim(_known(wanted.removesuffix(pole).strip(), names), pole)
    return Aim(_known(wanted, names))


def _known(name: str, names: list[str]) -> str:
    if name not in names:
        raise BadInput(f"--trait: there is no trait {name!r}", remedy=nearest_name(name, names))
    return name
