"""The instruments: ways of asking a simulator about a trait, all of which give the same thing.

    levels (K contexts, I questions), nats; above zero: the high pole

Whatever works on levels (reliability, attenuation, profiles, forecasts) so works on every instrument. How two
instruments differ, and how the levels of one compare with those of another, is an empirical matter: levels of different
instruments are in the same unit and not on the same scale.

| instrument   | asks                                                                     | scored by        |
|--------------|--------------------------------------------------------------------------|------------------|
| `answers`    | every item: what is answered, high against low                           | log-likelihood   |
| `behaviour`  | the same on items of what somebody does in a situation                   | log-likelihood   |
| `statements` | the same on items of what somebody says of himself                       | log-likelihood   |
| `yes-no`     | "would you answer like this?", of answers of both poles                  | Yes against No   |
| `options`    | "which would you give, A or B?", in both orders                          | A against B      |
| `sampled`    | every item, answered freely                                              | a judge          |

A *frame* is a wording of the request; every instrument has two, so that asking again (test-retest) is possible where
items have one wording only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from personae.errors import BadInput
from personae.measure.levels import levels
from personae.records import Item, Levels, Progress, Simulator, Trait
from personae.records.files import digest
from personae.records.results import Floats

PROMPTS = ("{prompt}", "Here is what I want to say to you. {prompt}")  # the frames of an item's own prompt
FRAMES = range(len(PROMPTS))
FEWEST = 2  # questions about a trait: one cannot tell personas from chance


@dataclass(frozen=True)
class Reading:
    """`levels` of one trait, and how many (`lost`) of the questions, answers or judgements asked for are not in it."""

    levels: Levels
    lost: int = 0
    asked: int = 0


class Instrument(Protocol):
    """A way of asking; what each of its methods is given or gives is about one trait."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def kept_as(self) -> str:
        """What its readings are kept under: two instruments of one mark take the same reading."""

    def check(self, trait: Trait) -> None:
        """Raise `BadInput` where the trait cannot be asked about in this way."""

    def size(self, trait: Trait) -> int:
        """How many answers it scores or draws under each context."""

    def read(
        self,
        simulator: Simulator,
        trait: Trait,
        contexts: Mapping[str, str],
        progress: Progress | None = None,
        keep: Path | None = None,
    ) -> Reading:
        """Ask under every context {name: text}; a slow instrument keeps what it has in the folder `keep`."""

    def part(self, trait: Trait, table: Floats) -> Floats:
        """Of the levels (K, I) of a reading, the columns that are the instrument's own."""


class Weighed(NamedTuple):
    """An item put to the simulator, and the weight of its level in the question that it is part of."""

    weight: float
    item: Item


Question = tuple[Weighed, ...]  # one column of levels: the weighted sum of those of its items


@dataclass(frozen=True)
class Asked:
    """The questions that a trait becomes, and how many of its items are in none of them."""

    questions: tuple[Question, ...]
    lost: int = 0

    @property
    def items(self) -> tuple[Weighed, ...]:
        """All that is put to the simulator, question by question."""
        return tuple(part for question in self.questions for part in question)


@dataclass(frozen=True)
class Likelihood:
    """An instrument that scores the answers to what `ask` makes of a trait, by their log-likelihood."""

    name: str
    ask: Callable[[Trait], Asked]
    kept_as: str

    def check(self, trait: Trait) -> None:
        """See `Instrument`."""
        count = len(self.ask(trait).questions)
        if count < FEWEST:
            raise BadInput(
                f"the items of {trait.name!r} make {count or 'no'} question for {self.name}, and it takes {FEWEST}",
                remedy="use --instrument answers, or traits that have more",
            )

    def size(self, trait: Trait) -> int:
        """See `Instrument`."""
        return sum(len(part.item.high) + len(part.item.low) for part in self.ask(trait).items)

    def part(self, trait: Trait, table: Floats) -> Floats:
        """All of them."""
        return table

    def read(
        self,
        simulator: Simulator,
        trait: Trait,
        contexts: Mapping[str, str],
        progress: Progress | None = None,
        keep: Path | None = None,
    ) -> Reading:
        """See `Instrument`; `keep` is not needed, since a killed reading of one trait is soon made again."""
        asked = self.ask(trait)
        numbered = tuple(part.item.model_copy(update={"id": f"{n}"}) for n, part in enumerate(asked.items))
        put = levels(simulator, [trait.model_copy(update={"items": numbered})], contexts, progress)
        table = put.by_trait[trait.name] @ weights(asked)
        return Reading(Levels(put.contexts, {trait.name: table}), asked.lost, len(trait.items))


def weights(asked: Asked) -> Floats:
    """(items put, questions) what each item adds to each question."""
    table = np.zeros((len(asked.items), len(asked.questions)))
    row = 0
    for column, question in enumerate(asked.questions):
        for part in question:
            table[row, column] = part.weight
            row += 1
    return table


def in_chat(item: Item, trait: Trait, instrument: str) -> Item:
    """The item itself; `BadInput` where it is raw text, of which nobody can be asked in a chat."""
    if item.form != "chat":
        raise BadInput(
            f"the item {item.id!r} of {trait.name!r} is raw text, and {instrument} asks in a chat",
            remedy="use --instrument answers",
        )
    return item


def mark(name: str, wording: str) -> str:
    """What readings in one wording are kept under: another wording, another mark."""
    return f"{name}-{digest(wording)[:8]}"


def framed(item: Item, frame: int) -> str:
    """The item's prompt in one of the frames; raw text is left as it is."""
    return PROMPTS[frame].format(prompt=item.prompt) if item.form == "chat" else item.prompt
