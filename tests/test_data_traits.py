"""Traits from YAML: items as written, statements in pairs, and the line of whatever is wrong."""

from pathlib import Path

import pytest

from personae.data import read_trait_file, read_traits
from personae.data.statements import SELF_REPORT
from personae.errors import BadInput
from personae.records import Item, Trait

HEAD = "name: power\ndescription: wanting control\nlow: leaves it\nhigh: gathers it\nitems:\n"
BEHAVIOUR = """\
  - kind: behaviour
    prompt: The council offers you its seal.
    high: [I take it., Yes]
    low: No
"""
HIGH = "  - {statement: I like to lead., keyed: high}\n"
LOW = "  - {statement: I would rather follow., keyed: low}\n"


def written(folder: Path, text: str, name: str = "trait.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_traits(path)
    assert str(caught.value).isprintable()
    assert caught.value.remedy
    return caught.value


def statements(*keys: str) -> str:
    """Statements s1, s2, … keyed h or l."""
    poles = {"h": "high", "l": "low"}
    return HEAD + "".join(f"  - {{statement: s{n}, keyed: {poles[k]}}}\n" for n, k in enumerate(keys, start=1))


def test_an_item_is_read_as_it_was_written(tmp_path: Path) -> None:
    item = Item(
        id="power-1",
        kind="behaviour",
        prompt="The council offers you its seal.",
        high=("I take it.", "Yes"),
        low=("No",),
    )
    power = Trait(name="power", description="wanting control", low="leaves it", high="gathers it", items=(item,))
    assert read_traits(written(tmp_path, HEAD + BEHAVIOUR)) == (power,)


def test_ids_and_forms_are_kept_and_items_without_an_id_are_called_by_their_place(tmp_path: Path) -> None:
    own = BEHAVIOUR.replace("- kind: behaviour", "- kind: statement\n    id: own\n    form: text")
    (trait,) = read_traits(written(tmp_path, HEAD + own + BEHAVIOUR + HIGH + LOW))
    assert [(i.id, i.kind, i.form) for i in trait.items] == [
        ("own", "statement", "text"),
        ("power-2", "behaviour", "chat"),
        ("power-3/power-4", "statement", "chat"),
    ]


@pytest.mark.parametrize(
    ("keys", "pairs", "left"),
    [
        ("hl", [("s1", "s2")], 0),
        ("lh", [("s2", "s1")], 0),
        ("hhll", [("s1", "s3"), ("s2", "s4")], 0),
        ("lhhl", [("s2", "s1"), ("s3", "s4")], 0),
        ("hhlh", [("s1", "s3")], 2),
        ("lll" + "h", [("s4", "s1")], 2),
    ],
)
def test_the_nth_high_statement_meets_the_nth_low_one_and_the_rest_are_counted(tmp_path, keys, pairs, left) -> None:
    read = read_trait_file(written(tmp_path, statements(*keys)))
    items = read.traits[0].items
    assert [(i.high[0], i.low[0]) for i in items] == pairs
    assert {(i.kind, i.prompt) for i in items} == {("statement", SELF_REPORT)}
    assert read.unpaired == ({"power": left} if left else {})


def test_a_list_of_traits_and_a_folder_of_files_give_the_same_traits(tmp_path: Path) -> None:
    one, two = HEAD + BEHAVIOUR, HEAD.replace("power", "calm") + HIGH + LOW
    folder = tmp_path / "traits"
    folder.mkdir()
    written(folder, one, "b.yaml")
    written(folder, two, "a.yml")
    written(folder, "not a trait", "notes.txt")
    listed = "".join("- " + t.rstrip().replace("\n", "\n  ") + "\n" for t in (two, one))
    assert read_traits(folder) == read_traits(written(tmp_path, listed))
    assert [t.name for t in read_traits(folder)] == ["calm", "power"]


def test_a_trait_that_appears_twice_is_refused_where_it_appears_again(tmp_path: Path) -> None:
    written(tmp_path, HEAD + BEHAVIOUR, "a.yaml")
    again = written(tmp_path, "# a copy\n" + HEAD + BEHAVIOUR, "b.yaml")
    error = refusal(tmp_path)
    assert (error.file, error.line) == (again, 2)
    assert "'power' appears twice" in error.problem


def test_a_folder_without_trait_files_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert "no file of a known ending" in refusal(tmp_path).problem
    assert "no such file" in refusal(tmp_path / "none.yaml").problem


@pytest.mark.parametrize(
    ("items", "line"),
    [
        (HIGH + HIGH, 6),
        (LOW, 6),
        (BEHAVIOUR + HIGH, 6),
        (BEHAVIOUR.replace("    low: No\n", ""), 6),
        (BEHAVIOUR + BEHAVIOUR.replace("    high: [I take it., Yes]\n", ""), 10),
    ],
)
def test_items_that_lack_a_pole_are_refused(tmp_path: Path, items: str, line: int) -> None:
    error = refusal(written(tmp_path, HEAD + items))
    assert "a trait whose items lack a pole" in error.problem
    assert error.line == line


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("low: No", "low: Yes", 6, "'Yes' stands at both poles"),
        ("low: No", "low: []", 9, "empty list"),
        ("low: No", "low:", 9, "null, not text"),
        ("low: No", "low: ' '", 9, "is empty"),
        ("[I take it., Yes]", "[Yes, Yes]", 8, "twice"),
        ("kind: behaviour", "kind: mood", 6, "'kind' should be 'behaviour' or 'statement', found 'mood'"),
        ("kind: behaviour", "kind: behaviour\n    weight: 2", 7, "unknown key 'weight'"),
        ("    prompt: The council offers you its seal.\n", "", 6, "no 'prompt'"),
        ("description: wanting control\n", "", 1, "no 'description'"),
        ("name: power", "name: [power]", 1, "a list, not text"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in HEAD + BEHAVIOUR
    error = refusal(written(tmp_path, (HEAD + BEHAVIOUR).replace(old, new, 1)))
    assert said in error.problem
    assert error.line == line


@pytest.mark.parametrize(
    ("items", "line", "said"),
    [
        ("  - {statement: s, keyed: up}\n", 6, "keyed 'up'"),
        ("  - {statement: s}\n", 6, "no 'keyed'"),
        ("  - {statement: '', keyed: low}\n", 6, "is empty"),
        ("  - words\n", 6, "text, not a mapping"),
        ("  []\n", 6, "empty list"),
        (HIGH + LOW.replace("I would rather follow.", "I like to lead."), 6, "both poles"),
        (BEHAVIOUR + BEHAVIOUR.replace("- kind", "- id: power-1\n    kind"), 10, "belongs to two items"),
    ],
)
def test_a_bad_item_is_named_by_its_line(tmp_path: Path, items: str, line: int, said: str) -> None:
    error = refusal(written(tmp_path, HEAD + items))
    assert said in error.problem
    assert error.line == line
