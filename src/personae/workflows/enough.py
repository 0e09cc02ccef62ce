"""Whether cast and traits are enough for what is to come, and fit the model, asked before anything is scored.

Reliability compares personas and items, so it takes two of each; of a trait's items a quarter, rounded down, measures
attenuation and scores nothing, and a training takes at least one such item. Source: PSM.md section 2, Definitions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from personae.errors import BadInput
from personae.records import Cast, Episode, Simulator, Trait, chat
from personae.simulator.dialogue import UNBOUNDED, Dialogue
from personae.theory.attenuation import FEWEST

PERSONAS = 2
SCORED = 2  # items of a trait: these are read, and of so few all of them score
TRAINED = 4  # items of a trait where a training follows: three score, one measures attenuation
SHORTEST = chat("?", "!")  # a dialogue that fits wherever any does


def check_enough(
    cast: Cast,
    traits: Sequence[Trait],
    *,
    items: int = SCORED,
    cast_file: Path | None = None,
    traits_file: Path | None = None,
    most: int = 0,
) -> None:
    """Raise `BadInput` for fewer personas than it takes (`items` say whether to train), or a trait of too few `items`.

    `most` is how many items of a trait the user asked for (0: all).
    """
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
    count, need = len(cast.personas), PERSONAS if items < TRAINED else FEWEST
    if count < need:
        takes = f"attenuation takes {need}" if count >= PERSONAS else "traits are read off how personas differ"
        found = f"the cast {cast.name!r} has {count} persona{'s' * (count != 1)}, and {takes}"
        raise BadInput(found, file=cast_file, remedy=f"give at least {need}")


def check_nouns_fit(
    simulator: Simulator,
    cast: Cast,
    traits: Sequence[Trait],
    *,
    cast_file: Path | None = None,
    traits_file: Path | None = None,
) -> None:
    """Raise `BadInput` for a context that the model cannot be given, or an item that the longest leaves no room for."""
    dialogue, window = getattr(simulator, "dialogue", None), getattr(simulator, "window", None)
    if dialogue is None or window is None:
        return
    form = traits[0].items[0].form
    whose, longest = longest_context(dialogue, cast, form, file=cast_file)
    with _named(f"the shortest dialogue under the context of {whose!r}", SHORTEST, cast_file):
        dialogue.encode(SHORTEST.model_copy(update={"form": form}), longest, window=window)
    for trait in traits:
        for item in trait.items:
            for answer in item.episodes():
                what = f"the item {item.id!r} of {trait.name!r}, under the context of {whose!r}"
                with _named(what, answer, traits_file):
                    dialogue.encode(answer, longest, window=window)


def longest_context(dialogue: Dialogue, cast: Cast, form: str, *, file: Path | None = None) -> tuple[str, str]:
    """Whose context has most tokens before rows of this `form`, and that context.

    Raises `BadInput` for one that cannot stand there, since it spells a control token.
    """
    sizes, row = {}, SHORTEST.model_copy(update={"form": form})
    for name, context in zip(cast.names, cast.contexts, strict=True):
        with _named(f"the context of {name!r}", row, file):
            sizes[name, context] = len(dialogue.encode(row, context, window=UNBOUNDED).ids)
    return max(sizes, key=lambda one: sizes[one])


@contextmanager
def _named(what: str, row: Episode, file: Path | None) -> Iterator[None]:
    """Say what it is, in which of the user's files, where its `row` cannot be put to the model."""
    try:
        yield
    except BadInput as found:
        problem = found.problem.removeprefix(f"{row.where}: ")
        remedy = "shorten or reword it, leave it out, or use another model"
        raise BadInput(f"{what}: {problem}", file=file, remedy=remedy) from None
