"""Which cast and traits fit a model: those of the world it was pretrained on, or the built-in ones for a real model.

A model that `personae pretrain` made carries a card that names its world, and so does one that `personae train` made of
it; another names its base, a folder beside it or what it is called everywhere. This is the only place that asks. A
served model is taken for the one of its name on this machine. A cast or traits of the user's own come first.
"""

import json
from collections.abc import Callable
from pathlib import Path

from personae import library
from personae.data import read_cast, read_trait_file
from personae.errors import BadInput
from personae.records import Cast, Trait
from personae.simulator.address import stands_for
from personae.simulator.hub import kept_snapshot
from personae.simulator.listing import find
from personae.simulator.locating import HUB_ID, base_named, path_or_listed
from personae.world import Language, World, cast, traits, world_named

CARD, TRAINING, ADAPTER = "card.json", "training.json", "adapter_config.json"


def nouns(
    model: str,
    cast_file: Path | None = None,
    traits_file: Path | None = None,
    told: Callable[[str], object] = lambda _: None,
) -> tuple[Cast, tuple[Trait, ...]]:
    """The cast and the traits for the model called `model`, the user's own where a file is given.

    `told` is given a note on what in the traits' file is in no item, "" where there is nothing to say.
    """
    read = read_trait_file(traits_file) if traits_file else None
    told(read.note() if read else "")
    own = (read_cast(cast_file) if cast_file else None, read.traits if read else None)
    if own[0] and own[1]:
        return own[0], own[1]
    world = world_of(model)
    if world is None:
        return own[0] or library.cast(), own[1] or library.traits()
    language = Language(world)
    return own[0] or cast(world, language, declared_prior=False), own[1] or traits(world, language)


def reference_for(model: str) -> Path | None:
    """The plain answers that a file for the model called `model` is read against, None for a generated world's model.

    The Assistant of a generated world is the prior itself, exactly; that of a real model has habits, which any file of
    plain answers would teach as well.
    """
    return library.example("plain") if world_of(model) is None else None


def world_of(model: str) -> World | None:
    """The generated world that a model was pretrained on; None for a model of the real world.

    Raises `BadInput` where only a base could tell and it is not found, or where bases lead round in a circle.
    """
    named: str | None = model
    passed: list[Path] = []
    while named is not None:
        folder = _folder(named)
        if folder.resolve() in passed:
            remedy = f"write into its {TRAINING} (`base`) what it was trained from"
            raise BadInput(f"its bases lead in a circle, back to {named}", file=model, remedy=remedy)
        passed.append(folder.resolve())
        for card in (_json(folder / CARD), _json(folder / TRAINING)):
            if "world" in card:
                return world_named(card["world"]) if isinstance(card["world"], str) else None
        named = base_of(named)
        if named is not None:
            _check_found(named, folder)
    return None


def training_card(model: str) -> dict[str, object]:
    """The card of the training that made the model called `model`; empty where there is none."""
    return _json(_folder(model) / TRAINING)


def base_of(model: str) -> str | None:
    """The model that the checkpoint or adapter called `model` says it was trained from; None where it says nothing."""
    folder = _folder(model)
    base = training_card(model).get("base") or _json(folder / ADAPTER).get("base_model_name_or_path")
    if not isinstance(base, str) or base == stands_for(model):
        return None
    return base_named(folder, base)


def _check_found(base: str, trained: Path) -> None:
    """Raise `BadInput` where the base of a checkpoint, which can be used without it, is not on this machine."""
    listed = find(base)
    real = listed is not None and not listed.made_by
    if real or _folder(base).exists() or (trained / ADAPTER).is_file():  # an adapter is refused as it is read
        return
    if HUB_ID.fullmatch(base) and kept_snapshot(base):
        return
    raise BadInput(
        f"its base {base} is not found, so whose cast and traits fit it cannot be told",
        file=trained / TRAINING,
        remedy='write there (`base`) where that model lies, or `"world": null` where it is a real one',
    )


def _folder(model: str) -> Path:
    """Where the model called `model` would lie on this machine."""
    folder, listed = path_or_listed(stands_for(model))
    return folder if listed is None else listed.folder


def _json(path: Path) -> dict[str, object]:
    """What a JSON file holds; nothing where there is none, or it is no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
