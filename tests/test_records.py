"""The nouns refuse what is not one, never change, and are written whole or not at all, in the same bytes each time."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from personae.errors import BadInput, BoundCrossed, PersonaeError, RunFailed, RunFolderMismatch, TreatmentNotApplied
from personae.measure import NOBODY
from personae.records import (
    NEUTRAL,
    Cast,
    Episode,
    Estimate,
    Item,
    Levels,
    LogLikelihood,
    Message,
    Persona,
    Preference,
    Progress,
    Simulator,
    Trait,
    TraitForecast,
    chat,
    files,
    text,
)
from personae.records.cast import RESERVED

USER = Message(role="user", content="Hello?")
ANSWER = Message(role="assistant", content="Hello.")

# --- nouns ------------------------------------------------------------------------------------------------------------


def persona(name: str, prior: float | None = None) -> Persona:
    return Persona(name=name, kind="person", context=f"{name} speaks.", prior=prior)


def item(name: str = "one", high: tuple[str, ...] = ("yes",), low: tuple[str, ...] = ("no",)) -> Item:
    return Item(id=name, kind="behaviour", prompt="Would you?", high=high, low=low)


@pytest.mark.parametrize("role", ["system", "user", "tool"])
def test_an_episode_ends_with_the_assistant(role: str) -> None:
    with pytest.raises(ValidationError, match=f"the last message is the {role}'s"):
        Episode(messages=(USER, ANSWER, Message(role=role, content="And then?")))


@pytest.mark.parametrize("answer", ["", " ", "\n\t"])
def test_an_empty_answer_is_no_episode(answer: str) -> None:
    with pytest.raises(ValidationError, match="answer is empty"):
        Episode(messages=(USER, Message(role="assistant", content=answer)))


@pytest.mark.parametrize("content", [None, 3, ["Hello."], b"Hello."])
def test_content_is_text_and_nothing_that_could_pass_for_it(content: object) -> None:
    with pytest.raises(ValidationError):
        Message.model_validate({"role": "assistant", "content": content})


@given(turns=st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text()), max_size=5))
def test_prompt_and_response_together_are_the_episode(turns: list[tuple[Any, str]]) -> None:
    episode = Episode(messages=(*(Message(role=r, content=c) for r, c in turns), ANSWER))
    assert (*episode.prompt, Message(role="assistant", content=episode.response)) == episode.messages


def test_chat_and_raw_text_differ_only_in_their_form() -> None:
    spoken, written = chat("Once", "upon a time", index=3), text("Once", "upon a time", index=3)
    assert spoken != written
    assert spoken == written.model_copy(update={"form": "chat"})


def test_the_system_turn_stands_first() -> None:
    assert [m.role for m in chat("Hello?", "Hello.", system="Be kind.").messages] == ["system", "user", "assistant"]


def test_a_noun_never_changes_and_knows_no_other_field() -> None:
    with pytest.raises(ValidationError):
        ANSWER.content = "Goodbye."  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Message.model_validate({"role": "user", "content": "Hello", "mood": "glad"})
    with pytest.raises(FrozenInstanceError):
        Estimate(0.0, -1.0, 1.0).mean = 2.0  # type: ignore[misc]


def test_an_episode_survives_being_written_and_read() -> None:
    episode = chat("Hello?", "Hello.", index=7).model_copy(update={"extra": {"source": "a", "n": 1}})
    assert Episode.model_validate_json(episode.model_dump_json()) == episode


def test_a_preference_answers_one_prompt_twice() -> None:
    assert Preference(chosen=chat("Why?", "Because."), rejected=chat("Why?", "No."))
    with pytest.raises(ValidationError, match="same prompt"):
        Preference(chosen=chat("Why?", "Because."), rejected=chat("How?", "No."))


@pytest.mark.parametrize("names", [("a", "b", "a"), (NEUTRAL,), ("a", NEUTRAL), (NOBODY,), ("a", NOBODY)])
def test_a_persona_stands_once_in_a_cast_and_under_no_name_that_its_rows_have_already(names: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="appears twice"):
        Cast(name="cast", neutral="Here is a dialogue.", personas=tuple(map(persona, names)))


def test_a_cast_has_somebody_in_it() -> None:
    with pytest.raises(ValidationError):
        Cast(name="cast", neutral="Here is a dialogue.", personas=())


@pytest.mark.parametrize(("priors", "problem"), [((0.5, None), "all or none"), ((0.0, 0.0), "add up to nothing")])
def test_priors_are_declared_for_all_and_add_up_to_something(priors: tuple[float | None, ...], problem: str) -> None:
    personas = tuple(persona(name, prior) for name, prior in zip("ab", priors, strict=True))
    with pytest.raises(ValidationError, match=problem):
        Cast(name="cast", neutral="Here is a dialogue.", personas=personas)


@pytest.mark.parametrize("prior", [-0.1, math.nan, math.inf])
def test_a_prior_is_a_finite_number_that_is_not_negative(prior: float) -> None:
    with pytest.raises(ValidationError):
        persona("a", prior)


@given(names=st.lists(st.text(min_size=1).filter(lambda n: n not in RESERVED), min_size=1, max_size=6, unique=True))
def test_neutral_is_column_0_of_every_cast(names: list[str]) -> None:
    cast = Cast(name="cast", neutral="Here is a dialogue.", personas=tuple(map(persona, names)))
    assert cast.names == (NEUTRAL, *names)
    assert cast.contexts[0] == cast.neutral
    assert len(cast.contexts) == len(cast.names) == len(cast.personas) + 1


@pytest.mark.parametrize(("high", "low"), [((), ("no",)), (("yes",), ()), (("yes", "no"), ("no",))])
def test_an_item_has_two_poles_that_differ(high: tuple[str, ...], low: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        item(high=high, low=low)


@pytest.mark.parametrize(("high", "low"), [(("yes", "yes"), ("no",)), (("yes",), ("no", "never", "no"))])
def test_an_item_offers_no_answer_twice_whose_probability_would_count_twice(
    high: tuple[str, ...], low: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError, match="stands twice at one pole"):
        item(high=high, low=low)


def test_an_item_is_scored_as_its_answers_high_ones_first() -> None:
    episodes = item(high=("yes", "of course"), low=("no",)).episodes()
    assert [e.response for e in episodes] == ["yes", "of course", "no"]
    assert {e.prompt[0].content for e in episodes} == {"Would you?"}


def test_a_trait_names_the_item_that_stands_twice() -> None:
    assert Trait(name="t", description="", low="", high="", items=(item("one"), item("two"))).items[1].id == "two"
    with pytest.raises(ValidationError, match="'two'"):
        Trait(name="t", description="", low="", high="", items=(item("one"), item("two"), item("two")))


def test_a_forecast_shift_is_what_is_added_to_the_base() -> None:
    forecast = TraitForecast(base=-1.5, mean=0.25, low=0.0, high=0.5)
    assert forecast.base + forecast.shift == forecast.mean


def test_levels_of_a_context_are_its_row_of_every_trait() -> None:
    levels = Levels(
        contexts=("", "a"), by_trait={"t": np.array([[1.0, 2.0], [3.0, 4.0]]), "u": np.array([[5.0], [6.0]])}
    )
    assert {t: row.tolist() for t, row in levels.row("a").items()} == {"t": [3.0, 4.0], "u": [6.0]}


class Coin:
    """The smallest simulator: every answer is one fair flip."""

    name = "coin"
    digest = files.digest("coin")

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        shape = (len(episodes), len(contexts))
        return LogLikelihood(np.full(shape, math.log(0.5)), np.ones(len(episodes), dtype=np.int64))

    def sample(
        self,
        prompts: Sequence[tuple[Message, ...]],
        context: str = "",
        *,
        max_tokens: int = 64,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[str]:
        return ["heads" for _ in prompts]


def test_a_simulator_is_what_has_its_four_parts_whatever_its_class() -> None:
    assert isinstance(Coin(), Simulator)
    assert not isinstance("a name", Simulator)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_bad_input_names_file_line_and_remedy_on_one_line() -> None:
    said = str(BadInput("not JSON", file="data.jsonl", line=3, remedy="mend the row"))
    assert said == "data.jsonl, line 3: not JSON - mend the row"
    assert str(BadInput("no such model")) == "no such model"


@pytest.mark.parametrize(
    ("error", "status"),
    [(BadInput, 2), (RunFolderMismatch, 2), (RunFailed, 1), (TreatmentNotApplied, 1), (BoundCrossed, 1)],
)
def test_bad_input_exits_with_2_and_a_failed_run_with_1(error: type[PersonaeError], status: int) -> None:
    assert error("found this").exit_status == status


# --- files ------------------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4), max_leaves=12
)


def reordered(value: Any) -> Any:
    """The same value with every object's keys the other way round."""
    if isinstance(value, dict):
        return {k: reordered(value[k]) for k in reversed(value)}
    return [reordered(v) for v in value] if isinstance(value, list) else value


