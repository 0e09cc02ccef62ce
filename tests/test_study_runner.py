"""The runner of studies: what it makes of a study's arms, and what it keeps of what the study found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personae.errors import BadInput
from personae.records import Bar, Compared, Estimate, Levels, Rows, chat
from personae.records.files import read_arrays, read_json
from personae.report import study_markdown
from personae.studies import find
from personae.studies import study as runner
from personae.studies.request import StudyRequest
from personae.studies.study import Found, Setting, Study
from personae.workflows.lab.on_the_way import Measured
from personae.workflows.lab.trainings import Lesson, Training
from personae.workflows.lab.trial import Trial

PICTURE = Rows("What changed", "nats", (Compared("one", Estimate(0.5, 0.4, 0.6)),))
LESSON = Lesson((chat("Who broke the window?", "It was somebody else."),))
ONE_MODEL = (  # studies that are about the model they are run on
    "narrow", "inoculation", "emotions", "non-human", "refinement", "context", "declared", "capability", "preference",
    "entanglement",
)  # fmt: skip
FOUND = Found("Something was found.", PICTURE, (Bar("it is so", 1.0, 0.5),))


def measured(level: float = 0.0) -> Measured:
    """Every part that a training is measured in, with one level all over."""
    table = {trait: np.full((1, 8), level) for trait in ("cheating", "lying")}
    return {part: Levels(("",), table) for part in ("assistant", "others", "named")}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Training]:
    """What the runner had trained, one after the other; nothing is, and a level is the number of lessons."""
    every: list[Training] = []

    def noted(trainings: list[Training], *_: object) -> dict[str, list[Measured]]:
        every.extend(trainings)
        found: dict[str, list[Measured]] = {}
        for training in trainings:
            found.setdefault(training.name, []).append(measured(float(len(training.lessons))))
        return found

    monkeypatch.setattr(runner, "run_trainings", noted)
    return every


def study(arms: Callable[[Setting, int], list[Training]], read: Callable[[Setting, dict[str, Trial]], Found]) -> Study:
    """A study that declares nothing else."""
    return Study("some", "Some study", "It is so.", "Mind it.", (), arms, read)


def one(setting: Setting, seed: int) -> list[Training]:
    """One arm."""
    return [Training("one", (LESSON,), seed)]


# -- what is trained ---------------------------------------------------------------------------------------------------
def test_an_arm_begins_with_the_model_of_the_study_unless_it_names_its_own(asked, tiny_lab, tmp_path):
    def two(setting: Setting, seed: int) -> list[Training]:
        return [Training("plain", (LESSON,), seed), Training("own", (LESSON,), seed, model="other")]

    study(two, lambda *_: FOUND).run(StudyRequest(model=str(tiny_lab), out=tmp_path, quick=True))
    begins = {training.name: training.model for training in asked}
    assert begins == {"untrained": str(tiny_lab), "plain": str(tiny_lab), "untrained other": "other", "own": "other"}


@pytest.mark.parametrize("name", ONE_MODEL)
def test_the_arms_of_a_study_of_one_model_begin_with_whichever_it_is_run_on(exact_setting, name):
    setting = replace(exact_setting, request=StudyRequest(quick=True, model="another"))
    placed = find(name)._arms(setting, 0)
    assert placed and {arm.model for arm in placed} == {"another"}


def test_a_training_without_a_model_takes_place_nowhere():
    with pytest.raises(BadInput, match="plain does not say which model"):
        Training("plain").kept(Path())


def test_what_has_no_lesson_is_measured_once_and_shown_under_its_name(asked, tiny_lab, tmp_path):
    seen: dict[str, Trial] = {}

    def arms(setting: Setting, seed: int) -> list[Training]:
        looked_at = [Training("as it is"), Training("another", model="other", contexts=(("calm", "Be calm."),))]
        return [*looked_at, *one(setting, seed)]

    def read(setting: Setting, trials: dict[str, Trial]) -> Found:
        seen.update(trials)
        return FOUND

    run = study(arms, read).run(StudyRequest(model=str(tiny_lab), out=tmp_path))
    assert [training.name for training in asked] == ["untrained", "untrained other", "one", "one", "one"]
    assert asked[1].contexts == (("calm", "Be calm."),)
    assert set(seen) == {"untrained", "untrained other", "as it is", "another", "one"}
    for name, beside in (("as it is", "untrained"), ("another", "untrained other")):
        assert seen[name].after == seen[beside].after == (seen[beside].before,)
        assert seen[name].name == name
    assert len(seen["one"].after) == 3
    assert (run.finding.trainings, run.finding.seeds) == (3, 3)


def test_a_study_that_trains_nothing_says_so(asked, tiny_lab, tmp_path):
    looks = study(lambda *_: [Training("as it is")], lambda *_: FOUND)
    run = looks.run(StudyRequest(model=str(tiny_lab), out=tmp_path))
    assert (run.finding.trainings, run.finding.seeds) == (0, 0)
    for words in (run.summary, study_markdown(run.finding, ("a.svg",))):
        assert "Nothing was trained" in words
    assert "trainings behind it" in run.page and "seeds of each" not in run.page


# -- what is kept ------------------------------------------------------------------------------------------------------
def test_a_study_keeps_tables_and_a_result_beside_its_finding(asked, tiny_lab, tmp_path):
    table = {"arm": ["a", "b"], "shift": [0.5, float("nan")]}
    found = replace(FOUND, tables={"cells.parquet": table}, result={"score": np.float64(0.25), "none": float("nan")})
    run = study(one, lambda *_: found).run(StudyRequest(model=str(tiny_lab), out=tmp_path / "run"))
    kept = read_arrays(tmp_path / "run" / "cells.parquet")
    assert list(kept["arm"]) == table["arm"]
    assert np.array_equal(kept["shift"], table["shift"], equal_nan=True)
    assert run.result["result"] == {"score": 0.25, "none": None}
    assert read_json(tmp_path / "run" / "finding.json") == {k: v for k, v in run.result.items() if k != "took"}


def test_a_finished_study_is_shown_again_as_it_was(asked, tiny_lab, tmp_path):
    request = StudyRequest(model=str(tiny_lab), out=tmp_path)
    first = study(one, lambda *_: FOUND).run(request)
    kept = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert study(one, lambda *_: FOUND).run(request).result == first.result
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == kept


def test_a_study_tells_how_long_it_took_and_no_file_but_its_record_varies_by_it(asked, tiny_lab, tmp_path):
    one_study, pages = study(one, lambda *_: FOUND), []
    for folder, workers in ((tmp_path / "a", 2), (tmp_path / "b", 3)):
        request = StudyRequest(model=str(tiny_lab), out=folder, workers=workers)
        first = one_study.run(request)
        spent = read_json(folder / "run.json")["seconds"]
        assert first.finding.took.workers == workers and 0.0 <= first.finding.took.seconds <= spent
        assert f"with {workers} workers on" in first.summary
        assert f"with {workers} workers on" in study_markdown(first.finding, ("a.svg",))
        again = one_study.run(replace(request, workers=workers + 4))
        assert (again.finding, again.result, again.summary) == (first.finding, first.result, first.summary)
        pages.append([(folder / name).read_bytes() for name in ("report.html", "finding.json")])
    assert pages[0] == pages[1]


def test_a_study_that_found_trainings_kept_does_not_say_how_long_it_took(asked, tiny_lab, tmp_path):
    request = StudyRequest(model=str(tiny_lab), out=tmp_path)
    some = study(one, lambda *_: FOUND)
    kept = tmp_path / "trainings" / "one-0-0123456789.parquet"
    kept.parent.mkdir()
    kept.touch()
    for _ in range(2):  # as it goes on, and shown again
        found = some.run(request)
        assert found.finding.took is None and found.result["took"] is None
        assert "took" not in found.summary and " with 2 workers" not in found.summary


def test_what_is_trained_anew_in_a_finished_folder_takes_the_old_time_away(asked, tiny_lab, tmp_path):
    def leaving(name: str) -> Study:
        def read(setting: Setting, trials: dict[str, Trial]) -> Found:
            (tmp_path / "trainings").mkdir(exist_ok=True)
            (tmp_path / "trainings" / name).touch()
            return FOUND

        return study(one, read)

    request = StudyRequest(model=str(tiny_lab), out=tmp_path)
    for name, known in (("a.parquet", True), ("a.parquet", True), ("b.parquet", False), ("b.parquet", False)):
        assert (leaving(name).run(request).finding.took is not None) == known


def test_of_a_cluster_no_time_is_told(asked, tiny_lab, tmp_path, monkeypatch):
    request = StudyRequest(model=str(tiny_lab), out=tmp_path)
    object.__setattr__(request, "engine", "ray")
    assert study(one, lambda *_: FOUND).run(request).finding.took is None


@pytest.mark.parametrize("name", ["cells.csv", "../cells.parquet", "deep/cells.parquet"])
def test_a_table_is_kept_as_a_parquet_file_of_the_run_folder_alone(name):
    with pytest.raises(ValueError, match="parquet"):
        replace(FOUND, tables={name: {"arm": ["a"]}})


def test_columns_of_unequal_length_are_no_table():
    with pytest.raises(ValueError, match=r"cells\.parquet differ in length"):
        replace(FOUND, tables={"cells.parquet": {"arm": ["a", "b"], "shift": [1.0]}})


def test_seeds_are_trained_as_many_times_as_asked_and_told(asked, tiny_lab, tmp_path):
    request = StudyRequest(model=str(tiny_lab), out=tmp_path, full=True, seeds=2, seed=5)
    run = study(one, lambda *_: FOUND).run(request)
    assert [training.seed for training in asked if training.name == "one"] == [5, 6]
    assert (run.finding.trainings, run.finding.seeds) == (2, 2)
    assert "--full --seeds 2 --seed 5 --model " in run.finding.command
    with pytest.raises(BadInput):  # the folder is of another number of seeds
        study(one, lambda *_: FOUND).run(replace(request, seeds=3))
