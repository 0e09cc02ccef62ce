"""The numbers of a finding as tables: those behind a picture, and its bars. All that a picture shows is in them."""

from personae.records import Bar, Cloud, Lines, Matrix, Picture, Rows
from personae.report.tables import Table
from personae.report.units import bar_words, estimate_words, picture_unit, quantity


def picture_table(picture: Picture) -> Table:
    """Every number behind a picture, written as the picture writes it."""
    if isinstance(picture, Rows):
        return _rows_table(picture)
    if isinstance(picture, Matrix):
        return _matrix_table(picture)
    return _lines_table(picture) if isinstance(picture, Lines) else _cloud_table(picture)


def _rows_table(picture: Rows) -> Table:
    unit = picture_unit(picture)
    columns: list[tuple[str, list[str]]] = [
        ("group", [row.group for row in picture.rows]),
        ("row", [row.label for row in picture.rows]),
        ("measured", [unit.say(row.measured.mean) for row in picture.rows]),
        ("95 % interval", [unit.span(row.measured) for row in picture.rows]),
        ("exact", ["" if row.exact is None else unit.say(row.exact) for row in picture.rows]),
        ("forecast", ["" if row.forecast is None else unit.say(row.forecast) for row in picture.rows]),
    ]
    return _table(columns, _caption(picture, picture.unit), words=("group", "row"))


def _lines_table(picture: Lines) -> Table:
    """A row for each place, a column for each line."""
    unit = picture_unit(picture)
    names = [line.name for line in picture.lines]
    heads = [
        f"{one.group}: {one.name}" if names.count(one.name) > 1 and one.group else one.name for one in picture.lines
    ]
    places = sorted({x for line in picture.lines for x in line.x})
    found = [dict(zip(line.x, line.y)) for line in picture.lines]
    rows = [
        (quantity(place), *(estimate_words(unit, values[place]) if place in values else "" for values in found))
        for place in places
    ]
    columns = (picture.x_label, *heads)
    return Table(columns, tuple(rows), _caption(picture, picture.y_label), frozenset(range(len(columns))))


def _cloud_table(picture: Cloud) -> Table:
    unit = picture_unit(picture)
    columns: list[tuple[str, list[str]]] = [
        ("group", [point.group for point in picture.points]),
        ("cell", [point.label for point in picture.points]),
        (picture.x_label, [unit.say(point.x) for point in picture.points]),
        (picture.y_label, [unit.say(point.y) for point in picture.points]),
    ]
    return _table(columns, _caption(picture, ""), words=("group", "cell"))


def _matrix_table(picture: Matrix) -> Table:
    unit, marked = picture_unit(picture), frozenset(picture.marked)
    rows = tuple(
        (name, *(f"({unit.say(v)})" if (i, j) in marked else unit.say(v) for j, v in enumerate(values)))
        for i, (name, values) in enumerate(zip(picture.rows, picture.values, strict=True))
    )
    numeric = frozenset(range(1, len(picture.columns) + 1))
    return Table(("", *picture.columns), rows, _caption(picture, picture.unit), numeric)


def _caption(picture: Picture, unit: str) -> str:
    return f"{picture.title}, {unit}" if unit else picture.title


def _table(columns: list[tuple[str, list[str]]], caption: str, words: tuple[str, str]) -> Table:
    """The columns that hold anything; but those of `words` they are numbers."""
    told = [(name, cells) for name, cells in columns if any(cells)] or [(name, []) for name, _ in columns]
    numeric = frozenset(j for j, (name, _) in enumerate(told) if name not in words)
    return Table(tuple(n for n, _ in told), tuple(zip(*(c for _, c in told), strict=True)), caption, numeric)


def bars_table(bars: tuple[Bar, ...]) -> Table:
    """What was asked of the claim, and what came out; a finding says in `fixed` when that was settled."""
    rows = tuple((bar.says, *bar_words(bar)) for bar in bars)
    return Table(("what", "value", "bar", "result"), rows, numeric=frozenset({1, 2}), stacks=True)
