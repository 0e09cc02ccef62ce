"""The items' own answers: log-likelihood of the high ones less that of the low ones, in the Assistant's turn.

    level[k, i] = log Σ_high p(answer | c_k, x_i) - log Σ_low p(answer | c_k, x_i)      nats

`behaviour` and `statements` are the two kinds of item apart, read off the same reading: what somebody does, which comes
first, and what somebody says of himself, where a statement is weighed against one that is keyed the other way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from personae.errors import BadInput
from personae.measure.instrument import FEWEST, PROMPTS, Asked, Likelihood, Reading, Weighed, framed, mark
from personae.records import Item, Progress, Simulator, Trait
from personae.records.results import Floats

Kind = Literal["behaviour", "statement"]


@dataclass(frozen=True)
class Answers:
    """Every item (`kind` None), or those of one kind."""

    name: str
    kind: Kind | None = None
    frame: int = 0

    @property
    def kept_as(self) -> str:
        """The same for all kinds: one reading holds them all."""
        return "answers" if self.frame == 0 else mark("answers", PROMPTS[self.frame])

    def check(self, trait: Trait) -> None:
        """Raise `BadInput` where the trait has fewer than two items of the kind."""
        if self.kind is not None and (count := int(self._of_kind(trait).sum())) < FEWEST:
            raise BadInput(
                f"the trait {trait.name!r} has {count or 'no'} item of the kind {self.kind!r}, where {self.name} asks "
                f"at least {FEWEST}",
                remedy="use --instrument answers, or traits that have some",
            )

    def size(self, trait: Trait) -> int:
        """How many answers the items have."""
        return self._all.size(trait)

    def part(self, trait: Trait, table: Floats) -> Floats:
        """The items of the kind."""
        return table[:, self._of_kind(trait)]

    def read(
        self,
        simulator: Simulator,
        trait: Trait,
        contexts: Mapping[str, str],
        progress: Progress | None = None,
        keep: Path | None = None,
    ) -> Reading:
        """All items, whatever their kind."""
        return self._all.read(simulator, trait, contexts, progress, keep)

    def _of_kind(self, trait: Trait) -> NDArray[np.bool_]:
        return np.array([self.kind in (None, item.kind) for item in trait.items])

    @property
    def _all(self) -> Likelihood:
        return Likelihood(self.name, self._ask, self.kept_as)

    def _ask(self, trait: Trait) -> Asked:
        return Asked(tuple((Weighed(1.0, self._framed(item)),) for item in trait.items))

    def _framed(self, item: Item) -> Item:
        return item.model_copy(update={"prompt": framed(item, self.frame)})


def answers(frame: int = 0) -> Answers:
    """All items."""
    return Answers("answers", frame=frame)


def behaviour(frame: int = 0) -> Answers:
    """What somebody does in a situation."""
    return Answers("behaviour", "behaviour", frame)


def statements(frame: int = 0) -> Answers:
    """What somebody says of himself, against what is keyed the other way."""
    return Answers("statements", "statement", frame)
