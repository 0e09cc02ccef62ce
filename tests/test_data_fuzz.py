"""Whatever bytes a file holds, a reader gives values or one clear `BadInput`, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personae.data import (
    read_archetype,
    read_cast,
    read_episodes,
    read_preferences,
    read_prompts,
    read_traits,
)
from personae.data.forms import FORMS
from personae.errors import BadInput

QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

KEYS = st.sampled_from(
    ["messages", "prompt", "completion", "chosen", "rejected", "role", "content", "user", "assistant"]
)
BESIDE = {"system", "system_prompt", "context", "choices", "answers", "images", "input"}
PUBLISHED = sorted(
    {key for keys in FORMS.values() for key in keys} | {"pos", "neg", "statement", "id", "label"} | BESIDE
)
WORTH: Any = (
    st.sampled_from([" Yes", " No", "(A)", "plus", "minus", "1", "-1", "", 0]) | st.none() | st.text(max_size=3)
)
LISTS: Any = st.lists(WORTH | st.dictionaries(st.sampled_from(["pos", "neg"]), WORTH, max_size=2), max_size=3)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["name:", "neutral:", "personas:", "kind:", "context:", "description:", "low:", "high:", "items:", "prompt:"]
SIGNS = [*"-~?!&*|>'\"{}[],#%", "---", "...", "&a", "*a", "!!str", "<<:", "statement:", "keyed:", "person", "behaviour"]
SPACES = ["\n", "\n  ", "\n    - ", "\t", "\x85", "\u2028", "\ufeff", "\x00"]
WORDS = st.sampled_from(FIELDS + SIGNS + SPACES)
READERS = [read_episodes, read_preferences, read_prompts, read_cast, read_traits, read_archetype]


def tried(reader: Callable[[Path], Any], path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        value = reader(path)
        if reader in (read_episodes, read_preferences, read_prompts):
            list(value)
    except BadInput as error:
        said = str(error).replace(str(path), "")
        assert said.isprintable()
        assert len(said) < 1000


@pytest.mark.parametrize("reader", READERS)
@QUIET
@given(data=st.binary(max_size=200))
def test_no_bytes_upset_a_reader(tmp_path: Path, reader: Callable[[Path], Any], data: bytes) -> None:
    tried(reader, tmp_path / "file", data)
    tried(reader, tmp_path / "file", b"\x1f\x8b" + data)


@pytest.mark.parametrize("reader", READERS)
@QUIET
@given(rows=st.lists(JSON, max_size=3))
def test_no_json_upsets_a_reader(tmp_path: Path, reader: Callable[[Path], Any], rows: list[Any]) -> None:
    tried(reader, tmp_path / "file", "\n".join(json.dumps(row) for row in rows).encode())


@pytest.mark.parametrize("reader", READERS)
@QUIET
@given(rows=st.lists(st.dictionaries(st.sampled_from(PUBLISHED), WORTH | LISTS, max_size=5), min_size=1, max_size=4))
def test_no_value_under_a_published_key_upsets_a_reader(
    tmp_path: Path, reader: Callable[[Path], Any], rows: Any
) -> None:
    tried(reader, tmp_path / "file", json.dumps(rows).encode())


@pytest.mark.parametrize("reader", READERS)
@QUIET
@given(data=st.binary(max_size=80), magic=st.sampled_from([b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff\x10\0\0\0"]))
def test_no_damaged_table_upsets_a_reader(tmp_path: Path, reader: Callable[[Path], Any], data: bytes, magic) -> None:
    tried(reader, tmp_path / "file", magic + data + magic[:4])


@pytest.mark.parametrize("reader", READERS)
@QUIET
@given(words=st.lists(WORDS, max_size=40))
def test_no_yaml_upsets_a_reader(tmp_path: Path, reader: Callable[[Path], Any], words: list[str]) -> None:
    tried(reader, tmp_path / "file", " ".join(words).encode())


@pytest.mark.parametrize("reader", [read_cast, read_traits])
@QUIET
@given(value=st.dictionaries(st.sampled_from(["name", "neutral", "personas", "items", "low", "high"]), JSON))
def test_no_value_in_a_known_field_upsets_a_reader(tmp_path: Path, reader: Callable[[Path], Any], value: Any) -> None:
    tried(reader, tmp_path / "file", json.dumps(value).encode())
