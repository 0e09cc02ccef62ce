"""A run folder: complete, re-readable, resumed by the same command and refused to any other.

`run.json` holds the configuration, its digest, versions and times, and alone holds what varies from run to run; every
other file is the same, byte for byte, for the same seed on the same machine. A run that was killed goes on from the
files it has; a finished one is shown again.
"""

import json
import platform
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from personae import __version__
from personae.errors import BadInput, RunFolderMismatch
from personae.records.files import digest, plain, write_json

RECORD = "run.json"
KEYS = {"command": str, "configuration": dict, "digest": str, "finished": bool, "started": int | float}
LIBRARIES = ("torch", "transformers", "trl", "peft", "numpy")


@dataclass(frozen=True)
class RunFolder:
    """The folder `path` of one run of `command` with one `configuration`.

    This process opened it at `opened` (monotonic seconds), when others had spent `before` seconds on it.
    """

    path: Path
    command: str
    configuration: dict[str, Any]
    before: float = field(default=0.0, compare=False)
    opened: float = field(default_factory=time.monotonic, compare=False)

    @property
    def finished(self) -> bool:
        """Whether this very run has already ended well."""
        return bool(read_record(self.path)["finished"])

    def file(self, name: str) -> Path:
        """Where the file called `name` stands."""
        return self.path / name

    def spend(self, stage: str, seconds: float) -> None:
        """Add to what a stage took, over all processes that worked on this run; not where it has ended already."""
        record = read_record(self.path)
        if not record["finished"]:
            stages = record.setdefault("stages", {})
            stages[stage] = round(stages.get(stage, 0.0) + seconds, 1)
            write_json(self.file(RECORD), record)

    @property
    def spent(self) -> float:
        """Seconds of this process and of the stages of the processes before it, with no time between them."""
        return round(self.before + time.monotonic() - self.opened, 1)

    def finish(self, **more: Any) -> None:  # noqa: ANN401 - what a command wants to keep, as JSON
        """Note that the run has ended well, the `seconds` spent on it, and `more` about it."""
        record = read_record(self.path)
        record["finished"] = True
        record["seconds"] = self.spent
        write_json(self.file(RECORD), {**record, **plain(more)})


def open_folder(command: str, configuration: dict[str, Any], out: Path | None) -> RunFolder:
    """The folder of this run, new or as it was left; by default `runs/<command>-<first 8 of the digest>`.

    Raises `RunFolderMismatch` where `out` holds a run of another configuration, `BadInput` where it is a file, or
    its `run.json` is not one that this package wrote.
    """
    configured = plain(configuration)
    mark = _mark(command, configured)
    path = out or default_path(command, configuration)
    if path.exists() and not path.is_dir():
        raise BadInput("is a file, and a run takes a folder", file=path, remedy="name another --out")
    folder = RunFolder(path, command, configured)
    if folder.file(RECORD).exists():
        found = read_record(path)
        if found["digest"] != mark:
            raise RunFolderMismatch(
                _difference(found, command, configured), file=path, remedy="name another --out, or remove the folder"
            )
        return replace(folder, before=sum(found.get("stages", {}).values()))
    write_json(
        folder.file(RECORD),
        {
            "command": command,
            "configuration": configured,
            "digest": mark,
            "finished": False,
            "started": time.time(),
            "versions": _versions(),
        },
    )
    return folder


def default_path(command: str, configuration: dict[str, Any]) -> Path:
    """Where this run is kept unless another place is named."""
    return Path("runs") / f"{command.replace(' ', '-')}-{_mark(command, plain(configuration))[:8]}"


def _mark(command: str, configured: dict[str, Any]) -> str:
    return digest({"command": command, "configuration": configured})


def read_record(path: Path) -> dict[str, Any]:
    """What the `run.json` of the folder `path` holds; `BadInput` where it is broken or lacks what every one has."""
    file, remedy = path / RECORD, f"name another --out, or delete the folder {path}"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        raise BadInput(f"broken JSON ({problem.msg})", file=file, line=problem.lineno, remedy=remedy) from problem
    except UnicodeDecodeError as problem:
        raise BadInput("is not UTF-8 text", file=file, remedy=remedy) from problem
    if not isinstance(found, dict):
        raise BadInput("is not a JSON object", file=file, remedy=remedy)
    for key, kind in KEYS.items():
        if not isinstance(found.get(key), kind):
            raise BadInput(f"is no record of a run: {key!r} is missing or of another kind", file=file, remedy=remedy)
    return found


def _difference(found: dict[str, Any], command: str, configured: dict[str, Any]) -> str:
    if found["command"] != command:
        return f"holds a run of `personae {found['command']}`"
    before = found["configuration"]
    keys = [k for k in sorted({*before, *configured}) if before.get(k) != configured.get(k)]
    shown = ", ".join(f"{k} was {before.get(k)!r} and is now {configured.get(k)!r}" for k in keys[:3])
    return f"holds a run of another configuration: {shown}"


def _versions() -> dict[str, str]:
    found = {"personae": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
