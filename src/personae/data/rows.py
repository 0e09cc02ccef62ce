"""The rows of a file, whatever holds them, one at a time; what holds them is told by the content, not by the name.

| container | begins with                                     | rows                      |
|-----------|--------------------------------------------------|---------------------------|
| lines     | a JSON object on one line                        | one a line                |
| document  | a JSON list, or an object over several lines     | its objects               |
| table     | a line with tabs, of names between commas, or of |
|           | the keys of a form                               | those under the header    |
| yaml      | anything else that is text                       | its mappings              |
| speeches  | `Name:` and words under it                       | one a speech              |
| creed     | a sentence that begins with I                    | one a line                |
| parquet, arrow, saved | their own marks                      | theirs                    |
| shards    | a folder with files as the Hub names them        | theirs, in order          |

Text may be packed with gzip. `limit` keeps the first so many rows, and nothing after them is looked at.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from personae.data.border import existing_file, found, unreadable
from personae.data.delimited import is_header, table_rows
from personae.data.documents import document_rows
from personae.data.lines import DECODER, Row, json_rows
from personae.data.marked import WRITE_SOMETHING, Marked, read_marked
from personae.data.prose import is_speech, is_statement, speech_rows, statement_rows
from personae.data.shards import is_sharded, sharded_rows
from personae.data.tables import MAGIC, arrow_rows, is_saved, parquet_rows, saved_rows
from personae.data.text_lines import ONE_A_LINE, text_lines
from personae.errors import BadInput

T = TypeVar("T")

_JSON = re.compile(r'[{\[]\s*(["{\]}]|$)')  # what begins otherwise, as {name: x}, is YAML

Container = Literal["lines", "document", "table", "yaml", "speeches", "creed", "parquet", "arrow", "saved", "shards"]


def read_rows(path: str | Path, *, limit: int | None = None) -> Iterator[Row]:
    """The rows of the file in order, the first `limit` of them. A missing file is refused at the call."""
    if limit is not None and limit < 1:
        raise BadInput(f"a limit of {limit} leaves no rows", file=path, remedy="use a limit of 1 or more")
    return islice(_rows(existing_data(path)), limit)


def existing_data(path: str | Path) -> Path:
    """`path` as a file, or as a folder that holds a data set, that is there; or `BadInput`."""
    path = Path(path)
    try:
        whole = path.is_dir() and (is_saved(path) or is_sharded(path))
    except (OSError, ValueError) as problem:
        raise unreadable(path, problem) from None
    return path if whole else existing_file(path)


def _rows(path: Path) -> Iterator[Row]:
    empty = True
    for row in _READERS[container(path)](path):
        empty = False
        yield row
    if empty:
        raise BadInput("the file is empty", file=path, remedy=WRITE_SOMETHING)


def kept(read: Callable[[Row], T], rows: Iterator[Row], refused: list[BadInput] | None) -> Iterator[T]:
    """What `read` makes of the rows; a row that it refuses goes to the list, where there is one."""
    for row in rows:
        try:
            value = read(row)
        except BadInput as problem:
            if refused is None:
                raise
            refused.append(problem)
            continue
        yield value


def container(path: Path) -> Container:
    """What holds the rows of a file. Raises `BadInput` where it is empty or no text."""
    if path.is_dir():
        return "saved" if is_saved(path) else "shards"
    if (known := MAGIC.get(_first_bytes(path))) is not None:
        return "parquet" if known == "parquet" else "arrow"
    lines = list(islice((text for _, text in text_lines(path) if text.strip()), 2))
    if not lines:
        raise BadInput("the file is empty", file=path, remedy=WRITE_SOMETHING)
    first = lines[0].strip()
    if _JSON.match(first):
        return "document" if _goes_on(first) else "lines"
    if is_header(first, _keys_of_forms()) and not is_statement(first):
        return "table"
    if is_speech(lines):
        return "speeches"
    return "creed" if is_statement(first) else "yaml"


def _keys_of_forms() -> Iterable[tuple[str, ...]]:
    from personae.data.forms import FORMS  # which is made of this module's rows

    return FORMS.values()


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except (OSError, ValueError) as problem:
        raise unreadable(path, problem) from None


def _goes_on(line: str) -> bool:
    """Whether a line that begins as JSON begins a document of several lines, or is a list."""
    if line[0] == "[":
        return True
    try:
        DECODER.decode(line)
    except json.JSONDecodeError as problem:
        return problem.pos >= len(line)
    except (ValueError, RecursionError):
        return False
    return False


def _yaml_rows(path: Path) -> Iterator[Row]:
    """The mappings of a YAML document, a list of them or one; scalars stay the text they were written as."""
    root = read_marked(path)
    members = root.value if isinstance(root.value, list) else [root]
    for index, member in enumerate(members):
        if not isinstance(member.value, dict):
            raise member.refusal(
                f"found {found(member.value)}, not an object", f"{ONE_A_LINE}, or a list of mappings in YAML"
            )
        yield Row(path, member.line, index, _plain(member), listed=member is not root)


def _plain(node: Marked) -> Any:  # noqa: ANN401 - any value of the file
    if isinstance(node.value, dict):
        return {key: _plain(part) for key, part in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(part) for part in node.value]
    return node.value


_READERS: dict[Container, Callable[[Path], Iterator[Row]]] = {
    "lines": json_rows,
    "document": document_rows,
    "table": table_rows,
    "yaml": _yaml_rows,
    "speeches": speech_rows,
    "creed": statement_rows,
    "parquet": parquet_rows,
    "arrow": arrow_rows,
    "saved": saved_rows,
    "shards": sharded_rows,
}
