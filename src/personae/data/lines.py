"""The rows of a JSON Lines file (.jsonl or .jsonl.gz), one at a time: memory stays flat however long the file is.

A row is one JSON object on one line. A byte-order mark, CRLF and blank lines are passed over; `limit` keeps the first
so many rows, and nothing after them is looked at. `NaN` and `Infinity`, which JSON does not know but Python writes, are
read as null. What cannot be read is a `BadInput` with the file, the line counted from 1, and what to do.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from personae.data.border import existing_file, found, unreadable
from personae.errors import BadInput

LONGEST_LINE = 64 * 2**20  # bytes; a longer line is no episode, and would not fit in memory beside the model
DEEPEST = 64  # levels of nesting; deeper values could not be written again

_DECODER = json.JSONDecoder(parse_constant=lambda _: None)
_ONE_A_LINE = "write one JSON object a line"
_OTHER_FORMATS = {
    b"PAR1": "a parquet file",
    b"ARROW1": "an Arrow file",
    b"PK\x03\x04": "a zip archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True)
class Row:
    """One object of a file: `index` counts rows from 0, `line` counts lines from 1."""

    file: Path
    line: int
    index: int
    value: dict[str, Any]

    def refusal(self, problem: str, remedy: str = "") -> BadInput:
        """The error that names this row."""
        return BadInput(problem, file=self.file, line=self.line, remedy=remedy)


def read_rows(path: str | Path, *, limit: int | None = None) -> Iterator[Row]:
    """The rows of the file in order, the first `limit` of them. A missing file is refused at the call."""
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} leaves no rows", file=path, remedy="use a limit of 1 or more")
    return _rows(existing_file(path), limit)


def _rows(path: Path, limit: int | None) -> Iterator[Row]:
    index = 0
    for line, raw in _lines(path):
        text = _decoded(raw, path, line)
        if not text.strip():
            continue
        yield Row(path, line, index, _parsed(text, path, line, first=index == 0))
        index += 1
        if index == limit:
            return
    if index == 0:
        raise BadInput("the file is empty", file=path, remedy=_ONE_A_LINE)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, bytes) of every line, unpacked if the file is gzip."""
    try:
        with path.open("rb") as file:
            start = file.peek(8)[:8]
            for magic, name in _OTHER_FORMATS.items():
                if start.startswith(magic):
                    raise BadInput(f"this is {name}, not JSON Lines", file=path, remedy=f"{_ONE_A_LINE}, as UTF-8")
            stream: BinaryIO = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if start.startswith(b"\x1f\x8b") else file
            yield from _numbered(stream, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise BadInput(f"the gzip data is damaged ({problem})", file=path, remedy="pack or copy it again") from None
    except (OSError, ValueError) as problem:
        raise unreadable(path, problem) from None


def _numbered(stream: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    line = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        line += 1
        if len(raw) > LONGEST_LINE:
            raise BadInput(f"longer than {LONGEST_LINE >> 20} MiB", file=path, line=line, remedy=_ONE_A_LINE)
        yield line, raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw


def _decoded(raw: bytes, path: Path, line: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        byte = f"byte {problem.start + 1} is 0x{raw[problem.start]:02x}"
        raise BadInput(f"not UTF-8 ({byte})", file=path, line=line, remedy="save the file as UTF-8") from None


def _parsed(text: str, path: Path, line: int, *, first: bool) -> dict[str, Any]:
    """The object that a line holds."""
    if first and text.lstrip().startswith("["):
        remedy = f"{_ONE_A_LINE}: jq -c '.[]' {path.name} > {path.stem}.jsonl"
        raise BadInput("the file is one JSON list, not JSON Lines", file=path, line=line, remedy=remedy)
    try:
        value = _DECODER.decode(text.rstrip("\r\n"))
    except json.JSONDecodeError as problem:
        whole = "the object must begin and end on this line" if text.strip() == "{" else _ONE_A_LINE
        what = f"broken JSON at column {problem.colno}: {problem.msg[0].lower()}{problem.msg[1:]}"
        raise BadInput(what, file=path, line=line, remedy=whole) from None
    except RecursionError:
        raise _too_deep(path, line) from None
    except ValueError:  # Python reads no integer of more than some thousands of digits
        raise BadInput("a number has too many digits", file=path, line=line, remedy="put it in quotes") from None
    if not isinstance(value, dict):
        raise BadInput(f"the line is {found(value)}, not an object", file=path, line=line, remedy=_ONE_A_LINE)
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        raise _too_deep(path, line)
    if "\\ud" in text or "\\uD" in text:
        _refuse_half_characters(value, path, line)
    return value


def _too_deep(path: Path, line: int) -> BadInput:
    return BadInput(f"nested more than {DEEPEST} deep", file=path, line=line, remedy="flatten the row")


def _depth(value: Any) -> int:  # noqa: ANN401 - any JSON value
    depth, level = 0, [value]
    while level:
        depth += 1
        inner = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, (dict, list))]
        level = [part for parts in inner for part in parts if isinstance(part, (dict, list))]
    return depth


def _refuse_half_characters(value: dict[str, Any], path: Path, line: int) -> None:
    """A lone surrogate is no text: no tokenizer takes it and no file can hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        problem = "half of a surrogate pair stands alone in a \\u escape"
        raise BadInput(problem, file=path, line=line, remedy="write the character itself, in UTF-8") from None
