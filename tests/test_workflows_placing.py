"""A checkpoint that is put in place says what the run's own said, is half as large, and says so on its card."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from personae.cli.main import run
from personae.errors import BadInput, RunFailed
from personae.records.files import digest_file
from personae.simulator.registry import load
from personae.workflows.nouns_for import world_of
from personae.workflows.train import placing
from personae.workflows.train.placing import place
from personae.world import Language, declared, episodes


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run that kept a model on its way; what it learned is not examined here."""
    from personae.training import pretrain
    from personae.workflows.train import card

    folder = tmp_path_factory.mktemp("runs") / "p"
    options = ["--tokens", "2000", "--width", "32", "--keep-at", "1000", "--out", str(folder), "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        patch.setattr(pretrain, "BLOCK", 200)
        patch.setattr(card, "learned", lambda *_: card.Learned(0.01, 0.95, 0.9, 0.5))
        assert run(["pretrain", *options]) == 0
    return folder


def test_a_model_in_place_answers_as_before_from_half_the_bytes(finished, tmp_path):
    card = place(finished, "model", "lab/small", tmp_path / "small")
    before, after = (
        load_file(finished / "model" / "model.safetensors"),
        load_file(tmp_path / "small" / "model.safetensors"),
    )
    assert {weight.dtype for weight in after.values()} == {torch.bfloat16}
    assert all(torch.equal(after[name], weight.to(torch.bfloat16)) for name, weight in before.items())
    shown = episodes(Language(declared()), "care", 1, 5, np.random.default_rng(3))
    old, new = (load(str(m)).log_likelihood(shown, [""]).logp for m in (finished / "model", tmp_path / "small"))
    assert new == pytest.approx(old, abs=0.1)
    assert 0.0 < card["rounded"]["rms_nats"] <= placing.ROOM


def test_its_card_is_the_run_s_own_with_its_name_and_what_was_rounded(finished, tmp_path):
    card = place(finished, "model", "lab/small", tmp_path / "small")
    own = json.loads((finished / "model" / "card.json").read_text())
    assert card == json.loads((tmp_path / "small" / "card.json").read_text())
    assert {k for k in card if card[k] != own.get(k)} == {"name", "rounded", "sha256", "bytes"}
    assert card["name"] == "lab/small" and card["sha256"] == digest_file(tmp_path / "small" / "model.safetensors")
    assert "rounded to bfloat16" in (tmp_path / "small" / "README.md").read_text()
    assert world_of(str(tmp_path / "small")) is declared()


def test_one_kept_on_the_way_without_a_card_is_examined(finished, tmp_path, monkeypatch):
    from personae.workflows.train import card as examination

    monkeypatch.setattr(examination, "learned", lambda *_: examination.Learned(0.2, 0.1, 0.0, 0.0))
    kept = finished / "model-at-1000"
    (kept / "card.json").unlink()
    card = place(finished, kept.name, "lab/at-1K", tmp_path / "at")
    assert card["kept_at"] == 1000 and card["learned"]["prior_error"] == 0.2
    assert card["made_by"] == "personae pretrain --tokens 2000 --width 32 --keep-at 1000"


def test_a_folder_without_the_plan_of_its_run_is_refused(tmp_path):
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    with pytest.raises(BadInput, match=r"there is no plan.json"):
        place(tmp_path / "run", "model", "lab/small", tmp_path / "small")


def test_what_lay_there_is_replaced_and_nothing_half_made_is_left(finished, tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "old").write_text("old")
    place(finished, "model", "lab/small", tmp_path / "small")
    assert [p.name for p in tmp_path.iterdir()] == ["small"]
    assert not (tmp_path / "small" / "old").exists()


def test_a_rounding_that_changes_what_is_said_is_refused(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(placing, "ROOM", 1e-9)
    with pytest.raises(RunFailed, match="rounding"):
        place(finished, "model", "lab/small", tmp_path / "small")
    assert not (tmp_path / "small").exists()
