"""The models that have a name of their own: what is declared in `models.yaml`, and where each lies on this machine."""

import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ConfigDict

from personae.records.base import Noun

LAB = "lab"
LABS = "lab/"  # of which every study's own checkpoints have their names


class Listed(Noun):
    """A named model. `packages` (in order, at `version`) hold it as one GGUF file of `bytes` and `sha256`.

    One of the laboratory's is shipped with this package, or was `made_by` a command.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    name: str
    about: str
    licence: str
    hub: str = ""
    packages: tuple[str, ...] = ()
    version: str = ""
    quantisation: str = ""
    bytes: int = 0
    sha256: str = ""
    made_by: str = ""

    @property
    def status(self) -> Literal["ready", "to get", "to make"]:
        """Whether it can be loaded now, has to be fetched, or has to be made by a command."""
        return "ready" if self.ready else "to make" if self.made_by else "to get"

    @property
    def how_to_make(self) -> str:
        """Where the laboratory's model would be after its command, in words."""
        kept = self.made_by.partition("--keep-at ")[2].split(" ")[0]
        return f"make it with `{self.made_by} --out DIR` and name DIR/model{f'-at-{kept}' if kept else ''}"

    @property
    def folder(self) -> Path:
        """Where the checkpoint lies once it is ready."""
        library = Path(str(files("personae"))) / "library"
        if self.name == LAB:
            return library / "lab_model"
        if self.name.startswith(LABS):
            return library / "lab_models" / self.name.removeprefix(LABS)
        return cache_folder() / "models" / self.name

    @property
    def ready(self) -> bool:
        """Whether it can be loaded now, with no network."""
        return (self.folder / "config.json").is_file()


@cache
def listed() -> tuple[Listed, ...]:
    """All named models, in the order of the file."""
    text = (files("personae.simulator") / "models.yaml").read_text(encoding="utf-8")
    return tuple(Listed(name=name, **entry) for name, entry in yaml.safe_load(text).items())


def find(name: str) -> Listed | None:
    """The named model called `name`, or whose Hub id that is."""
    wanted = name.strip().lower()
    return next((m for m in listed() if wanted and wanted in (m.name.lower(), m.hub.lower())), None)


def cache_folder() -> Path:
    """`$PERSONAE_CACHE`, or `personae` in the user's cache folder."""
    if own := os.environ.get("PERSONAE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "personae"
