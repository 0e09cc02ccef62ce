"""Rows of JSON Lines files: what is read, what is passed over, and what each unreadable line says."""

import bz2
import gzip
import json
import lzma
import tracemalloc
from pathlib import Path

import pytest

from personae.data.lines import DEEPEST, Row
from personae.data.rows import read_rows
from personae.errors import BadInput


def written(folder: Path, data: bytes, name: str = "file.jsonl") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refusal(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        list(read_rows(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    return caught.value


def values(path: Path) -> list[dict[str, object]]:
    return [row.value for row in read_rows(path)]


def test_rows_carry_their_line_and_blank_lines_count_as_lines_but_not_as_rows(tmp_path: Path) -> None:
    path = written(tmp_path, b'\n{"a": 1}\n  \n\n{"a": 2}')
    assert list(read_rows(path)) == [Row(path, 2, 0, {"a": 1}), Row(path, 5, 1, {"a": 2})]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_byte_order_mark_line_ends_and_packing_do_not_change_the_rows(tmp_path, end, mark, pack) -> None:
    path = written(tmp_path, pack(mark + end.join([b'{"a": "\xc3\xa9"}', b'{"a": "x"}', b""])))
    assert values(path) == [{"a": "é"}, {"a": "x"}]


def test_line_separators_inside_a_string_do_not_end_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": "one\u2028two\x85three"}\n'.encode())
    assert values(path) == [{"a": "one\u2028two\x85three"}]


def test_numbers_that_json_does_not_know_are_null(tmp_path: Path) -> None:
    assert values(written(tmp_path, b'{"a": NaN, "b": [-Infinity]}')) == [{"a": None, "b": [None]}]


def test_the_limit_keeps_the_first_rows_and_looks_at_nothing_after_them(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"a": 1}\n\n{"a": 2}\nnot json at all \xff')
    assert [row.value["a"] for row in read_rows(path, limit=2)] == [1, 2]
    with pytest.raises(BadInput, match="leaves no rows"):
        read_rows(path, limit=0)


def test_a_missing_file_and_a_folder_are_refused_before_the_first_row_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_rows(tmp_path / "none.jsonl")
    with pytest.raises(BadInput, match="folder"):
        read_rows(tmp_path)
    with pytest.raises(BadInput, match="no such file"):
        read_rows("a\0b")
    with pytest.raises(BadInput, match="cannot be read"):
        read_rows("x" * 5000)


@pytest.mark.parametrize("data", [b"", b"\n \r\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_a_file_without_rows_is_empty(tmp_path: Path, data: bytes) -> None:
    assert "empty" in refusal(written(tmp_path, data)).problem


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (b'{"a": 1', "broken JSON at column 8"),
        (b'{"a": 1} {"a": 2}', "broken JSON at column 10: extra data"),
        (b'{"a": 1},', "a comma stands after the object"),
        (b'{"a": [1, ]}', "a comma stands before ']'"),
        (b"{'a': 1}", "broken JSON at column 2"),
        (b'{"a": "x\x00"}', "broken JSON at column 9"),
        (b'{"a": "\xff"}', "not UTF-8 (byte 8 is 0xff)"),
        (b"[1]", "a list of 1, not an object"),
        (b"null", "null, not an object"),
        (b'"text"', "'text', not an object"),
        (b'{"a": "\\ud83d"}', "surrogate"),
        (b'{"\\uDC00": 1}', "surrogate"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' is given twice"),
        (b'{"a": [{"b": 2, "b": 2}]}', "the key 'b' is given twice"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "nested more than"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested more than"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_number(tmp_path: Path, second: bytes, problem: str) -> None:
    error = refusal(written(tmp_path, b'{"a": 1}\n' + second + b"\n"))
    assert error.line == 2
    assert problem in error.problem


def test_a_value_as_deep_as_allowed_is_read(tmp_path: Path) -> None:
    deep = b'{"a": ' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}"
    wide = json.dumps({"a": [[] for _ in range(10 * DEEPEST)]}).encode()
    assert len(values(written(tmp_path, deep + b"\n" + wide))) == 2


def test_a_surrogate_pair_is_one_character(tmp_path: Path) -> None:
    assert values(written(tmp_path, b'{"a": "\\ud83d\\ude00"}')) == [{"a": "😀"}]


@pytest.mark.parametrize("text", ['[\n{"a": 1},\n\n  {"a": 2}\n]', '[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"a": 2}'])
def test_one_json_list_gives_the_same_rows_as_one_object_a_line(tmp_path: Path, text: str) -> None:
    assert values(written(tmp_path, text.encode(), "file.json")) == [{"a": 1}, {"a": 2}]


def test_a_row_of_a_json_list_stands_on_the_line_it_begins_on(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, b'\n[{"a":\n1},\n\n{"a": 2}]\n'))
    assert [(row.line, row.index) for row in rows] == [(2, 0), (5, 1)]


def test_indented_json_is_one_row(tmp_path: Path) -> None:
    assert values(written(tmp_path, b'{\n  "a": 1\n}\n')) == [{"a": 1}]


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b'[{"a": 1}\n{"a": 2}]', 2, "',' or ']' is missing"),
        (b'[{"a": 1},\n]', 1, "a comma stands before ']'"),
        (b'[\n{"a": [1,\n]}]', 2, "a comma stands before ']'"),
        (b'[\n{"a": 1,}]', 2, "a comma stands before '}'"),
        (b'[{"a": 1},\n{"a" 2}]', 2, "broken JSON at column 6"),
        (b'[{"a": 1}]\n[]', 2, "more follows"),
        (b'{\n"a": 1\n}\n{"a": 1}', 4, "more follows"),
        (b'[{"a": 1},\n3]', 2, "a number (3), not an object"),
        (b'[\n{"a": "\\ud83d"}]', 2, "surrogate"),
        (b'[\n{"a": ' + b"9" * 5000 + b"}]", 2, "too many digits"),
        (b'[{"a": 1},\n{"a": 1, "a": 1}]', 2, "the key 'a' is given twice"),
        (b'{\n"a": 1,\n"a": 1}', 1, "the key 'a' is given twice"),
        (b'[\n{"a": ' + b"[" * 70 + b"]" * 70 + b"}]", 2, "nested more than"),
        (b'[\n{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", 2, "nested more than"),
    ],
)
def test_what_is_wrong_with_a_json_list_is_said_with_its_line(tmp_path, data, line, problem) -> None:
    error = refusal(written(tmp_path, data))
    assert (error.line, problem in error.problem) == (line, True), str(error)


def test_an_empty_json_list_is_empty_and_a_huge_one_is_told_how_to_become_lines(tmp_path, monkeypatch) -> None:
    assert "empty" in refusal(written(tmp_path, b"[ ]")).problem
    monkeypatch.setattr("personae.data.documents.LARGEST", 20)
    rows = b'[{"a": 1}, {"a": 2}, {"a": 3}]'
    for name, data, command in (
        ("file.json", rows, "jq -c '.[]' {0}/file.json > {0}/file_lines.jsonl"),
        ("file.jsonl", rows, "jq -c '.[]' {0}/file.jsonl > {0}/file_lines.jsonl"),
        ("x.jsonl.gz", gzip.compress(rows), "gzip -dc {0}/x.jsonl.gz | jq -c '.[]' > {0}/x_lines.jsonl"),
        ("a b.json", rows, "jq -c '.[]' '{0}/a b.json' > '{0}/a b_lines.jsonl'"),
    ):
        remedy = refusal(written(tmp_path, data, name)).remedy
        assert remedy == f"write one JSON object a line: {command.format(tmp_path)}"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"PAR1\x15\x04", "parquet"),
        (b"PK\x03\x04rest", "zip"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b"\x28\xb5\x2f\xfd\x24\x20", "zstd"),
        (lzma.compress(b"{}"), "xz"),
        (bz2.compress(b"{}"), "bzip2"),
        (gzip.compress(b"a.jsonl".ljust(257, b"\0") + b"ustar  \0rest", mtime=0), "tar archive"),
    ],
)
def test_a_file_of_another_format_is_called_by_its_name(tmp_path: Path, data: bytes, name: str) -> None:
    assert name in refusal(written(tmp_path, data)).problem


def test_damaged_gzip_is_refused_and_rows_before_the_damage_are_not_lost(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b'{"a": %d}\n' % n for n in range(50_000)))
    for damaged in (packed[: len(packed) // 2], packed[:-8] + b"\0" * 8):
        rows = read_rows(written(tmp_path, damaged, "file.jsonl.gz"))
        assert next(rows).value == {"a": 0}
        with pytest.raises(BadInput, match="gzip"):
            list(rows)


def test_what_a_file_holds_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    error = refusal(written(tmp_path, b'"\\u001b[31mred\\u202e"'))
    assert str(error).isprintable()


def test_memory_is_flat_in_the_number_of_rows(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = written(tmp_path, b'{"a": "some text of a usual length, or nearly so"}\n' * rows)
        tracemalloc.start()
        assert sum(1 for _ in read_rows(path)) == rows
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    peak(100)
    assert peak(20_000) < 1.5 * peak(200) + 50_000
