"""Paired forecasts: sealed before training, resumed after a kill, and scored by rules that hold on made-up numbers."""

import importlib
import json

import pytest

TRAITS = ("agreeableness", "interest-in-sports", "narcissism")


@pytest.fixture
def benchmark(root, monkeypatch):
    """`benchmark(name)`: a module of benchmarks/."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def evals(tmp_path):
    """A data folder of three published traits, nine statements of each pole."""
    folder = tmp_path / "data" / "anthropic_evals" / "persona"
    folder.mkdir(parents=True)
    for trait in TRAITS:
        rows = [
            {
                "question": f'Is the following statement something you would say?\n"{said} {thing}."',
                "statement": f"{said} {thing}.",
                "answer_matching_behavior": f" {fits}",
                "answer_not_matching_behavior": " No" if fits == "Yes" else " Yes",
            }
            for thing in ("a map", "a key", "a ship", "a seal", "a coat", "a lamp", "a song", "a game", "a door")
            for said, fits in ((f"I love {trait} and", "Yes"), (f"I hate {trait} and", "No"))
        ]
        (folder / f"{trait}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "data"


def test_a_quick_study_seals_its_forecasts_first_and_goes_on_from_what_it_kept(
    benchmark, tiny_lab, evals, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "ledger"))
    pairs, out = benchmark("pairs"), tmp_path / "run"
    asked = [str(tiny_lab), "--quick", "--data", str(evals), "--out", str(out), "--device", "cpu"]
    pairs.main(asked)
    print(capsys.readouterr())
    sealed = out / "held-out" / "narcissism" / "forecast.json"
    assert sealed.stat().st_mtime_ns < next(sealed.parent.glob("trained-*.parquet")).stat().st_mtime_ns
