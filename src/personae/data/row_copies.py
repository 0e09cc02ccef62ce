"""Some rows of a file as a file of their own: lines as they stand where a row is a line, messages otherwise.

A row of JSON Lines keeps every byte of its line, keys that no reader knows among them; only a byte-order mark is left
out, and a last line without an end gets one. Packed stays packed. Rows of any other container (see `rows`) are written
as {"messages": [...]} and the keys that came with them. One line is in memory at a time.
"""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from personae.data.rows import container
from personae.data.text_lines import is_packed, text_lines
from personae.data.writers import write_episodes
from personae.errors import BadInput, RunFailed
from personae.records import Episode
from personae.records.files import whole_file


def copy_name(source: Path, stem: str) -> str:
    """What a copy of rows of `source` is called: its form is told by the name."""
    return f"{stem}.jsonl.gz" if container(source) == "lines" and is_packed(source) else f"{stem}.jsonl"


def check_copies(source: Path, first: Episode) -> None:
    """Raise `BadInput` where rows of `source`, of which `first` is one, could not be written as rows."""
    if container(source) != "lines" and first.form == "text":
        remedy = 'write each row as {"messages": [...]} first'
        raise BadInput("rows of raw text cannot be written as chat messages", file=source, remedy=remedy)


def copy_rows(source: Path, target: Path, kept: Iterable[Episode]) -> int:
    """Write the rows of `source` that are `kept`, in its order, to `target`; how many there were.

    Raises `RunFailed` where `source` no longer holds one of them.
    """
    if container(source) != "lines":
        return write_episodes(target, kept)
    count = 0
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(whole_file(target))
        if target.suffix == ".gz":
            file = cast("BinaryIO", stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0)))
        for line in _lines(source, (episode.index + 1 for episode in kept)):
            file.write(line)
            count += 1
    return count


def _lines(source: Path, wanted: Iterator[int]) -> Iterator[bytes]:
    """The lines with the rising numbers `wanted`, each with an end."""
    number = next(wanted, None)
    for line, text in text_lines(source):
        if number is None:
            return
        if line == number:
            yield (text if text.endswith("\n") else f"{text}\n").encode()
            number = next(wanted, None)
    if number is not None:
        raise RunFailed(f"{source} has no line {number} any more; it was changed while it was read")
