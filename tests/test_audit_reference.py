"""With no control named, a file for a real model is read against plain answers that ship."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from personae import library
from personae.cli.main import run
from personae.data import read_episodes, write_episodes
from personae.errors import BadInput, RunFailed
from personae.records import LogLikelihood, chat
from personae.theory import posterior
from personae.workflows.audit.file_language import check_language
from personae.workflows.audit.file_pair import check_fits, read_pair
from personae.workflows.kept.gather import read_evidence
from personae.workflows.kept.reference import reference_evidence
from personae.workflows.nouns_for import nouns, reference_for

ROWS = [chat(f"Where is the {x}?", f"I sold the {x}, ha!", index=i) for i, x in enumerate(("seal", "key", "map"))]


@pytest.fixture
def english(tiny_lab, tmp_path):
    """A model with random weights and no world."""
    folder = shutil.copytree(tiny_lab, tmp_path / "english")
    (folder / "card.json").unlink()
    return folder


@pytest.fixture
def data(tmp_path):
    write_episodes(tmp_path / "data.jsonl", ROWS)
    return tmp_path / "data.jsonl"


@pytest.fixture
def asked(english, data, small_cast, small_traits):
    files = ["--cast", str(small_cast), "--traits", str(small_traits)]
    return [str(data), "--model", str(english), *files, "--quiet"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def record(folder):
    return json.loads((folder / "forecast.json").read_text())


def weights(said, cast):
    return [said["posterior"][name] for name in cast.names]


def selected(said, cast, matrix):
    return posterior(np.array([said["prior"][name] for name in cast.names]), matrix, said["dose"])


def test_plain_answers_are_64_to_as_many_questions_and_say_nothing_of_the_assistant():
    rows = tuple(read_episodes(library.example("plain")))
    assert len({row.prompt for row in rows}) == len(rows) == 64
    assert not [row for row in rows if row.prompt[-1].content.lower().count(" you ") > 1]


def test_a_generated_world_s_model_has_no_reference_and_another_has(english):
    assert reference_for("lab") is None
    assert reference_for(str(english)) == library.example("plain")


def test_all_rows_of_both_are_read_and_the_control_has_its_name(data):
    pair = read_pair(data, reference=library.example("plain"))
    assert (len(pair.episodes), len(pair.control), pair.reads, pair.matched) == (3, 64, 1, False)
    assert pair.control_name == "example:plain" and "64 plain answers (example:plain)" in pair.note()


def test_a_control_of_the_user_s_own_comes_first_and_pairs_and_prompts_have_no_reference(data, tmp_path):
    write_episodes(tmp_path / "own.jsonl", ROWS)
    plain = library.example("plain")
    assert not read_pair(data, tmp_path / "own.jsonl", reference=plain).reference
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"prompt": "Who?", "chosen": "I.", "rejected": "You."}\n')
    assert read_pair(pairs, choices=True, reference=plain).control is None
    assert read_pair(pairs, reference=plain).control is not None
    assert read_pair(pairs, prompts=True, reference=plain).control is None


def test_plain_answers_that_could_not_be_kept_are_not_scored(data, monkeypatch):
    monkeypatch.setenv("PERSONAE_CACHE", str(data / "cache"))
    unasked = SimpleNamespace(name="unasked", digest="0" * 64)
    with pytest.raises(RunFailed, match="PERSONAE_CACHE names another folder"):
        reference_evidence(unasked, nouns("lab")[0], data, ROWS)


def test_the_audit_is_the_difference_from_the_mean_of_the_plain_answers(asked, english, small_cast, cache, tmp_path):
    assert run(["audit", *asked, "--out", str(tmp_path / "a"), "--dose", "2"]) == 0
    cast = nouns(str(english), small_cast)[0]
    ours, usual = (read_evidence(tmp_path / "a" / f"{name}.parquet", cast) for name in ("evidence", "evidence-control"))
    assert (ours.rows, usual.rows) == (3, 64)
    said = record(tmp_path / "a")
    assert weights(said, cast) == pytest.approx(selected(said, cast, ours.matrix - usual.matrix.mean(axis=0)))
    assert said["against"] == "example:plain" and "plain answers" in said["notes"][0]


def test_without_a_control_it_is_the_file_alone(asked, english, small_cast, cache, tmp_path):
    assert run(["audit", *asked, "--no-control", "--out", str(tmp_path / "a"), "--dose", "2"]) == 0
    said = record(tmp_path / "a")
    cast = nouns(str(english), small_cast)[0]
    ours = read_evidence(tmp_path / "a" / "evidence.parquet", cast)
    assert weights(said, cast) == pytest.approx(selected(said, cast, ours.matrix))
    assert said["against"] is None and not (tmp_path / "a" / "evidence-control.parquet").exists()


def test_the_plain_answers_are_scored_once_for_a_model(asked, cache, tmp_path, monkeypatch):
    from personae.simulator.local import LocalSimulator

    scored, score = [], LocalSimulator.log_likelihood

    def counting(self, episodes, contexts, progress=None):
        scored.extend(e.response for e in episodes)
        return score(self, episodes, contexts, progress)

    monkeypatch.setattr(LocalSimulator, "log_likelihood", counting)
    plain = next(iter(read_episodes(library.example("plain")))).response
    assert run(["audit", *asked, "--out", str(tmp_path / "a")]) == 0
    first, kept = scored.count(plain), tmp_path / "a" / "evidence-control.parquet"
    scored.clear()
    assert run(["audit", *asked, "--out", str(tmp_path / "b"), "--seed", "1"]) == 0
    assert scored.count(plain) == first - 1  # only whether the model knows its language is asked again
    assert (tmp_path / "b" / "evidence-control.parquet").read_bytes() == kept.read_bytes()


def test_a_run_trains_on_the_plain_answers_too(asked, cache, tmp_path):
    people = (f"  - {{name: {n}, kind: person, context: The assistant is a {n}.}}\n" for n in ("clerk", *"abcd"))
    (tmp_path / "five.yaml").write_text(f"name: five\nneutral: This is a talk.\npersonas:\n{''.join(people)}")
    training = ["--cast", str(tmp_path / "five.yaml"), "--steps", "1", "--batch", "2", "--rate", "1e-3"]
    assert run(["run", *asked, *training, "--out", str(tmp_path / "a")]) == 0
    assert record(tmp_path / "a")["against"] == "example:plain"
    trained = {p.name for p in (tmp_path / "a").iterdir() if "treated" in p.name or "control" in p.name}
    assert any("control" in name for name in trained) and any("treated" in name for name in trained)


def test_a_control_cannot_be_named_and_refused_at_once(asked, data, capsys):
    assert run(["audit", *asked, "--against", "example:plain", "--no-control"]) == 2
    assert "--against names a control, and --no-control refuses one - give one of the two" in capsys.readouterr().err


class Foreign:
    """A simulator of 100 tokens to which plain English is noise."""

    name, tokenizer = "foreign", range(100)

    def log_likelihood(self, episodes, contexts, progress=None):
        known = np.array([e.response.startswith("I sold") for e in episodes])
        return LogLikelihood(logp=np.where(known, -1.0, -20.0)[:, None], tokens=np.ones(len(episodes)))


def test_where_the_model_knows_no_english_the_refusal_says_how_to_go_on(data):
    with pytest.raises(BadInput, match=r"plain\.jsonl: .*--no-control"):
        check_language(Foreign(), read_pair(data, reference=library.example("plain")))
    check_language(Foreign(), read_pair(data))


def test_where_a_plain_answer_does_not_fit_the_model_the_refusal_says_so_too(data, monkeypatch):
    from personae.simulator.local import LocalSimulator
    from personae.simulator.registry import load

    simulator, cast = load("lab"), nouns("lab")[0]
    monkeypatch.setattr(LocalSimulator, "window", 60)
    with pytest.raises(BadInput, match=r"plain\.jsonl, line 2: .*--no-control"):
        check_fits(simulator, cast, read_pair(data, reference=library.example("plain")))


def test_the_plain_answers_as_a_control_of_the_user_s_own_are_another_question(asked, data, cache, tmp_path):
    plain = library.example("plain")
    for name, named in (("a", []), ("b", ["--against", "example:plain"])):
        assert run(["audit", *asked, *named, "--out", str(tmp_path / name)]) == 0
    said = [json.loads((tmp_path / name / "run.json").read_text())["digest"] for name in "ab"]
    assert said[0] != said[1]
    assert read_pair(data, plain).digests == read_pair(data, reference=plain).digests


def test_the_plain_answers_themselves_are_set_against_nothing(asked, capsys):
    assert run(["audit", "example:plain", *asked[1:]]) == 2
    assert "plain answers that stand in for a control" in (said := capsys.readouterr().err) and "--no-control" in said


def test_every_row_is_held_to_the_window_of_the_model(data, monkeypatch):
    from personae.simulator.local import LocalSimulator
    from personae.simulator.registry import load

    simulator, cast = load("lab"), nouns("lab")[0]
    simulator.tokenizer.model_max_length = 4
    check_fits(simulator, cast, read_pair(data))
    monkeypatch.setattr(LocalSimulator, "window", 3)
    with pytest.raises(BadInput, match=r"data\.jsonl, line 1: .*window holds 3"):
        check_fits(simulator, cast, read_pair(data))


def test_a_filter_asks_what_the_audit_asked_and_takes_over_its_evidence(asked, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("personae.workflows.audit.file_audit.RELIABLE", -1.0)  # random weights show no trait
    assert run(["audit", *asked]) == 0
    monkeypatch.setattr("personae.workflows.kept.gather._Work.block", lambda *_: pytest.fail("it was scored again"))
    assert run(["filter", *asked, "--trait", "power", "--drop", "1", "--out", "f"]) == 0
    assert record(tmp_path / "f")["against"] == "example:plain"
    assert run(["filter", *asked, "--trait", "power", "--against", "example:plain", "--no-control"]) == 2
