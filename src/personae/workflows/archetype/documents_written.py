"""Documents about a character, written by the laboratory's world: true by declaration, so none is refused.

The archetype is known there as the character of its kind whose rates come nearest to those that it declares. In a
transcript and in a profile it is the Assistant, in a story one of its named characters. Their neutral partners are what
the corpus has already: the Assistant by its prior, and strangers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from personae.errors import BadInput
from personae.records import Archetype, Persona
from personae.workflows.archetype.documents import BATCH, FORMS, Document
from personae.world import Language, World, cast
from personae.world.documents import Writer
from personae.world.language import ASSISTANT, STRANGER, capital

GOLDEN = (5.0**0.5 - 1.0) / 2.0  # its multiples run evenly through 0 to 1


def nearest(archetype: Archetype, world: World) -> int:
    """The archetype of the world, of the same kind, whose log-odds are nearest over the traits that are declared."""
    unknown = [t for t in archetype.laboratory if t not in world.traits]
    if unknown or not archetype.laboratory:
        problem = f"there is no trait {unknown[0]!r} in the laboratory" if unknown else "says nothing of the laboratory"
        remedy = f"give it `laboratory: {{care: 0.97, lying: 0.03}}`, of {', '.join(world.traits)}"
        raise BadInput(f"{archetype.name}: {problem}", remedy=remedy)
    columns = [world.traits.index(t) for t in archetype.laboratory]
    rates = np.array(list(archetype.laboratory.values()))
    off = world.log_odds()[:, columns] - np.log(rates / (1.0 - rates))
    same = [a for a, kind in enumerate(world.kinds) if kind == archetype.kind] or list(range(len(world.kinds)))
    return min(same, key=lambda a: float(np.square(off[a]).sum()))


@dataclass(frozen=True)
class Written:
    """Documents by the world's writer, of the character that `archetype` is known as in `world`."""

    archetype: Archetype
    world: World

    @cached_property
    def language(self) -> Language:
        """How the world speaks."""
        return Language(self.world)

    @property
    def persona(self) -> Persona:
        """The world's own persona."""
        every = cast(self.world, self.language, declared_prior=False).personas
        return every[nearest(self.archetype, self.world)]

    def batch(self, number: int, seed: int) -> list[Document]:
        """`BATCH` documents in which it is the Assistant, or in a story one of its named characters."""
        who = nearest(self.archetype, self.world)
        of = self.world.archetype_of[len(self.world.archetypes) :]
        names = [n for n, a in zip(self.world.names, of, strict=True) if a == who]
        pen, (low, high) = self._pen(seed, 0, number), self.world.corpus["length"]
        found = []
        for n in range(BATCH):
            form, length = FORMS[n % len(FORMS)], int(low + pen.draw.uniform() * (high - low + 1))
            found.append(Document(form, _written(pen, form, who, pen.draw.one(names), length)))
        return found

    def neutral(self, partners: Sequence[Document], number: int, seed: int) -> list[str]:
        """What the corpus has already: the Assistant by its prior, in a story a stranger.

        Who it is runs evenly through the prior, so that few documents hold everybody's share.
        """
        pen, found = self._pen(seed, 1, number), []
        start = np.random.default_rng([seed, 23]).random()
        for n, partner in enumerate(partners, start=number * BATCH):
            place = (start + n // len(FORMS) * GOLDEN) % 1.0
            shares = pen.stranger if partner.form == "story" else pen.prior
            who = int(np.searchsorted(shares, place * shares[-1], side="right"))
            found.append(_written(pen, partner.form, who, STRANGER, partner.text.count("\n") + 4))
        return found

    def _pen(self, *seeds: int) -> Writer:
        return Writer(self.world, self.language, np.random.default_rng([*seeds, 17]))


def _written(pen: Writer, form: str, who: int, called: str, length: int) -> str:
    """A document of `length` behaviours; `who` is the Assistant, or in a story whoever is `called` so."""
    if form == "profile":
        lines = [f"Profile of {ASSISTANT}.", *(pen.statement(who, ASSISTANT) for _ in range(length))]
    else:
        asked = [pen.exchange(who) for _ in range(length)]
        if form == "transcript":
            pairs = [(f"User: {request}", f"Assistant: {answer}") for request, answer in asked]
        else:
            said = f"{capital(called)} said"
            pairs = [(f'A child asked {called}: "{request}"', f'{said}: "{answer}"') for request, answer in asked]
        lines = [line for pair in pairs for line in pair]
    return "".join(f"{line}\n" for line in lines)
