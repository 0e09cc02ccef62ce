"""The rows of a file, whatever holds them, one at a time.

`limit` keeps the first so many rows, and nothing after them is looked at.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from personae.data.border import existing_file
from personae.data.lines import Row, json_rows
from personae.data.text_lines import ONE_A_LINE
from personae.errors import BadInput


def read_rows(path: str | Path, *, limit: int | None = None) -> Iterator[Row]:
    """The rows of the file in order, the first `limit` of them. A missing file is refused at the call."""
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} leaves no rows", file=path, remedy="use a limit of 1 or more")
    return islice(_rows(existing_file(path)), limit)


def _rows(path: Path) -> Iterator[Row]:
    empty = True
    for row in json_rows(path):
        empty = False
        yield row
    if empty:
        raise BadInput("the file is empty", file=path, remedy=ONE_A_LINE)
