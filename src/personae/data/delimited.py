"""The rows of a table in text, under a header: tabs between the columns (TSV), commas (CSV) or semicolons.

Columns are called by their names in lower case, and one without a name (an index) is left out; a cell is text without
the space around it, and an empty cell null. Quotes are CSV's: they hold a comma or a line break in one cell, which may
have `LONGEST_LINE` characters. In a TSV they are so where all names of the header are in quotes; otherwise a quote is a
character like any other there, and a cell that is quoted as in CSV is refused. A header between semicolons, or of one
column, is known by the keys of a form.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from personae.data.border import quoted, repeated
from personae.data.lines import Row
from personae.data.text_lines import LONGEST_LINE, text_lines
from personae.errors import BadInput

_NAME = r'"?[\w-]+( [\w-]+){0,2}"?'  # three words at most: a sentence is no header
_NAMES = re.compile(rf"(|{_NAME} ?), ?{_NAME}( ?, ?{_NAME})*")  # of a numbered table the first has no name


def is_header(line: str, forms: Iterable[Sequence[str]] = ()) -> bool:
    r"""Whether a line names the columns of a table: by its looks, or since all keys of one of the `forms` are there.

    >>> is_header("Question\tAnswer\n"), is_header("text,key\n"), is_header(",text,key\n"), is_header("name: a, b\n")
    (True, True, True, False)
    >>> [is_header("text,key,alpha (a)\n", forms) for forms in ([], [("text", "key")])]
    [False, True]
    >>> is_header("text;key\n", [("text", "key")]), is_header("prompt\n", [("prompt",)]), is_header("#\tin YAML\n")
    (True, True, False)
    """
    if ("\t" in line.strip() and not line.startswith("#")) or _NAMES.fullmatch(line.strip()):
        return True
    names = set(_names(line, _between(line)))
    return any(names.issuperset(keys) for keys in forms)


def table_rows(path: Path) -> Iterator[Row]:
    """The rows under the header in order; a row's line is the last that it reaches."""
    lines = text_lines(path)
    above, header = next((line, text) for line, text in lines if text.strip())
    between = _between(header)
    names = _names(header, between)
    if twice := repeated(names):
        found = f"two columns are called {quoted([twice])}"
        raise BadInput(found, file=path, line=above, remedy="rename or remove one")
    for index, (line, cells) in enumerate(_cells(path, lines, above, header)):
        if len(cells) != len(names):
            found = f"a row of {len(cells)} under a header of {len(names)} columns"
            raise BadInput(found, file=path, line=line, remedy="give every row the columns of the header")
        named = zip(names, cells, strict=True)
        yield Row(path, line, index, {name: cell.strip() or None for name, cell in named if name})


def _between(header: str) -> str:
    """What stands between the columns: tabs, commas, or semicolons where there are no commas."""
    return "\t" if "\t" in header.strip() else ";" if ";" in header and "," not in header else ","


def _names(header: str, between: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in header.split(between)]


def _cells(path: Path, lines: Iterator[tuple[int, str]], above: int, header: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank; `above` lines came before, the last of them the `header`."""
    csv.field_size_limit(LONGEST_LINE)  # of the whole process; the library's own is an answer of 131,072 characters
    texts = (text for _, text in lines)
    between = _between(header)
    plain = between == "\t" and not all(map(_in_quotes, header.rstrip("\r\n").split(between)))
    rows = csv.reader(texts, delimiter=between, quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL, strict=True)
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as broken:
            line, shown = above + rows.line_num, str(broken).replace("\t", "\\t")
            raise BadInput(f"broken CSV: {shown}", file=path, line=line, remedy="check the quotes") from None
        if cells is None:
            return
        line = above + rows.line_num
        if plain and any(map(_is_quoted, cells)):
            remedy = "write the table with commas, or without quotes around a cell"
            raise BadInput("a cell is quoted as in CSV", file=path, line=line, remedy=remedy)
        if any(cell.strip() for cell in cells):
            yield line, cells


def _in_quotes(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _is_quoted(cell: str) -> bool:
    """Whether a cell is in quotes and has others inside, each written twice."""
    inside = cell[1:-1]
    return _in_quotes(cell) and '""' in inside and '"' not in inside.replace('""', "")
