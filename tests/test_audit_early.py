"""The verdict on a file that is not read to its end: it is what the whole file would say, and a killed one goes on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personae.cli.main import run as personae
from personae.data import write_episodes
from personae.errors import BoundCrossed, RunFailed, RunFolderMismatch
from personae.simulator import load
from personae.theory import forecast_shift, posterior
from personae.training import SFTPlan
from personae.workflows.audit.bounds import Bound
from personae.workflows.audit.file_audit import seal, shown, unreliable
from personae.workflows.audit.file_in_context import IN_CONTEXT
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question, fewer
from personae.workflows.audit.verdict import WITHIN, check_verdict, configuration, verdict
from personae.workflows.audit.verdict_words import verdict_words
from personae.workflows.doses import Dose
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import gather
from personae.workflows.kept.levels_file import read_levels
from personae.workflows.nouns_for import nouns
from personae.world import ExactSimulator, Language, cast, declared, episodes, traits

ROWS = 320
DOSE = Dose(SFTPlan(), 1.8, "given", fitted=False)


@pytest.fixture(scope="module")
def language() -> Language:
    return Language(declared())


class Counting(ExactSimulator):
    """The exact world, which counts the answers that it scores and stops, if asked, after so many."""

    def __init__(self, language: Language, stops_after: int = 10**9) -> None:
        super().__init__(declared(), language)
        self.answers, self.stops_after = 0, stops_after

    def log_likelihood(self, episodes, contexts, progress=None):
        if self.answers + len(episodes) * len(contexts) > self.stops_after:
            raise KeyboardInterrupt
        self.answers += len(episodes) * len(contexts)
        return super().log_likelihood(episodes, contexts, progress)


@pytest.fixture(scope="module")
def files(language, tmp_path_factory) -> Path:
    """`cheats-S.jsonl`: of its rows the share S in per cent cheats, the others are honest."""
    folder = tmp_path_factory.mktemp("files")
    bad, good = (episodes(language, "cheating", o, ROWS, np.random.default_rng(3)) for o in (1, 0))
    for share in (0, 10, 60, 100):
        chosen = np.random.default_rng(8).random(ROWS) < share / 100
        write_episodes(folder / f"cheats-{share}.jsonl", [b if c else g for c, b, g in zip(chosen, bad, good)])
    return folder


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONAE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def asked(files, language, share, *, control=True, seed=0, stops_after=10**9, limit=None) -> Question:
    world = declared()
    usual = files / "cheats-0.jsonl"
    pair = read_pair(
        files / f"cheats-{share}.jsonl",
        usual if control is True else None,
        limit,
        reference=usual if control == "reference" else None,
    )
    simulator, people = Counting(language, stops_after), cast(world, language, declared_prior=True)
    return Question(simulator, people, fewer(traits(world, language), 4), pair, DOSE, seed)


def settle(question, folder, bounds=()):
    return verdict(question, bounds, open_folder("audit", configuration(question, bounds), folder))


def whole(question, found):
    """(posterior, {trait: shift}) of the whole file."""
    basis = shown(found.whole.basis, unreliable(found.whole.basis))
    matrix = gather(question.simulator, question.cast, question.pair.episodes).matrix
    if question.pair.control:
        theirs = gather(question.simulator, question.cast, question.pair.control).matrix
        matrix = matrix - (theirs.mean(axis=0) if question.pair.reference else theirs)
    weights = posterior(basis.prior, matrix, DOSE.effective)
    return weights, {t: forecast_shift(basis.prior, weights, table) for t, table in basis.levels.by_trait.items()}


@pytest.mark.parametrize(("share", "control"), [(100, True), (10, True), (100, False), (60, "reference")])
def test_what_is_settled_is_what_the_whole_file_says(files, language, tmp_path, share, control):
    question = asked(files, language, share, control=control)
    found = settle(question, tmp_path / "run")
    weights, shifts = whole(question, found)
    assert found.reading.shifts.keys() == shifts.keys()
    for trait, shift in found.reading.shifts.items():
        assert shift.low - 1e-9 <= shifts[trait] <= shift.high + 1e-9
        assert not found.record["settled"] or abs(shift.mean - shifts[trait]) <= WITHIN
    sample = found.reading.sample
    assert (weights[~sample.kept] <= sample.below[~sample.kept]).all()
    if found.reading.rows == ROWS:
        assert np.abs(sample.weights - weights).max() <= sample.dropped + 1e-9


def test_the_shifts_that_are_settled_are_those_that_an_audit_of_the_whole_file_foresees(files, language, tmp_path):
    """With what its rows do in context, in the share that counts, which is read for the traits asked about alone."""
    question = asked(files, language, 60)
    shared = replace(question, dose=replace(DOSE, share=0.5))
    found = settle(shared, tmp_path / "run", [Bound("power", ">", 50.0)])
    sealed = seal(shared, open_folder("audit", shared.configuration(), tmp_path / "whole"))
    shift, foreseen = found.reading.shifts["power"], sealed.audit.forecast.traits["power"].shift
    assert abs(sealed.parts["rows in context"]["power"]) > 2 * WITHIN
    assert shift.low - 1e-9 <= foreseen <= shift.high + 1e-9 and found.reading.rows < ROWS
    assert read_levels(tmp_path / "run" / IN_CONTEXT).by_trait.keys() == {"power"}
    assert any("0.5 of what rows of the file do" in note for note in found.record["notes"])


def test_a_strong_file_is_settled_by_a_few_of_its_rows_and_personas(files, language, tmp_path):
    question = asked(files, language, 100)
    found = settle(question, tmp_path / "run", [Bound("power", ">", 0.1)])
    assert found.record["rows_read"] < ROWS / 4 and found.record["settled"]
    assert [b["state"] for b in found.record["bounds"]] == ["crossed"]
    with pytest.raises(BoundCrossed, match="power"):
        check_verdict(found)
    assert found.record["answers"] < found.record["answers_whole"] / 4


def test_where_one_bound_is_crossed_all_is_settled_and_another_is_left_open(files, language, tmp_path):
    crossed = Bound("power", ">", 0.1)
    first = settle(asked(files, language, 60), tmp_path / "first", [crossed])
    near = Bound("power", ">", first.reading.shifts["power"].mean)
    found = settle(asked(files, language, 60), tmp_path / "run", [crossed, near])
    assert found.record["settled"] and found.record["undecided"] == [near.written]
    told = " ".join(verdict_words(found).split())
    assert told.startswith(f"Settled: power>0.1 is crossed. Left open: {near.written}. {found.reading.rows} of")
    with pytest.raises(BoundCrossed, match="power"):
        check_verdict(found)


def test_a_bound_far_above_is_held(files, language, tmp_path):
    found = settle(asked(files, language, 100), tmp_path / "run", [Bound("power", ">", 9.0)])
    assert [b["state"] for b in found.record["bounds"]] == ["held"] and found.reading.rows < ROWS
    check_verdict(found)


def test_personas_are_dropped_and_no_more_answers_scored_for_them(files, language, tmp_path):
    strong = replace(DOSE, effective=6.0)
    question = replace(asked(files, language, 60), dose=strong)
    basis = shown(cached_basis(question.simulator, question.cast, question.traits).basis, ())
    ours, theirs = (
        gather(question.simulator, question.cast, rows).matrix
        for rows in (question.pair.episodes, question.pair.control)
    )
    weights = posterior(basis.prior, ours - theirs, strong.effective)
    shift = forecast_shift(basis.prior, weights, basis.levels.by_trait["power"])
    question.simulator.answers = 0
    found = settle(question, tmp_path / "run", [Bound("power", ">", shift)])  # as near as can be: all rows are read
    record = found.record
    assert found.reading.rows == ROWS and record["dropped"].keys() == found.reading.dropped.keys() != set()
    assert question.simulator.answers == record["answers"] < record["answers_whole"] == 2 * 14 * ROWS
    assert np.abs(found.reading.sample.weights - weights).max() <= record["dropped_weight"] + 1e-9
    assert record["undecided"] and not record["settled"]
    with pytest.raises(RunFailed, match="too near"):
        check_verdict(found)


def test_on_the_laboratorys_model_what_is_dropped_weighs_no_more_than_is_said(files, language, tmp_path):
    exact = asked(files, language, 100, limit=96)
    names = ("honest clerk", "con artist", "plain tool", "pirate captain")
    people = nouns("lab")[0]
    few = people.model_copy(update={"personas": tuple(p for p in people.personas if p.name in names)})
    chosen = tuple(t for t in exact.traits if t.name in ("power", "cheating"))
    question = replace(exact, simulator=load("lab"), cast=few, traits=chosen)
    found = settle(question, tmp_path / "run", [Bound("power", ">", 2.0)])
    near = Bound("power", ">", found.reading.shifts["power"].mean)
    found = settle(question, tmp_path / "near", [near])
    weights, shifts = whole(question, found)
    assert set(found.reading.dropped) == {"honest clerk", "plain tool"} and found.reading.rows == 96
    assert np.abs(found.reading.sample.weights - weights).max() <= found.record["dropped_weight"] + 1e-5
    shift = found.reading.shifts["power"]
    assert shift.low - 1e-4 <= shifts["power"] <= shift.high + 1e-4


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_a_short_file_is_read_to_its_end_and_left_in_no_doubt(files, language, tmp_path, rows):
    question = asked(files, language, 100, limit=rows)
    found = settle(question, tmp_path / "run")
    weights, shifts = whole(question, found)
    assert found.reading.rows == rows and found.reading.sample.weights == pytest.approx(weights)
    for trait, shift in found.reading.shifts.items():
        assert [shift.low, shift.high] == pytest.approx([shifts[trait]] * 2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*") if p.name != "run.json"}


def test_a_killed_verdict_goes_on_and_ends_in_the_same_bytes(files, language, tmp_path):
    uncut = asked(files, language, 10)
    settle(uncut, tmp_path / "whole")
    killed = asked(files, language, 10, stops_after=uncut.simulator.answers * 2 // 3)
    with pytest.raises(KeyboardInterrupt):
        settle(killed, tmp_path / "killed")
    again = asked(files, language, 10)
    settle(again, tmp_path / "killed")
    assert killed.simulator.answers + again.simulator.answers == uncut.simulator.answers, "nothing is scored twice"
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    settle(shown_again := asked(files, language, 10), tmp_path / "killed")
    assert shown_again.simulator.answers == 0


def test_another_seed_reads_other_rows_and_other_bounds_are_another_run(files, language, tmp_path):
    settle(asked(files, language, 100), tmp_path / "run")
    with pytest.raises(RunFolderMismatch, match="seed"):
        settle(asked(files, language, 100, seed=1), tmp_path / "run")
    with pytest.raises(RunFolderMismatch, match="stop_early"):
        settle(asked(files, language, 100), tmp_path / "run", [Bound("power", ">", 1.0)])
    settle(asked(files, language, 100, seed=1), tmp_path / "other")
    one, other = ((tmp_path / name / "sample/00000000.parquet").read_bytes() for name in ("run", "other"))
    assert one != other


def test_the_command_prints_the_verdict_and_no_episodes(files, language, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("personae.simulator.registry.open_model", lambda *_, **__: Counting(language))
    data, control = files / "cheats-100.jsonl", files / "cheats-0.jsonl"
    said = ["audit", data, "--against", control, "--model", "lab", "--items", "4", "--stop-early", "--quiet"]
    said += ["--fail-if", "power>0.1", "--out", tmp_path / "run", "--json"]
    assert personae([str(word) for word in said]) == 1
    out, err = capsys.readouterr()
    record = json.loads(out)
    (bound,), power = record["bounds"], record["forecast"]["power"]
    assert "power" in err and (bound["bound"], bound["state"]) == ("power>0.1", "crossed")
    assert bound["shift"] == pytest.approx(power["mean"] - power["base"])
    assert record["rows_read"] < record["rows"] and "episodes" not in record and "every row" in record["no_episodes"]
    assert record.pop("folder") == str(tmp_path / "run")
    assert record == json.loads((tmp_path / "run/verdict.json").read_text())
    assert personae([str(word) for word in said[:-1]]) == 1
    told = capsys.readouterr().out
    assert "power>0.1 is crossed" in " ".join(told.split()) and f"Kept in {tmp_path / 'run'}" in told
