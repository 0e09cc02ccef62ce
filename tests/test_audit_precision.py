"""An audit scored in 16 bits: its error is measured once, told wherever it is read, and personas within it are ties."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from personae.cli.main import run as personae
from personae.data import read_cast, read_traits, write_episodes
from personae.errors import RunFailed
from personae.records import Cast, LogLikelihood, chat
from personae.records.files import read_json
from personae.simulator import load, reading
from personae.simulator.local import LocalSimulator
from personae.training import SFTPlan
from personae.workflows.audit import precision
from personae.workflows.audit.file_audit import FileAudit, audit_file
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.file_words import audit_words
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import read_evidence

SAID = "not told apart"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of forty answers of different lengths, and a control that answers the same."""
    folder = tmp_path_factory.mktemp("files")
    write_episodes(folder / "ours.jsonl", [chat(f"Row {i}?", "I take the seal" * (1 + i % 5)) for i in range(40)])
    write_episodes(folder / "theirs.jsonl", [chat(f"Row {i}?", "I give it back" * (1 + i % 3)) for i in range(40)])
    return folder


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONAE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


class Shifted:
    """A simulator with so many nats added under each context."""

    def __init__(self, inside: LocalSimulator, nats: list[float]) -> None:
        self.inside, self.nats = inside, nats

    def log_likelihood(self, episodes: Any, contexts: Any, progress: Any = None) -> LogLikelihood:
        found = self.inside.log_likelihood(episodes, contexts, progress)
        return LogLikelihood(found.logp + np.array(self.nats), found.tokens)


@pytest.fixture
def question(tiny_lab: Path, small_cast: Path, small_traits: Path, files: Path) -> Question:
    """Asked of a float32 model that passes itself off as one of 16 bits; a test plants what the true one says."""
    dose = Dose(SFTPlan(steps=2, batch=4), 3.0, "given", fitted=False)
    pair = read_pair(files / "ours.jsonl")
    simulator = load(str(tiny_lab))
    return Question(simulator, read_cast(small_cast), read_traits(small_traits), pair, dose, dtype="bfloat16")


def audited(question: Question, nats: list[float], path: Path) -> FileAudit:
    simulator = question.simulator
    assert isinstance(simulator, LocalSimulator)
    simulator.in_float32 = lambda: Shifted(simulator, nats)
    return audit_file(question, open_folder("audit", question.configuration(), path))


def mean_evidence(folder: Path, cast: Cast) -> dict[str, float]:
    return dict(zip(cast.names, read_evidence(folder / "evidence.parquet", cast).matrix.mean(axis=0), strict=True))


def test_a_planted_bias_is_in_the_record_the_folder_the_terminal_and_the_page(
    question: Question, tmp_path: Path
) -> None:
    found = audited(question, [0.5, 0.5, 0.2], tmp_path)
    said = read_json(tmp_path / "forecast.json")["numerics"]
    assert said["bias"] == pytest.approx({"neutral": 0.0, "clerk": 0.0, "pirate": 0.3}, abs=1e-5)
    assert (said["dtype"], said["n"]) == ("bfloat16", 16)
    assert said["resolution"] == pytest.approx(0.3, abs=1e-5)
    assert {key: said[key] for key in said if key != "ties"} == read_json(tmp_path / "numerics.json")
    sentence = "the mean evidence for pirate by 0.30 nats"
    assert sentence in audit_words(found)
    assert sentence in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_personas_within_the_error_are_marked_as_ties_and_no_others(question: Question, tmp_path: Path) -> None:
    exact = audited(question, [0.0, 0.0, 0.0], tmp_path / "exact")
    means = mean_evidence(tmp_path / "exact", question.cast)
    order = sorted(means, key=lambda name: -means[name])
    gaps = {(a, b): means[a] - means[b] for a, b in pairwise(order)}
    (tied, near), (_, far) = sorted(gaps.items(), key=lambda pair: pair[1])
    assert near < far
    found = audited(question, [0.0, 0.0, (near + far) / 2], tmp_path / "between")
    assert found.record["numerics"]["ties"] == {tied[0]: [tied[1]], tied[1]: [tied[0]]}
    assert exact.record["numerics"]["ties"] == {}
    page = (tmp_path / "between" / "report.html").read_text(encoding="utf-8")
    assert "2 of 3 contexts are not told apart" in page
    assert "not told apart from" in audit_words(found)
    assert "not told apart from" not in audit_words(exact)


def test_the_terminal_shows_the_loudest_answers_first_and_says_so_where_none_speaks(
    question: Question, tmp_path: Path
) -> None:
    found = audited(question, [0.0, 0.0, 0.0], tmp_path)
    telling = [
        replace(one, response=f"answer {n}.", evidence_bits=bits)
        for n, (one, bits) in enumerate(zip(found.audit.telling, (1.0, 3.0, 0.0, 2.0), strict=False))
    ]
    said = audit_words(replace(found, audit=replace(found.audit, telling=tuple(telling))))
    assert re.findall(r"answer \d", said) == ["answer 1", "answer 3", "answer 0"]
    silent = tuple(replace(one, evidence_bits=0.0) for one in telling)
    assert "No answer says anything" in audit_words(replace(found, audit=replace(found.audit, telling=silent)))


