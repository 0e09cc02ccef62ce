"""The laboratory's model from its world: documents, a small Llama that learns to continue them, an examination, a card.

Block b of the corpus is drawn from (seed, b) alone, so a killed run goes on with the documents it would have had.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.errors import BadInput
from personae.records import Progress
from personae.records.files import write_text
from personae.world import Language, World, declared, documents
from personae.world.documents import block_of_documents, statistics

if TYPE_CHECKING:
    from personae.training.new_model import PretrainPlan
    from personae.workflows.kept.folder import RunFolder

QUICK_TOKENS = 9_000_000  # about ten minutes on two cores
SHOWN = 3  # documents


@dataclass(frozen=True)
class Corpus:
    """Documents of a world: the first few, and counts; `file` None where they were only looked at."""

    world: str
    file: Path | None
    first: tuple[str, ...]
    statistics: dict[str, Any]


def corpus(world: World, number: int, out: Path | None, seed: int, progress: Progress | None = None) -> Corpus:
    """`number` documents of `world`, written to `out` (a blank line between two) if given, and counted."""
    found: list[str] = []
    for text in islice(documents(world, np.random.default_rng([seed, 0])), number):
        found.append(text)
        if progress and (len(found) % 500 == 0 or len(found) == number):
            progress(len(found), number)
    if out:
        write_text(out, "\n".join(found))
    return Corpus(world.name, out, tuple(found[:SHOWN]), statistics(found))


def blocks(world: World, seed: int) -> Callable[[int, int], Sequence[str]]:
    """The corpus by blocks: (block, number of documents) -> documents, in a form that other processes can be given."""
    return partial(block_of_documents, world.name, seed)


def plan_for(
    *, quick: bool = False, tokens: int | None = None, width: int | None = None, seed: int = 0
) -> "PretrainPlan":
    """The plan of the shipped model; with `quick` a short one; with `tokens` one of that length, `width` of that width.

    Raises `BadInput` for a width that the heads cannot share, and for two lengths.
    """
    from personae.training.new_model import PretrainPlan

    if quick and tokens is not None:
        raise BadInput("--quick and --tokens both say how long to train", remedy="give one of the two")
    plan = PretrainPlan(seed=seed)
    if width is not None:
        if width % (2 * plan.heads):
            raise BadInput(
                f"a width of {width} cannot be shared by {plan.heads} heads", remedy=f"a multiple of {2 * plan.heads}"
            )
        plan = replace(plan, width=width)
    if tokens is None:
        return replace(plan, tokens=QUICK_TOKENS) if quick else plan
    return replace(plan, tokens=tokens)


def pretrained(
    world: World,
    plan: "PretrainPlan",
    folder: "RunFolder",
    on_step: Callable[[int, int, float], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
    keep_at: Sequence[int] = (),
) -> dict[str, Any]:
    """The card of the model in `folder.file("model")`, trained and examined there unless that was done before.

    `keep_at`: numbers of tokens at which the model is kept on the way, as `model-at-TOKENS`, with a card of its own.
    The vocabulary is that of the declared world, whatever the world. Raises `BadInput` where a finished run has not
    kept the model there.
    """
    from personae.training.pretrain import pretrain
    from personae.workflows.train.model_card import read_card

    model = folder.file("model")
    if not folder.finished:
        words = blocks(declared(), plan.seed)
        pretrain(blocks(world, plan.seed), plan, folder.path, on_step, keep_at=keep_at, words=words)
        for tokens in sorted(keep_at):
            say(f"examining what it had learned by {tokens:,} tokens")
            examine(folder.file(f"model-at-{tokens}"), world, plan, tokens)
        say("examining what it has learned")
        examine(model, world, plan)
        folder.finish()
    folder.file("state.pt").unlink(missing_ok=True)  # the optimisers' state, of no use once it is done
    if lacking := [t for t in keep_at if not folder.file(f"model-at-{t}").exists()]:
        raise BadInput(
            f"the run is finished, and has not kept its model at {lacking[0]} tokens",
            file=folder.path,
            remedy="begin anew with another --out",
        )
    return read_card(model)


def examine(model: Path, world: World, plan: "PretrainPlan", kept_at: int | None = None) -> None:
    """Leave a card with what it has learned in the checkpoint folder `model`."""
    from personae.simulator.registry import load
    from personae.workflows.train.card import learned
    from personae.workflows.train.model_card import write_card

    found = learned(load(str(model)), world, Language(world), np.random.default_rng([plan.seed, 9]))
    write_card(model, world, plan, found, kept_at)
