"""The runner of studies: what it makes of a study's arms, and what it keeps of what the study found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from personae.records import Bar, Compared, Estimate, Levels, Rows
from personae.records.files import read_arrays, read_json
from personae.studies import study as runner
from personae.studies.request import StudyRequest
from personae.studies.study import Found, Setting, Study
from personae.workflows.trainings import Measured, Training
from personae.workflows.trial import Trial

PICTURE = Rows("What changed", "nats", (Compared("one", Estimate(0.5, 0.4, 0.6)),))
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
    return [Training("one", seed=seed)]


# -- what is kept ------------------------------------------------------------------------------------------------------
def test_a_study_keeps_tables_and_a_result_beside_its_finding(asked, tiny_lab, tmp_path):
    table = {"arm": ["a", "b"], "shift": [0.5, float("nan")]}
    found = replace(FOUND, tables={"cells.parquet": table}, result={"score": np.float64(0.25), "none": float("nan")})
    run = study(one, lambda *_: found).run(StudyRequest(model=str(tiny_lab), out=tmp_path / "run"))
    kept = read_arrays(tmp_path / "run" / "cells.parquet")
    assert list(kept["arm"]) == table["arm"]
    assert np.array_equal(kept["shift"], table["shift"], equal_nan=True)
    assert run.result["result"] == {"score": 0.25, "none": None}
    assert read_json(tmp_path / "run" / "finding.json") == run.result


@pytest.mark.parametrize("name", ["cells.csv", "../cells.parquet", "deep/cells.parquet"])
def test_a_table_is_kept_as_a_parquet_file_of_the_run_folder_alone(name):
    with pytest.raises(ValueError, match="parquet"):
        replace(FOUND, tables={name: {"arm": ["a"]}})


def test_columns_of_unequal_length_are_no_table():
    with pytest.raises(ValueError, match=r"cells\.parquet differ in length"):
        replace(FOUND, tables={"cells.parquet": {"arm": ["a", "b"], "shift": [1.0]}})