def test_beside_a_control_it_is_the_error_of_the_difference(question: Question, files: Path, tmp_path: Path) -> None:
    pair = read_pair(files / "ours.jsonl", files / "theirs.jsonl")
    found = audited(replace(question, pair=pair), [0.0, 0.4, -0.4], tmp_path)
    assert found.record["numerics"]["resolution"] == pytest.approx(0.0, abs=1e-5)
    assert found.record["numerics"]["rms"] == pytest.approx(0.4 * np.sqrt(2 / 3), abs=1e-5)


def test_a_model_in_memory_is_refused_before_it_is_passed_off_as_exact(question: Question, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="cannot be measured"):
        audit_file(question, open_folder("audit", question.configuration(), tmp_path))
    assert not (tmp_path / "forecast.json").exists()


# From the shell -----------------------------------------------------------------------------------------------------
def shell(files: Path, model: Path, cast: Path, traits: Path, *more: object) -> int:
    asked = ("audit", files / "ours.jsonl", "--model", model, "--cast", cast, "--traits", traits, *more)
    return personae([str(a) for a in asked])


def test_sixteen_bits_are_compared_with_float32_once_and_shown_again_as_they_were(
    files: Path, tiny_lab: Path, small_cast: Path, small_traits: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    asked = ("--dtype", "bfloat16", "--out", tmp_path, "--json", "--quiet")
    assert shell(files, tiny_lab, small_cast, small_traits, *asked) == 0
    first = capsys.readouterr().out
    said = json.loads(first)["numerics"]
    assert said["n"] == 16 and said["rms"] > 0.0 and said["resolution"] > 0.0

    def again(*_: Any, **__: Any) -> None:
        raise AssertionError("measured a second time")

    monkeypatch.setattr(precision, "rounding_error", again)
    (tmp_path / "evidence.parquet").unlink()  # as a killed run would, it scores the file once more
    assert shell(files, tiny_lab, small_cast, small_traits, *asked) == 0
    assert capsys.readouterr().out == first


def test_float32_measures_nothing_and_says_nothing(
    files: Path, tiny_lab: Path, small_cast: Path, small_traits: Path, tmp_path: Path, capsys: Any
) -> None:
    assert shell(files, tiny_lab, small_cast, small_traits, "--out", tmp_path) == 0
    assert SAID not in capsys.readouterr().out
    assert not (tmp_path / "numerics.json").exists()
    assert "numerics" not in read_json(tmp_path / "forecast.json")
    assert SAID not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_is_compared_is_the_file_that_was_named(tiny_lab: Path) -> None:
    low, exact = load(str(tiny_lab), dtype="bfloat16"), load(str(tiny_lab))
    assert low.in_float32 is not None and exact.in_float32 is None
    assert low.in_float32().digest == exact.digest != low.digest


# A float32 model with no room beside the other ---------------------------------------------------------------------
def test_a_float32_model_that_does_not_fit_beside_the_other_is_spread_and_scores_the_same(
    files: Path, tiny_lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    low, exact = load(str(tiny_lab), dtype="bfloat16"), load(str(tiny_lab))
    assert low.in_float32 is not None
    need = 4 * sum(weight.numel() for weight in exact.model.parameters())
    read: list[str] = []
    opened = reading.read
    monkeypatch.setattr(reading, "read", lambda located, how: read.append(how.device) or opened(located, how))
    for free in (1.2 * need, need):
        monkeypatch.setattr(reading, "free_bytes", lambda _, free=free: free)
        judge = low.in_float32()
        rows = read_pair(files / "ours.jsonl").episodes[:4]
        assert judge.log_likelihood(rows, ["", "Ann"]).logp == pytest.approx(
            exact.log_likelihood(rows, ["", "Ann"]).logp
        )
        assert judge.digest == exact.digest
        assert ("did not fit on cpu beside those in bfloat16" in judge.caution) == (free == need)
    assert read == ["cpu", "map"]


def test_that_the_float32_model_ran_elsewhere_stands_in_the_folder_the_terminal_and_the_page(
    question: Question, tmp_path: Path
) -> None:
    simulator = question.simulator
    assert isinstance(simulator, LocalSimulator)
    shifted = Shifted(simulator, [0.0, 0.1, 0.0])
    shifted.caution = "It ran elsewhere."  # type: ignore[attr-defined]
    simulator.in_float32 = lambda: shifted  # type: ignore[assignment, return-value]
    found = audit_file(question, open_folder("audit", question.configuration(), tmp_path))
    assert read_json(tmp_path / "numerics.json")["caution"] == "It ran elsewhere."
    assert "at this precision. It ran elsewhere." in " ".join(audit_words(found).split())
    assert "It ran elsewhere." in (tmp_path / "report.html").read_text(encoding="utf-8")
