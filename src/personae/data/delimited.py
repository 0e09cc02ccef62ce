"""The rows of a table in text, under a header: tabs between the columns (TSV), or commas (CSV).

Columns are called by their names in lower case; a cell is text without the space around it, and an empty cell null.
Quotes are CSV's: they hold a comma or a line break in one cell. In a TSV a quote is a character like any other.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from personae.data.lines import Row
from personae.data.text_lines import text_lines
from personae.errors import BadInput

_NAMES = re.compile(r'"?[\w .-]{1,40}"?(,"?[\w .-]{1,40}"?)+')


def is_header(line: str) -> bool:
    r"""Whether a line names the columns of a table.

    >>> is_header("Question\tAnswer\n"), is_header("text,key\n"), is_header("name: a, b\n")
    (True, True, False)
    """
    return "\t" in line.strip() or bool(_NAMES.fullmatch(line.strip()))


def table_rows(path: Path) -> Iterator[Row]:
    """The rows under the header in order; a row's line is the last that it reaches."""
    lines = (text for _, text in text_lines(path))
    header = next(line for line in lines if line.strip())
    tabs = "\t" in header.strip()
    names = [name.strip().strip('"').lower() for name in header.split("\t" if tabs else ",")]
    before = 1
    cells = csv.reader(
        lines, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL, strict=True
    )
    index = 0
    while True:
        try:
            row = next(cells, None)
        except csv.Error as problem:
            line = before + cells.line_num
            raise BadInput(f"broken CSV: {problem}", file=path, line=line, remedy="check the quotes") from None
        if row is None:
            return
        line = before + cells.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            problem = f"{len(row)} cells under a header of {len(names)}"
            raise BadInput(problem, file=path, line=line, remedy="give every row the columns of the header")
        yield Row(path, line, index, {name: cell.strip() or None for name, cell in zip(names, row, strict=True)})
        index += 1
