"""The rows of a folder as the Hub lays a data set out: `train-00000-of-00002.parquet`, in it or in its folder `data`.

All shards of a split are read, one after the other in the order of their numbers. Of several splits `train` is read, or
the only one there is. A row's "line" is its number in the whole split, from 1.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from personae.data.lines import Row
from personae.data.tables import chosen_split, numbered, parquet_batches
from personae.errors import BadInput

_SHARD = re.compile(r"(?P<split>\w+(\.\w+)*)-(?P<number>\d{5,})-of-(?P<count>\d{5,})(-\w+)?\.parquet")
_ALONE = "name one file, or put one split's files in a folder of their own"


def is_sharded(folder: Path) -> bool:
    """Whether a folder holds such files."""
    return bool(_shards(folder))


def sharded_rows(folder: Path) -> Iterator[Row]:
    """The rows of the split that is read. Raises `BadInput` where one of its files is missing."""
    shards = _shards(folder)
    split = chosen_split(list(dict.fromkeys(found["split"] for _, found in shards)), folder, _ALONE)
    files = sorted((int(found["number"]), file) for file, found in shards if found["split"] == split)
    counts = {int(found["count"]) for _, found in shards if found["split"] == split}
    if counts != {len(files)} or [number for number, _ in files] != list(range(len(files))):
        problem = f"of the split {split!r} {len(files)} files are here, of {max(counts)}"
        raise BadInput(problem, file=folder, remedy="download the folder again, each file once")
    return numbered(folder, (batch for _, file in files for batch in parquet_batches(file)))


def _shards(folder: Path) -> list[tuple[Path, re.Match[str]]]:
    """The files that are named as shards, with what their names say: those of the folder itself, or else of `data`."""
    for place in (folder, folder / "data"):
        files = sorted(place.iterdir()) if place.is_dir() else []
        named = [(file, found) for file in files if (found := _SHARD.fullmatch(file.name)) and file.is_file()]
        if named:
            return named
    return []
