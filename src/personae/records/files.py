"""How results are written and read: canonical JSON, parquet for arrays, and never half a file.

The same values give the same bytes. A file appears under its name only once it is complete (written beside, then
renamed), so a kill leaves the old one or the new one. One that was damaged since is `Damaged` as it is read.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import BaseModel

from personae.errors import DISK_FULL, BadInput, RunFailed


class Damaged(BadInput, ValueError):
    """A file that this package wrote and that can be read no more; a `ValueError` for whoever makes it anew."""

    def __init__(self, file: Path) -> None:
        super().__init__("is damaged", file=file, remedy="remove it; the command that made it makes it again")


def plain(value: Any) -> Any:  # noqa: ANN401 - the point is to take anything
    """`value` as JSON's own types: records become objects, arrays lists, and a number that is not finite null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def canonical(value: Any) -> str:  # noqa: ANN401
    """`value` as JSON text with sorted keys and no spaces: what a digest is taken over."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:  # noqa: ANN401
    """sha256 (hex) of the canonical form of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """sha256 (hex) of a file's bytes; of a folder, of the names and digests of all files in it."""
    if path.is_dir():
        return digest({f.relative_to(path).as_posix(): digest_file(f) for f in path.rglob("*") if f.is_file()})
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_code(folder: Path) -> list[str]:
    """Digests of the modules of a package, which lie in `folder`: what is kept of results must not outlive them."""
    return [digest_file(file) for file in sorted(folder.glob("*.py"))]


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """What is written here becomes the file `path`, whole or not at all. Raises `RunFailed` where the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as problem:
        room, said = "free some space or " if problem.errno in DISK_FULL else "", problem.strerror or problem
        remedy = f"{room}name another --out (PERSONAE_CACHE for a file of the cache)"
        raise RunFailed(f"{path}: cannot be written ({said}); {remedy}") from problem


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with whole_file(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    """Write `value` as readable JSON with sorted keys."""
    write_text(path, json.dumps(plain(value), sort_keys=True, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file; what cannot be made of them is `Damaged`. A file that is not there stays an `OSError`."""
    with path.open("rb") as file:
        try:
            yield file
        except (ValueError, OSError) as problem:
            if isinstance(problem, OSError) and problem.errno is not None:
                raise  # the disk's
            raise Damaged(path) from problem


def read_json(path: Path) -> Any:  # noqa: ANN401
    """The value in a JSON file that this package wrote."""
    with _reading(path) as file:
        return json.load(file)


def write_arrays(path: Path, columns: dict[str, Any]) -> None:
    """Write equal-length columns as one parquet file."""
    write_array_groups(path, [columns])


def write_array_groups(path: Path, groups: Iterable[dict[str, Any]]) -> None:
    """Write columns that come in groups of rows as one parquet file, a row group each; one of them is in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with whole_file(path) as file, ExitStack() as stack:
        writer = None
        for columns in groups:
            table = pa.table(columns)
            writer = writer or stack.enter_context(pq.ParquetWriter(file, table.schema, compression="zstd"))
            writer.write_table(table)


def read_arrays(path: Path) -> dict[str, Any]:
    """{column: array} of a parquet file."""
    import pyarrow.parquet as pq

    with _reading(path) as file:
        return _arrays(pq.read_table(file))


def read_array_groups(path: Path) -> Iterator[dict[str, Any]]:
    """The same, a row group at a time."""
    import pyarrow.parquet as pq

    with _reading(path) as file, pq.ParquetFile(file) as whole:
        for number in range(whole.num_row_groups):
            yield _arrays(whole.read_row_group(number))


def count_rows(path: Path) -> int:
    """How many rows a parquet file has, from its footer."""
    import pyarrow.parquet as pq

    with _reading(path) as file:
        return int(pq.read_metadata(file).num_rows)


def _arrays(table: Any) -> dict[str, Any]:  # noqa: ANN401 - pyarrow's
    return {name: table[name].to_numpy() for name in table.column_names}
