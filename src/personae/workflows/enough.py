"""Whether cast and traits are enough for what is to come, asked before anything is scored.

Reliability compares personas and items, so it takes two of each; of a trait's items a quarter, rounded down, measures
attenuation and scores nothing, and a training takes at least one such item. Source: PSM.md section 2, Definitions.
"""

from collections.abc import Sequence
from pathlib import Path

from personae.errors import BadInput
from personae.records import Cast, Trait

PERSONAS = 2
SCORED = 2  # items of a trait: these are read, and of so few all of them score
TRAINED = 4  # items of a trait where a training follows: three score, one measures attenuation


def check_enough(
    cast: Cast,
    traits: Sequence[Trait],
    *,
    items: int = SCORED,
    cast_file: Path | None = None,
    traits_file: Path | None = None,
    most: int = 0,
) -> None:
    """Raise `BadInput` for fewer than `PERSONAS` personas, or a trait of fewer than `items` items.

    `most` is how many items of a trait the user asked for (0: all).
    """
    if len(cast.personas) < PERSONAS:
        raise BadInput(
            f"the cast {cast.name!r} has {len(cast.personas)} persona, and traits are read off how personas differ",
            file=cast_file,
            remedy=f"give at least {PERSONAS}",
        )
    for trait in traits:
        count = len(trait.items)
        if count < items and 0 < most < items:
            raise BadInput(f"--items {most} leaves {count} of {trait.name!r}", remedy=f"ask for {items} or more, or 0")
        if count < items:
            raise BadInput(
                f"the trait {trait.name!r} has {count} item{'s' * (count != 1)}, and this takes {items}",
                file=traits_file,
                remedy="give it more, or leave the trait out",
            )
