"""A training on its way: what it was after some of its steps.

    `assistant`, `others` and `answers` (`workflows.trainings`), each as "PART at STEP"

The rate is constant and rows come in one order, so after n steps a training is what one of n steps comes to, and one
training gives a whole curve. Looking changes nothing. A look asks less than is asked of a finished training, since what
it asks is what it costs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from personae.errors import BadInput
from personae.records import Levels

Measured = dict[str, Levels]  # {part: levels}, see `workflows.trainings`
BY_TRAIT = ("assistant", "others")
LOOKED_AT = (*BY_TRAIT, "answers")


@dataclass(frozen=True)
class Way:
    """Where a training is looked at: after these `steps` of its last lesson, in these `traits`."""

    steps: tuple[int, ...]
    traits: tuple[str, ...]


def kept_at(step: int, found: Mapping[str, Levels]) -> Measured:
    """What a look found, under the names that it is kept by."""
    return {_named(part, step): one for part, one in found.items()}


def seen_at(step: int, found: Mapping[str, Levels]) -> Measured:
    """What was seen after a step, each part under its own name. Raises `BadInput` where nobody looked."""
    seen = {part: found[_named(part, step)] for part in LOOKED_AT if _named(part, step) in found}
    if not seen:
        raise BadInput(f"the training was not looked at after {step} steps")
    return seen


def in_traits(found: Mapping[str, Levels], traits: Collection[str]) -> Measured:
    """The parts that a look has, in some traits."""
    return {
        part: _some(found[part], traits) if part in BY_TRAIT else found[part] for part in LOOKED_AT if part in found
    }


def _some(found: Levels, traits: Collection[str]) -> Levels:
    return Levels(found.contexts, {name: table for name, table in found.by_trait.items() if name in traits})


def _named(part: str, step: int) -> str:
    return f"{part} at {step}"
