"""The rows of a parquet file, an Arrow file, or a folder that the `datasets` library saved (`save_to_disk`).

Batches of `BATCH` rows are in memory at a time. A row's "line" is its number, from 1. Of a folder of splits `train` is
read, or the only one there is. What JSON has no word for (dates, decimals) becomes text, bytes become their number.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from personae.data.border import quoted
from personae.data.lines import Row
from personae.errors import BadInput

BATCH = 256
SAVED, SPLITS = "state.json", "dataset_dict.json"
MAGIC = {b"PAR1": "parquet", b"ARRO": "arrow", b"\xff\xff\xff\xff": "arrow"}


def parquet_rows(path: Path) -> Iterator[Row]:
    """The rows of a parquet file."""
    return numbered(path, parquet_batches(path))


def parquet_batches(path: Path) -> Iterator[list[Any]]:
    """The same as Python's objects, `BATCH` at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH):
                yield _values(path, batch)
    except (pa.ArrowException, OSError) as problem:
        raise _damaged(path, "parquet", problem) from None


def arrow_rows(path: Path) -> Iterator[Row]:
    """The rows of an Arrow file, of the stream or the file form."""
    yield from numbered(path, _batches(path))


def saved_rows(folder: Path) -> Iterator[Row]:
    """The rows of a saved data set, all its files one after the other."""
    folder = _split(folder)
    state = _json(folder / SAVED)
    if state.get("_indices_data_files"):
        problem = "rows of this data set are chosen by an index"
        raise BadInput(problem, file=folder, remedy="call flatten_indices() before save_to_disk()")
    names = _file_names(state, folder / SAVED)
    for name in names:
        if not (folder / name).is_file():
            raise BadInput(f"the data file {name!r} is missing", file=folder, remedy="copy the folder again")
    yield from numbered(folder, (batch for name in names for batch in _batches(folder / name)))


def _file_names(state: dict[str, Any], path: Path) -> list[str]:
    """The data files that a saved data set names: files of its own folder, and no others."""
    files = state.get("_data_files")
    found = [file.get("filename") for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    names = [name for name in found if isinstance(name, str) and Path(name).name == name]
    if not names or len(names) < len(found):
        raise BadInput("names no data files of this folder", file=path, remedy="save the data set again")
    return names


def is_saved(folder: Path) -> bool:
    """Whether a folder was made by `save_to_disk`."""
    return (folder / SAVED).is_file() or (folder / SPLITS).is_file()


def _split(folder: Path) -> Path:
    """The folder of the split that is read."""
    if not (folder / SPLITS).is_file():
        return folder
    names = _json(folder / SPLITS).get("splits")
    splits = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    name = chosen_split(splits, folder, "name the folder of one of them")
    if not (folder / name / SAVED).is_file():
        raise BadInput(f"the split {name!r} is missing", file=folder, remedy="copy the folder again")
    return folder / name


def chosen_split(splits: Sequence[str], folder: Path, remedy: str) -> str:
    """`train`, or the only split there is; `BadInput` where that does not tell."""
    if "train" in splits or len(splits) == 1:
        return "train" if "train" in splits else splits[0]
    raise BadInput(f"holds the splits {', '.join(splits[:8])} and no 'train'", file=folder, remedy=remedy)


def _batches(path: Path) -> Iterator[list[Any]]:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            if is_file:
                file = pa.ipc.open_file(source)
                batches = (file.get_batch(n) for n in range(file.num_record_batches))
            else:
                batches = iter(pa.ipc.open_stream(source))
            for batch in batches:
                for start in range(0, batch.num_rows, BATCH):
                    yield _values(path, batch.slice(start, BATCH))
    except (pa.ArrowException, OSError) as problem:
        raise _damaged(path, "Arrow", problem) from None


def _values(path: Path, batch: Any) -> list[Any]:  # noqa: ANN401 - pyarrow's own
    """The rows of a batch; Arrow's writers do not look whether text is UTF-8, or a date one of Python's."""
    columns: dict[str, list[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = column.to_pylist()
        except UnicodeDecodeError:
            raise BadInput("holds text that is not UTF-8", file=path, remedy="write it as UTF-8") from None
        except (OverflowError, ValueError) as problem:
            said = f"the column {quoted([name])} holds a value that cannot be read ({_shown(problem)})"
            raise BadInput(said, file=path, remedy="write that column as text, or drop it") from None
    return [{name: values[n] for name, values in columns.items()} for n in range(batch.num_rows)]


def numbered(path: Path, batches: Iterator[list[Any]]) -> Iterator[Row]:
    """The rows of all batches, counted on from one to the next."""
    index = 0
    for batch in batches:
        for value in batch:
            yield Row(path, index + 1, index, _plain(value))
            index += 1


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a column
    """The same in JSON's own types."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, float) and value - value != 0.0:  # not finite
        return None
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadInput("cannot be read as a JSON object", file=path, remedy="save the data set again")
    return value


def _damaged(path: Path, form: str, problem: Exception) -> BadInput:
    return BadInput(f"cannot be read as {form} ({_shown(problem)})", file=path, remedy="write or copy it again")


def _shown(problem: Exception) -> str:
    said = " ".join(str(problem).split())[:120]
    return "".join(c if c.isprintable() else "?" for c in said)