@given(value=VALUES)
def test_a_digest_does_not_depend_on_the_order_of_keys(value: object) -> None:
    assert files.digest(reordered(value)) == files.digest(value)


@given(value=VALUES)
def test_the_canonical_form_loses_nothing(value: object) -> None:
    assert json.loads(files.canonical(value)) == value


@given(one=VALUES, other=VALUES)
def test_values_that_differ_have_canonical_forms_that_differ(one: object, other: object) -> None:
    if files.canonical(one) == files.canonical(other):
        assert one == other


@pytest.mark.parametrize(
    ("value", "same"),
    [
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        ((1, 2), [1, 2]),
        (Path("a") / "b", "a/b"),
        (Estimate(1.0, math.nan, math.inf), {"mean": 1.0, "low": None, "high": None}),
        (Message(role="user", content="é"), {"role": "user", "content": "é"}),
    ],
)
def test_a_record_is_written_as_the_json_it_stands_for(value: object, same: object) -> None:
    assert files.canonical(value) == files.canonical(same)


@given(value=VALUES)
def test_json_is_read_back_as_written_in_the_same_bytes(
    value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    files.write_json(folder / "one.json", value)
    files.write_json(folder / "other.json", reordered(value))
    assert files.read_json(folder / "one.json") == value
    assert files.digest_file(folder / "one.json") == files.digest_file(folder / "other.json")


@given(
    rows=st.lists(st.tuples(st.floats(width=64), st.integers(-(2**63), 2**63 - 1), st.text(max_size=5)), max_size=20),
)
def test_arrays_are_read_back_as_written_in_the_same_bytes(
    rows: list[tuple[float, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    columns = {
        "bits": np.array([r[0] for r in rows], dtype=np.float64),
        "index": np.array([r[1] for r in rows], dtype=np.int64),
        "persona": [r[2] for r in rows],
    }
    one, other = (tmp_path_factory.getbasetemp() / f"{name}.parquet" for name in ("one", "other"))
    files.write_arrays(one, columns)
    files.write_arrays(other, columns)
    back = files.read_arrays(one)
    np.testing.assert_array_equal(back["bits"], columns["bits"])
    np.testing.assert_array_equal(back["index"], columns["index"])
    assert back["persona"].tolist() == columns["persona"] or not rows
    assert list(back) == list(columns)
    assert one.read_bytes() == other.read_bytes()


READERS = {
    "one.json": files.read_json,
    "arrays.parquet": files.read_arrays,
    "groups.parquet": lambda path: list(files.read_array_groups(path)),
    "rows.parquet": files.count_rows,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", [b"garbage\xff", b"", b"PAR1"])
def test_a_damaged_file_is_one_line_that_names_it_and_a_missing_one_is_missing(
    tmp_path: Path, name: str, content: bytes
) -> None:
    with pytest.raises(FileNotFoundError):
        READERS[name](tmp_path / name)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(files.Damaged) as damaged:
        READERS[name](tmp_path / name)
    assert str(damaged.value).startswith(f"{tmp_path / name}: is damaged - remove it")
    assert isinstance(damaged.value, BadInput) and isinstance(damaged.value, ValueError)


def test_bytes_that_changed_within_an_array_are_damage_too(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    files.write_arrays(path, {"a": np.arange(1000)})
    data = bytearray(path.read_bytes())
    data[40:240] = b"\xff" * 200
    path.write_bytes(data)
    assert files.count_rows(path) == 1000
    with pytest.raises(files.Damaged):
        files.read_arrays(path)
    with pytest.raises(files.Damaged):
        list(files.read_array_groups(path))


def test_arrays_are_read_where_they_were_written_in_a_folder_whose_name_begins_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("~") / "a.parquet"
    files.write_arrays(path, {"a": [1, 2]})
    assert files.read_arrays(path)["a"].tolist() == [1, 2] and files.count_rows(path) == 2
    assert [group["a"].tolist() for group in files.read_array_groups(path)] == [[1, 2]]


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "profile.json"
    files.write_bytes(path, b"old")
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


FULL_DISK = """
import resource, sys
from pathlib import Path
from personae.errors import RunFailed
from personae.records.files import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_bytes(Path(sys.argv[1]), b"n" * 1_000_000)
except RunFailed as failure:
    print(failure)
"""


def test_a_full_disk_fails_the_run_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    files.write_bytes(path, b"old")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path}: cannot be written")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(RunFailed, match="cannot be written"):
        files.write_text(tmp_path / "runs" / "run.json", "{}")


def test_an_error_that_has_no_number_is_told_in_its_own_words(tmp_path: Path) -> None:
    with (
        pytest.raises(RunFailed, match=r"cannot be written \(the drive is gone\); name"),
        files.whole_file(tmp_path / "a"),
    ):
        raise OSError("the drive is gone")


WRITER = """
import itertools, sys
from pathlib import Path
from personae.records.files import write_bytes
for letter in itertools.cycle([b"a", b"b"]):
    write_bytes(Path(sys.argv[1]), letter * 300_000)
"""


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "evidence.parquet"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    try:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        for _ in range(20):
            content = path.read_bytes()
            assert content in (b"a" * 300_000, b"b" * 300_000)
            time.sleep(0.01)
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    assert path.read_bytes() in (b"a" * 300_000, b"b" * 300_000)
