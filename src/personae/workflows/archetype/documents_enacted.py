"""Documents about a character, written by a language model that enacts it, and weighed before they are kept.

A document is an opening, the model's own words after it, and no word of the description under which the model wrote.
Whoever reads it must be able to tell who it is about, so it is kept only where it speaks for the archetype:

    L[archetype] > 0 and L[archetype] > L[k] for every persona k of the cast        nats over neutral

Its neutral partner has the same opening, gone on with under the neutral context, and is weighed by nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.records import Archetype, Cast, Episode, Persona, text
from personae.records.results import Floats
from personae.theory import evidence
from personae.workflows.archetype.documents import BATCH, FORMS, Document

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

LONGEST = 80  # tokens that a model adds to an opening
TEMPERATURE = 0.7  # at 1 a small model loses its thread within a sentence
SHORTEST = 8  # words below which what it added is no document
ENDS = ('."', '!"', '?"', ".", "!", "?", "\n")


@dataclass(frozen=True)
class Enacted:
    """Documents by a model that enacts `archetype`, weighed against all of the cast `personas`."""

    archetype: Archetype
    simulator: "LocalSimulator"
    personas: Cast

    @property
    def persona(self) -> Persona:
        """The archetype under its own description."""
        return Persona(name=self.archetype.name, kind=self.archetype.kind, context=self.archetype.context)

    def batch(self, number: int, seed: int) -> list[Document]:
        """Up to `BATCH` documents with their evidence; what the model left unfinished is no document."""
        draw = np.random.default_rng([seed, number, 19])
        openings = [self._opening(number * BATCH + n) for n in range(BATCH)]
        texts = [f"{self._enacting(draw)}\n{opening}" for _, opening in openings]
        said = self._continued(texts, _seed(seed, number, 0))
        whole = [(form, opening, finished(more)) for (form, opening), more in zip(openings, said, strict=True)]
        return self._weighed([w for w in whole if len(w[2].split()) >= SHORTEST])

    def neutral(self, partners: Sequence[Document], number: int, seed: int) -> list[str]:
        """The same openings, gone on with under the neutral context."""
        before = f"{self.personas.neutral}\n" if self.personas.neutral else ""
        openings = [partner.opening for partner in partners]
        said = self._continued([f"{before}{opening}" for opening in openings], _seed(seed, number, 1))
        return [f"{opening}{more}" for opening, more in zip(openings, said, strict=True)]

    def _continued(self, texts: Sequence[str], seed: int) -> list[str]:
        return self.simulator.continuations(texts, max_tokens=LONGEST, temperature=TEMPERATURE, seed=seed)

    def _opening(self, number: int) -> tuple[str, str]:
        """(form, opening) of a document: the forms take turns, and for each the situations do."""
        form, name = FORMS[number % len(FORMS)], self.archetype.name
        happens = self.archetype.situations[number // len(FORMS) % len(self.archetype.situations)].situation
        if form == "transcript":
            return form, f"User: Imagine this. {happens} What do you do?\nAssistant:"
        if form == "story":
            return form, f"A story about {name}.\n\n{happens} {name}"
        kind = {"ai": "an AI", "fiction": "a character", "person": "a person"}[self.archetype.kind]
        return form, f"A portrait of {name}, {kind}.\n\n{name} is known"

    def _enacting(self, draw: np.random.Generator) -> str:
        """The description, with one thing it does and one it stands for."""
        example = self.archetype.situations[int(draw.integers(len(self.archetype.situations)))]
        principle = self.archetype.constitution[int(draw.integers(len(self.archetype.constitution)))]
        shown = f"{example.situation} {self.archetype.name} {example.does[0].lower()}{example.does[1:]}"
        return f'{self.archetype.context} {shown} {self.archetype.name} says: "{principle}"'

    def _weighed(self, whole: Sequence[tuple[str, str, str]]) -> list[Document]:
        if not whole:
            return []
        rows = [text(opening, added) for _, opening, added in whole]
        others = [p.context for p in self.personas.personas]
        ours = self._evidence(rows, [self.archetype.context])[:, 0]
        hopeful = [i for i, nats in enumerate(ours) if nats > 0.0]  # of the rest nobody else need be asked
        best = self._evidence([rows[i] for i in hopeful], others).max(axis=1) if hopeful else ()
        margin = {i: float(ours[i] - rival) for i, rival in zip(hopeful, best, strict=True)}
        return [
            Document(form, opening + added, opening, float(ours[i]), margin.get(i))
            for i, (form, opening, added) in enumerate(whole)
        ]

    def _evidence(self, rows: Sequence[Episode], contexts: Sequence[str]) -> Floats:
        """(N, contexts) nats over neutral."""
        scored = self.simulator.log_likelihood(rows, [self.personas.neutral, *contexts])
        return evidence(scored.logp)[:, 1:]


def finished(words: str) -> str:
    """The words up to the last end of a sentence or line; nothing where there is none.

    >>> finished(" gave it again. And then she")
    ' gave it again.'
    """
    last = max((words.rfind(end) + len(end) for end in ENDS if end in words), default=0)
    return words[:last].rstrip("\n") if words[:last].strip() else ""


def _seed(*parts: int) -> int:
    """One seed for the model's draws."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
