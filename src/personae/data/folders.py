"""The files of a folder that a noun is read from, and what a file without a name inside calls its noun."""

from pathlib import Path

from personae.data.shards import is_sharded
from personae.data.tables import is_saved
from personae.errors import BadInput

STRUCTURED = (".yaml", ".yml", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow")


def files_of(path: Path, *, also: tuple[str, ...] = ()) -> list[Path]:
    """The file itself, or the files of a folder that may hold rows, by name; `.gz` after the ending packs one.

    A folder that holds a data set, saved or in shards, is one file.
    """
    try:
        if not path.is_dir() or is_saved(path) or is_sharded(path):
            return [path]
        inside = sorted(path.iterdir())
    except (OSError, ValueError):
        return [path]  # whoever opens it says why it cannot be read
    endings = STRUCTURED + also
    files = [f for f in inside if ending(f) in endings and not f.name.startswith(".") and f.is_file()]
    if files:
        return files
    below = folders_in(path)
    remedy = f"name a folder in it: {below}" if below else f"name a file, or a folder of {', '.join(endings)}"
    raise BadInput("the folder holds no file of a known ending", file=path, remedy=remedy)


def folders_in(path: Path) -> str:
    """The names of the first folders in a folder, in words; nothing where there is none, or where it is a file."""
    inside = sorted(path.iterdir()) if path.is_dir() else []
    return ", ".join([f.name for f in inside if f.is_dir() and not f.name.startswith(".")][:4])


def called(path: Path) -> str:
    """The name that a file gives to what is in it: its own without the ending."""
    if path.name in ("", ".."):
        path = path.resolve()  # only where it has no name: a link is called by its own
    name = path.name.removesuffix(".gz")
    return name[: len(name) - len(ending(path))] or path.name


def ending(path: Path) -> str:
    """The last ending of a file's name, in lower case, without the `.gz` of a packed one."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()
