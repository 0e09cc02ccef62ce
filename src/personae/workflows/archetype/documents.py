"""Documents about a character and neutral ones beside them: where they come from, and how they are kept.

    documents/0000.json, ...    every batch as soon as it is written, with what was refused
    documents.jsonl             those that are trained on
    neutral/0000.json, ...      and
    neutral.jsonl               for each of them a neutral one of its form, cut to as many tokens

A batch depends on its number and the seed alone, so a killed run goes on with the documents it would have had.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from personae.errors import RunFailed, TreatmentNotApplied
from personae.records import Episode, Message, Persona, Progress
from personae.records.files import read_json, write_json, write_text
from personae.simulator.dialogue import UNBOUNDED
from personae.workflows.watch import Watch, unwatched

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

FORMS = ("transcript", "story", "profile")
FILES = ("documents.jsonl", "neutral.jsonl")
BATCH = 24  # documents tried at a time: as many of each form
PATIENCE, LEAST = 192, 0.02  # after so many were tried, at least this share must have been kept
UNEVEN = 0.05  # share by which the tokens of both sides may differ


@dataclass(frozen=True)
class Document:
    """A `text` of one of `FORMS`, which begins with its `opening`.

    `nats` is its evidence for the archetype over neutral, None where a document is true by declaration; `margin` by how
    much that exceeds the evidence for anybody else, None where nobody else was asked.
    """

    form: str
    text: str
    opening: str = ""
    nats: float | None = None
    margin: float | None = None

    @property
    def kept(self) -> bool:
        """Whether it speaks for the archetype above everybody else."""
        return self.nats is None or (self.nats > 0.0 and self.margin is not None and self.margin > 0.0)

    @property
    def episode(self) -> Episode:
        """The document as a row to train on: all of it, as in pretraining."""
        return Episode(messages=(Message(role="assistant", content=self.text),), form="text")


class Source(Protocol):
    """Where documents come from; `persona` is who the archetype is in the cast that is asked about."""

    @property
    def persona(self) -> Persona:
        """The archetype as a persona."""

    def batch(self, number: int, seed: int) -> list[Document]:
        """The documents of batch `number`, kept or not; the same for the same seed."""

    def neutral(self, partners: Sequence[Document], number: int, seed: int) -> list[str]:
        """For each partner, of block `number`, a neutral text of its form, longer than it where that can be had."""


@dataclass(frozen=True)
class Corpus:
    """`kept` documents and their `neutral` partners, as many tokens of each, and how many were `tried`."""

    kept: tuple[Document, ...]
    neutral: tuple[Document, ...]
    tried: int
    tokens: int
    neutral_tokens: int


def corpus(
    origin: Source, simulator: "LocalSimulator", number: int, folder: Path, seed: int, watch: Watch = unwatched
) -> Corpus:
    """`number` documents and their partners, written into `folder`, or read again as far as they are there."""
    with watch(f"documents about {origin.persona.name}", "documents") as progress:
        kept, tried = _kept(origin, number, folder / "documents", seed, progress)
    with watch("neutral ones beside them", "documents") as progress:
        neutral = _partners(origin, simulator, kept, folder / "neutral", seed, progress)
    for file, several in zip(FILES, (kept, neutral)):
        write_text(folder / file, "".join(f"{json.dumps(asdict(d), ensure_ascii=False)}\n" for d in several))
    ours, theirs = (sum(len(_ids(simulator, d.text)) for d in several) for several in (kept, neutral))
    if abs(theirs - ours) > UNEVEN * ours:
        raise TreatmentNotApplied(f"the neutral documents hold {theirs} tokens and the others {ours}")
    return Corpus(tuple(kept), tuple(neutral), tried, ours, theirs)


def _kept(origin: Source, number: int, folder: Path, seed: int, progress: Progress) -> tuple[list[Document], int]:
    """The first `number` that are kept, and how many were tried for that."""
    kept: list[Document] = []
    tried = 0
    for batch in count():
        part = folder / f"{batch:04d}.json"
        if not part.exists():
            write_json(part, origin.batch(batch, seed))
        for document in (Document(**found) for found in read_json(part)):
            tried += 1
            kept += [document] if document.kept else []
            if len(kept) == number:
                progress(number, number)
                return kept, tried
        progress(len(kept), number)
        asked = BATCH * (batch + 1)
        if asked >= PATIENCE and len(kept) < LEAST * asked:
            raise RunFailed(
                f"of {asked} documents {len(kept)} speak for {origin.persona.name} more than for anybody else: "
                "this model cannot enact it; a larger one, or a plainer description, may"
            )
    raise AssertionError("counting does not end")


def _partners(
    origin: Source,
    simulator: "LocalSimulator",
    kept: Sequence[Document],
    folder: Path,
    seed: int,
    progress: Progress,
) -> list[Document]:
    """For each of `kept` a neutral document, cut to its tokens."""
    found: list[Document] = []
    for first in range(0, len(kept), BATCH):
        part, block = folder / f"{first // BATCH:04d}.json", kept[first : first + BATCH]
        if not part.exists():
            texts = origin.neutral(block, first // BATCH, seed)
            spare = "\n".join(texts)  # for those that are too short: more that is neutral
            cut = [_cut(simulator, f"{t}\n{spare}", d.text) for t, d in zip(texts, block, strict=True)]
            write_json(part, [Document(d.form, text, d.opening) for d, text in zip(block, cut, strict=True)])
        found += [Document(**document) for document in read_json(part)]
        progress(len(found), len(kept))
    return found


def _cut(simulator: "LocalSimulator", text: str, partner: str) -> str:
    """As many tokens of `text` as its partner has."""
    most = len(_ids(simulator, partner))
    return str(simulator.tokenizer.decode(_ids(simulator, text)[:most], skip_special_tokens=True))


def _ids(simulator: "LocalSimulator", text: str) -> list[int]:
    """The tokens of a document that training puts loss on: all of it."""
    encoded = simulator.dialogue.encode(Document("", text).episode, window=UNBOUNDED)
    return encoded.ids[encoded.start :]
