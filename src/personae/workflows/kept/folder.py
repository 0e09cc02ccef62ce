"""A run folder: complete, re-readable, resumed by the same command and refused to any other.

`run.json` holds the configuration, its digest, versions and times, and alone holds what varies from run to run; every
other file is the same, byte for byte, for the same seed on the same machine. A run that was killed goes on from the
files it has; a finished one is shown again. What a run would read again is believed only beside its `run.json`, and
while a run is not finished one process works on it.
"""

import json
import platform
import re
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from personae import __version__
from personae.errors import BadInput, RunFolderMismatch
from personae.records.files import canonical, digest, plain, write_json
from personae.workflows.kept.hold import Hold, hold

RECORD = "run.json"
KEYS = {"command": str, "configuration": dict, "digest": str, "finished": bool, "started": int | float}
LIBRARIES = ("torch", "transformers", "trl", "peft", "numpy")
OWN = (  # what a run takes for its own where it finds it, and the page that it writes over
    "adapters/control-*",
    "adapters/treated-*",
    "archetype.parquet",
    "base-levels.parquet",
    "basis.parquet",
    "documents/0000.json",
    "evidence.*parquet",
    "evidence-control.*parquet",
    "forecast.json",
    "in-context*.parquet",
    "leakage.json",
    "numerics.json",
    "post-contexts.parquet",
    "post-levels.parquet",
    "profile.json",
    "report.html",
    "sample/*.parquet",
    "scores.*parquet",
    "tokens.json",
    "trained-*",
    "untrained-coherence.json",
)
MARK = re.compile("[0-9a-f]{64}")
MARKED = {  # of what a configuration holds the digest, and the options that change it
    "cast": "cast (--cast)",
    "model_digest": "weights of the model",
    "data": "content of the files, or control (--against)",
    "traits": "traits or items (--traits, --items)",
    "beside": "items outside the Assistant's turn",
    "outside": "items outside the Assistant's turn",
}


@dataclass(frozen=True)
class RunFolder:
    """The folder `path` of one run of `command` with one `configuration`.

    This process opened it at `opened` (monotonic seconds), when others had spent `before` seconds on it, and while this
    is there no other opens it, but where the run had ended already.
    """

    path: Path
    command: str
    configuration: dict[str, Any]
    before: float = field(default=0.0, compare=False)
    opened: float = field(default_factory=time.monotonic, compare=False)
    held: Hold | None = field(default=None, compare=False, repr=False)

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


def open_folder(
    command: str,
    configuration: dict[str, Any],
    out: Path | None,
    *,
    writes: Collection[str] = (),
    reads: Iterable[Path] = (),
) -> RunFolder:
    """The folder of this run, new or as it was left; by default `runs/<command>-<first 8 of the digest>`.

    Raises `RunFolderMismatch` where `out` holds a run of another configuration; `BadInput` where it is a file, its
    `run.json` is not one that this package wrote, it has files of a run, or files that this run `writes`, and no
    `run.json`, another process works there, or one of the files that the run `reads` is one that it `writes` there.
    """
    configured = plain(configuration)
    mark = _mark(command, configured)
    path = out or default_path(command, configuration)
    if path.exists() and not path.is_dir():
        raise BadInput("is a file, and a run takes a folder", file=path, remedy="name another --out")
    check_spared(path, writes, reads)
    if (path / RECORD).exists():
        found = read_record(path)
        if found["digest"] != mark:
            raise RunFolderMismatch(
                _difference(found, command, configured), file=path, remedy="name another --out, or remove the folder"
            )
        held = None if found["finished"] else hold(path)
        return RunFolder(path, command, configured, sum(found.get("stages", {}).values()), held=held)
    _check_free(path, writes)
    folder = RunFolder(path, command, configured, held=hold(path))
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


def check_spared(path: Path, names: Iterable[str], files: Iterable[Path]) -> None:
    """Raise `BadInput` where one of the `files` that a run reads is one that it writes, in `path` by one of `names`."""
    written = {(path / name).resolve() for name in names}
    for file in files:
        if file.resolve() in written:
            raise BadInput("the run would write over this file, which it reads", file=file, remedy="name another --out")


def _check_free(path: Path, writes: Iterable[str]) -> None:
    """Raise `BadInput` where `path`, which has no record, has files that a run would take for its own or `writes`."""
    own = sorted(file.relative_to(path).as_posix() for pattern in OWN for file in path.glob(pattern))
    own += [name for name in writes if (path / name).exists()]
    if own:
        found = f"holds {own[0]}, as a run leaves it, and no {RECORD} that says which run"
        raise BadInput(found, file=path, remedy="name another --out")


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
    shown = ", ".join(_changed(k, before.get(k), configured.get(k)) for k in keys[:3])
    return f"holds a run of another configuration: {shown}"


def _changed(key: str, was: Any, now: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """What differs: both values, or in words where they are digests."""
    if MARK.search(canonical([was, now])):
        return f"another {MARKED.get(key, key.replace('_', ' '))}"
    return f"{key} was {was!r} and is now {now!r}"


def _versions() -> dict[str, str]:
    found = {"personae": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
