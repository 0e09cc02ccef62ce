"""Casts from YAML: the personas a file declares, and the line of whatever is wrong."""

import gzip
import time
from pathlib import Path

import pytest
import yaml

from personae.data import read_cast
from personae.errors import BadInput
from personae.records import Cast, Persona

GOOD = """\
name: people
neutral: The following is a conversation.
personas:
  - name: nurse
    kind: person
    context: |
      The Assistant is a nurse.
    prior: 1
    goals: [that everyone sleeps, tea]
    beliefs: rest heals
    knowledge: []
  - {name: '1984', kind: ai, context: "It: watches", prior: 0.5}
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "cast.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, text: str | bytes) -> BadInput:
    path = written(folder, text)
    with pytest.raises(BadInput) as caught:
        read_cast(path)
    assert caught.value.file == path
    assert str(caught.value).isprintable()
    return caught.value


def test_a_cast_is_read_as_it_was_declared(tmp_path: Path) -> None:
    nurse = Persona(
        name="nurse",
        kind="person",
        context="The Assistant is a nurse.",
        prior=1.0,
        goals=("that everyone sleeps", "tea"),
        beliefs=("rest heals",),
    )
    screen = Persona(name="1984", kind="ai", context="It: watches", prior=0.5)
    expected = Cast(name="people", neutral="The following is a conversation.", personas=(nurse, screen))
    assert read_cast(written(tmp_path, GOOD)) == expected


@pytest.mark.parametrize("word", ["Yes", "no", "on", "12", "1.5", "2001-01-01", "0x1F", "true"])
def test_a_scalar_stays_the_text_it_was_written_as(tmp_path: Path, word: str) -> None:
    cast = read_cast(written(tmp_path, GOOD.replace("name: nurse", f"name: {word}")))
    assert cast.personas[0].name == word


def test_byte_order_mark_line_ends_and_aliases_do_not_change_the_cast(tmp_path: Path) -> None:
    cast = read_cast(written(tmp_path, GOOD))
    assert read_cast(written(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())) == cast
    aliased = GOOD.replace("kind: person", "kind: &k person").replace("kind: ai", "kind: *k")
    assert [persona.kind for persona in read_cast(written(tmp_path, aliased)).personas] == ["person", "person"]


def test_a_merge_key_brings_what_the_mapping_itself_does_not_have(tmp_path: Path) -> None:
    head = "name: people\nneutral: x\npersonas:\n  - &a {name: a, kind: ai, context: one, goals: rest}\n"
    merged = head + "  - {name: b, <<: *a, context: two}\n  - {<<: [{context: three}, *a], name: c}\n"
    written_out = (
        head
        + "  - {name: b, kind: ai, context: two, goals: rest}\n  - {name: c, kind: ai, context: three, goals: rest}\n"
    )
    cast = read_cast(written(tmp_path, merged))
    assert cast == read_cast(written(tmp_path, written_out)) and len(cast.personas) == 3


def test_the_parser_written_in_c_and_the_one_in_python_read_the_same(tmp_path: Path, monkeypatch) -> None:
    path, control = written(tmp_path, GOOD), tmp_path / "control.yaml"
    control.write_text(GOOD.replace("name: nurse", "name: nur\x07se"))
    fast = read_cast(path)
    monkeypatch.setattr("personae.data.marked._LOADER", yaml.SafeLoader)
    assert read_cast(path) == fast
    with pytest.raises(BadInput, match="line 4: broken YAML"):
        read_cast(control)


def test_no_context_at_all_is_a_neutral_context(tmp_path: Path) -> None:
    cast = read_cast(written(tmp_path, GOOD.replace("The following is a conversation.", '""')))
    assert cast.contexts[0] == ""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("name: '1984'", "name: nurse", 12, "'nurse' appears twice, first on line 4"),
        ('"It: watches"', "The Assistant is a nurse.", 12, "'1984' has the context of 'nurse'"),
        ("name: nurse", "name: neutral", 4, "the name 'neutral' is reserved"),
        ("name: nurse", "name: assistant", 4, "the name 'assistant' is reserved"),
        ("kind: person", "kind: robot", 5, "'kind' should be 'person', 'fiction' or 'ai', found 'robot'"),
        ("prior: 1\n", "prior: lots\n", 8, "'lots', not a number"),
        ("prior: 1\n", "prior: -1\n", 8, "'prior' should be greater than or equal to 0, found a number (-1.0)"),
        ("prior: 1\n", "prior: .inf\n", 8, "not a number"),
        ("prior: 1\n", "prior: nan\n", 8, "not a number"),
        ("    prior: 1\n", "", 4, "some personas declare a prior"),
        ("prior: 1\n", "prioor: 1\n", 8, "unknown key 'prioor'"),
        ("    kind: person\n", "", 4, "no 'kind'"),
        ("beliefs: rest heals", "beliefs: {rest: heals}", 10, "a mapping, not text"),
        ("goals: [that everyone sleeps, tea]", "goals: [tea, tea]", 9, "twice"),
        ("name: nurse", "name:", 4, "null, not text"),
        ("name: nurse", "name: '  '", 4, "is empty"),
        ("neutral: The following is a conversation.\n", "", 1, "no 'neutral'"),
        ("neutral: The following is a conversation.", "neutral: ~", 2, "null, not text"),
        ("beliefs: rest heals", "name: again", 10, "the key 'name' appears twice"),
        ("name: nurse", 'name: "nurse', 12, "broken YAML"),
        ("name: nurse", "name: *nobody", 4, "names nothing"),
        ("name: nurse", "name: !!python/name:os.system nurse", 4, "tag"),
        ("name: nurse", "? [a, b]\n    : nurse", 4, "a key is a list"),
        ("name: nurse", "name: nur\x07se", 4, "broken YAML"),
        ("name: people", "name: people\n---\nname: more", 2, "second document"),
        ("name: people", "<<: people", 1, "'<<' merges text, not a mapping"),
        ("name: people", "<<: {name: a}\n<<: {name: b}", 2, "the key '<<' appears twice"),
        ("name: people", "'<<': {name: a}", 1, "no 'name'"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    error = refusal(tmp_path, GOOD.replace(old, new, 1))
    assert said in error.problem
    assert error.line == line


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ("prior: 1\n", "prioor: 1\n", "rename it to 'prior'"),
        ("context:", "contexts:", "rename 'contexts' to it"),
        ("kind: person", "sort: person", "found 'name', 'sort', "),
    ],
)
def test_a_key_that_is_nearly_spelt_is_named(tmp_path: Path, old: str, new: str, remedy: str) -> None:
    assert old in GOOD
    assert refusal(tmp_path, GOOD.replace(old, new, 1)).remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("~", "empty"),
        ("just words", "plain text, whose first line is no statement"),
        ("- a\n- b", "a list, not a mapping"),
        ("name: a\nneutral: b\npersonas: []", "empty list"),
        ("name: a\nneutral: b\npersonas: nurse", "text, not a list"),
        ("name: a\nneutral: b\npersonas: [nurse]", "text, not a mapping"),
        (b"name: a\nneutral: \xff\n", "UTF-8"),
        ("[" * 40 + "]" * 40, "nested more than"),
        ("[" * 20_000, "broken YAML"),
        ("&a [*a]", "names nothing"),
    ],
)
def test_a_file_that_is_no_cast_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(tmp_path, text).problem


def test_a_packed_file_is_read_as_the_one_in_it_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD.encode())
    assert read_cast(written(tmp_path, packed)) == read_cast(written(tmp_path, GOOD))
    assert "gzip data is damaged" in refusal(tmp_path, packed[:-9]).problem
    assert "larger than" in refusal(tmp_path, gzip.compress(b"# " + b"x" * 2**24)).problem


def test_missing_files_folders_and_huge_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_cast(tmp_path / "none.yaml")
    with pytest.raises(BadInput, match="folder"):
        read_cast(tmp_path)
    assert "larger than" in refusal(tmp_path, b"# " + b"x" * 2**24).problem


def test_aliases_that_grow_without_end_are_refused_at_once(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    began = time.monotonic()
    error = refusal(tmp_path, bomb)
    assert "aliases" in error.problem
    fields = ", ".join(f"k{n}: x" for n in range(20_000))
    error = refusal(tmp_path, f"- &a {{{fields}}}\n" + "- {<<: *a}\n" * 100_000)
    assert "aliases" in error.problem
    assert time.monotonic() - began < 5.0
