"""Every study, whole and in small: its arms are trained and measured for real, read, and shown on a page.

The models are untrained: the numbers mean nothing, the job is whole. The headline's is in `test_studies`.
"""

from typing import get_args

import pytest
from markupsafe import escape

from personae.records.files import read_json
from personae.records.finding import Verdict
from personae.studies import STUDIES, find
from personae.studies.request import StudyRequest
from personae.workflows.lab import trainings
from small_studies import make_small, place_checkpoints


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "headline"])
def test_a_study_trains_measures_reads_and_reports_and_trains_nothing_twice(name, tiny_lab, tmp_path, monkeypatch):
    place_checkpoints(tiny_lab, tmp_path / "models", monkeypatch)
    make_small(monkeypatch)
    run, told = tmp_path / "run", []
    request = StudyRequest(out=run, quick=True, progress=lambda done, total: told.append((done, total)))
    first = find(name).run(request)
    found, kept = first.finding, sorted(run.glob("trainings/*.parquet"))
    assert found is not None and found.study == name
    assert found.bars and all(isinstance(bar.value, float) for bar in found.bars)
    assert found.verdict in get_args(Verdict)
    assert told[0] == (0, len(kept)) and told[-1] == (len(kept), len(kept)) and found.trainings < len(kept)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page == first.page
    assert "<svg" in page and all(str(escape(picture.title)) in page for picture in (found.picture, *found.more))
    assert read_json(run / "finding.json") == {key: one for key, one in first.result.items() if key != "took"}
    assert first.result["study"] == name and len(first.result["bars"]) == len(found.bars)

    def never(*_: object) -> None:
        raise AssertionError("what was trained is trained again")

    monkeypatch.setattr(trainings, "train_and_measure", never)
    assert find(name).run(request).result == first.result
    assert sorted(run.glob("trainings/*.parquet")) == kept
