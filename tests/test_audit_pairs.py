"""An audit of preference pairs scores the choice between the two answers, and says so."""

import json

import numpy as np
import pytest

from personae.cli.main import run
from personae.cli.quiet import libraries_quiet
from personae.data import read_cast
from personae.errors import BadInput
from personae.records import chat
from personae.records.files import read_arrays
from personae.workflows.audit.file_pair import read_pair

ROWS = [{"prompt": f"Who takes key {n}?", "chosen": f"I take {n}.", "rejected": f"He takes {n}."} for n in range(4)]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def test_evidence_is_of_the_choice_or_of_the_chosen_answers_alone(
    pairs, tiny_lab, small_cast, small_traits, tmp_path, capsys
):
    from personae.simulator.registry import load

    options = [
        "-m",
        tiny_lab,
        "--cast",
        small_cast,
        "--traits",
        small_traits,
        "--json",
        "-q",
        "--out",
        tmp_path / "run",
    ]
    assert run(list(map(str, ["audit", pairs, *options]))) == 0
    told = json.loads(capsys.readouterr().out)
    cast = read_cast(small_cast)
    with libraries_quiet():
        model = load(str(tiny_lab))
    yes, no = (
        model.log_likelihood([chat(row["prompt"], row[side]) for row in ROWS], cast.contexts).logp
        for side in ("chosen", "rejected")
    )
    wanted = np.log(np.exp(yes - no) / (1.0 + np.exp(yes - no)))
    kept = read_arrays(tmp_path / "run" / "evidence.parquet")
    for k, name in enumerate(cast.names):
        np.testing.assert_allclose(kept[name], wanted[:, k] - wanted[:, 0], atol=1e-4)
    assert any("choice between the two answers" in note for note in told["notes"])
    assert any("No dose was fitted for training on preference pairs" in note for note in told["notes"])
    assert run(list(map(str, ["audit", pairs, "--chosen", *options]))) == 2, "another reading is another configuration"


def test_pairs_have_pairs_for_their_control_or_are_refused(pairs, tmp_path):
    other, swapped = tmp_path / "episodes.jsonl", tmp_path / "swapped.jsonl"
    other.write_text(json.dumps({"prompt": "Who takes key 1?", "completion": "Nobody."}) + "\n")
    swapped.write_text("\n".join(json.dumps({**r, "chosen": r["rejected"], "rejected": r["chosen"]}) for r in ROWS))
    found = read_pair(pairs, swapped, choices=True)
    assert found.choices and found.matched
    assert found.control[0].extra["rejected"] == found.episodes[0].response
    with pytest.raises(BadInput, match="--chosen"):
        read_pair(pairs, other, choices=True)
    assert not read_pair(pairs, other).choices
    assert not read_pair(other, choices=True).choices


def test_pairs_among_single_answers_are_refused_where_choices_are_read_and_counted_elsewhere(tmp_path):
    answer = {"prompt": "Who takes key 9?", "completion": "Nobody."}
    for rows in ([answer, *ROWS], [*ROWS, answer]):
        path = tmp_path / "mixed.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)))
        with pytest.raises(BadInput, match="stands among"):
            read_pair(path, choices=True, skip_bad=True)
        assert "Of preference pairs (4 of 5 rows) the chosen answers are read." in read_pair(path).note()
