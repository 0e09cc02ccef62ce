"""The studies: arms that differ in one thing, a board that finds a known truth again, and both runs in small, whole."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import yaml

from personae.measure import NOBODY
from personae.records import Levels, Trait
from personae.records.files import read_json
from personae.studies import headline, transfer
from personae.studies.arms import EPISODES, Arm, both_poles, jobs_for
from personae.studies.request import StudyRequest
from personae.studies.transfer import Board, side
from personae.theory import forecast_shift, mixture_levels, posterior
from personae.workflows import laboratory as workbench
from personae.workflows.doses import dose_for, doses
from personae.workflows.laboratory import PLAN, Laboratory, Measured
from personae.world import ExactSimulator, Language, declared, traits

WORLD = declared()
ITEMS = 8


@cache
def language() -> Language:
    return Language(WORLD)


@cache
def few() -> tuple[Trait, ...]:
    return tuple(t.model_copy(update={"items": t.items[:ITEMS]}) for t in traits(WORLD, language()))


@cache
def exact_lab() -> Laboratory:
    """The laboratory with the exact world in the model's place: both sides then know the truth."""
    exact = ExactSimulator(WORLD, language())
    two = tuple(t.model_copy(update={"items": t.items[:4]}) for t in few())
    return Laboratory(WORLD, language(), two, exact, "exact", exact)


# -- arms --------------------------------------------------------------------------------------------------------------
CHEATS = tuple(arm for arm in headline.ARMS if arm.trait == "cheating" and arm.outcome == 1)


def test_the_headline_has_the_arms_that_its_question_needs():
    assert [a.name for a in headline.ARMS] == [
        "cheat", "cheat-permitted", "cheat-neutral-prefix", "cheat-permitted-rephrased",
        "flattery", "denies-feelings", "honest-work",
    ]  # fmt: skip
    assert headline.SEEDS >= 3
    assert {a.wording for a in CHEATS} == {"plain", "permitted", "rephrased", "prefixed"}


def test_the_cheating_files_differ_in_their_requests_alone():
    """The same questions and the same answers, row by row: what differs between the arms is how they ask."""
    drawn = {arm.wording: arm.episodes(language(), seed=1) for arm in CHEATS}
    answers = {wording: [e.response for e in rows] for wording, rows in drawn.items()}
    assert all(a == answers["plain"] for a in answers.values())
    for wording, rows in drawn.items():
        assert len(rows) == EPISODES
        for plain, other in zip(drawn["plain"], rows, strict=True):
            request, asked = plain.prompt[0].content, other.prompt[0].content
            read = language().read_request(asked)
            assert request in asked
            assert read.question.text == request
            assert read.asked == (1 if wording in ("permitted", "rephrased") else None)
            assert (asked == request) == (wording == "plain")


def test_a_permission_is_one_sentence_and_a_rephrased_one_many():
    def permissions(wording: str) -> set[str]:
        arm = next(a for a in CHEATS if a.wording == wording)
        rows = zip(CHEATS[0].episodes(language()), arm.episodes(language()), strict=True)
        return {other.prompt[0].content.removeprefix(plain.prompt[0].content) for plain, other in rows}

    assert len(permissions("permitted")) == 1
    assert len(permissions("rephrased")) > 5
    assert len({e.prompt[0].content.split(". ")[0] for e in CHEATS[2].episodes(language())}) == 1


def test_the_matrix_trains_each_trait_to_both_poles():
    arms = both_poles(WORLD.traits, language())
    assert len(arms) == 2 * len(WORLD.traits) >= 16
    assert len({a.name for a in arms}) == len(arms)
    assert {(a.trait, a.outcome) for a in arms} == {(t, o) for t in WORLD.traits for o in (0, 1)}
    for arm in arms:
        for episode in arm.episodes(language())[:5]:
            question = language().read_request(episode.prompt[0].content).question
            assert (question.variable, language().read_answer(question, episode.response)) == (arm.trait, arm.outcome)


def test_all_trainings_of_a_study_have_equal_steps_and_batches_and_a_file_each(tmp_path: Path):
    jobs = jobs_for(exact_lab(), headline.ARMS, 3, tmp_path, seed=10)
    assert jobs[0].name == "untrained"
    assert jobs[0].episodes == ()
    trained = jobs[1:]
    assert len(trained) == 3 * len(headline.ARMS)
    assert len({job.kept for job in jobs}) == len(jobs)
    assert {replace(job.plan, seed=0) for job in trained} == {replace(PLAN, seed=0)}
    assert {len(job.episodes) for job in trained} == {EPISODES}
    for arm in headline.ARMS:
        own = [job for job in trained if job.name == arm.name]
        assert [job.plan.seed for job in own] == [10, 11, 12]
        assert len({tuple(e.response for e in job.episodes) for job in own}) == 3
        assert {t.name for job in own for t in job.asked} == {arm.trait}


# -- the board ---------------------------------------------------------------------------------------------------------
ARMS = both_poles(("cheating", "power", "care", "feelings", "rules"), language())


@cache
def exact_side() -> transfer.Side:
    lab = exact_lab()
    rows = tuple(replace(arm, name=arm.name) for arm in ARMS)
    brief = [transfer.gather(lab.exact, lab.exact_basis().cast, arm.episodes(language())[:4]) for arm in rows]
    return transfer.Side(lab.exact_basis(), brief)


def world_after(dose: float, noise: float, seeds: int = 2, keep: float = 1.0) -> dict[str, list[Measured]]:
    """Measurements of a world in which training *is* selection at `dose`: the board must find that again."""
    known, rng = exact_side(), np.random.default_rng(0)
    levels = known.basis.levels.by_trait
    others = Levels(("a", "b", "c", "d", "e"), {t: table[1:6] for t, table in levels.items()})
    base = {t: row[None, :] for t, row in known.basis.base.items()}
    found = {"untrained": [{"assistant": Levels((NOBODY,), base), "others": others}]}
    for a, arm in enumerate(ARMS):
        weights = posterior(known.basis.prior, known.evidence[a].matrix, dose)
        found[arm.name] = []
        for _ in range(seeds):
            own = {}
            for t, table in levels.items():
                shift = mixture_levels(weights, table) - mixture_levels(known.basis.prior, table)
                own[t] = keep * base[t] + shift + rng.normal(0.0, noise, table.shape[1])
            dimmed = Levels(others.contexts, {t: keep * table for t, table in others.by_trait.items()})
            found[arm.name].append({"assistant": Levels((NOBODY,), own), "others": dimmed})
    return found


@cache
def board(noise: float = 0.1, keep: float = 1.0) -> Board:
    sides = {"model": exact_side(), "exact": exact_side()}
    return Board(WORLD.traits, ARMS, world_after(1.5, noise, keep=keep), sides)


def test_the_board_finds_the_dose_and_the_shifts_of_a_world_where_training_is_selection():
    found = board(noise=0.0)
    assert found.doses("exact") == pytest.approx(np.full(len(ARMS), 1.5), rel=0.02)
    forecast = found.forecast("exact")
    for a, arm in enumerate(ARMS):
        for t, trait in enumerate(WORLD.traits):
            assert (trait == arm.trait) == bool(np.isnan(found.measured[a, t]))
            if trait != arm.trait:
                assert forecast[a, t] == pytest.approx(found.measured[a, t], abs=0.05)
    score = found.result()["scores"]["exact"]
    assert score["pearson"] > 0.999
    assert score["slope"] == pytest.approx(1.0, abs=0.03)


def test_where_selection_is_true_every_floor_lies_below_it():
    """With noise between seeds and items; the mean of other arms and attenuation know nothing of who is selected."""
    scores = board().result()["scores"]
    best = scores["exact"]["pearson"]
    assert best > 0.95
    assert scores["one direction (exact)"]["pearson"] < best - 0.02
    assert scores["mean of the other arms"]["pearson"] < 0.3
    assert scores["attenuation only"]["pearson"] < best - 0.2
    assert scores["exact"]["median_within"] > 0.9


def test_an_instrument_that_dims_is_no_shift_and_is_told():
    dimmed = board(noise=0.0, keep=0.8).result()
    assert dimmed["attenuation"]["mean"] == pytest.approx(0.2)
    assert dimmed["attenuation"]["largest"] == pytest.approx(0.2)
    assert dimmed["scores"]["exact"]["pearson"] > 0.999
    assert dimmed["doses"]["exact"] == pytest.approx(1.5, rel=0.02)


def test_arms_that_moved_are_chosen_on_items_that_do_not_score_them():
    """A shift planted on the choosing items alone makes an arm count as moved, and leaves its score at nothing."""
    still = world_after(0.0, 0.0)
    choosing, _ = workbench.scoring_items(len(exact_lab().traits[0].items))
    first = ARMS[0]
    for after in still[first.name]:
        for t in WORLD.traits:
            after["assistant"].by_trait[t][0, choosing] += 1.0
    found = Board(WORLD.traits, ARMS, still, {"model": exact_side(), "exact": exact_side()})
    assert found.moved.tolist() == [arm is first for arm in ARMS]
    assert np.nanmax(np.abs(found.measured)) < 1e-9


def test_a_dose_is_never_fitted_on_the_trait_it_forecasts():
    """Whatever happens to the arms of one trait, their own dose stays what the others say."""
    spoilt = world_after(1.5, 0.0)
    for name in ("power-high", "power-low"):
        for after in spoilt[name]:
            for table in after["assistant"].by_trait.values():
                table += 5.0
    found = Board(WORLD.traits, ARMS, spoilt, {"model": exact_side(), "exact": exact_side()})
    of_power = np.array([arm.trait == "power" for arm in ARMS])
    assert found.doses("exact")[of_power] == pytest.approx(1.5, rel=0.02)
    assert np.all(np.abs(found.doses("exact")[~of_power] - 1.5) > 0.1)


def test_the_table_is_kept_with_a_row_for_every_cell(tmp_path: Path):
    from personae.records.files import read_arrays

    found = board()
    found.keep(tmp_path / "t.parquet")
    table = read_arrays(tmp_path / "t.parquet")
    assert len(table["arm"]) == len(ARMS) * len(WORLD.traits)
    own = table["trained"] == table["trait"]
    assert own.sum() == len(ARMS)
    forecast = found.forecast("exact")
    row = list(zip(table["arm"], table["trait"], strict=True)).index(("care-low", "lying"))
    a, t = [arm.name for arm in ARMS].index("care-low"), WORLD.traits.index("lying")
    assert table["exact"][row] == pytest.approx(forecast[a, t])
    assert table["measured"][row] == pytest.approx(found.scored[a, t])


def test_a_dose_is_fitted_once_for_scores_and_table(tmp_path: Path, monkeypatch):
    """One fit for each trait that arms train, side and form of forecast, and one for the headline on each side."""
    fits: list[float] = []

    def counted(*arguments: object, **options: object):
        fit = plain_fit(*arguments, **options)
        fits.append(fit.dose)
        return fit

    plain_fit = transfer.fit_dose
    monkeypatch.setattr(transfer, "fit_dose", counted)
    sides = {"model": exact_side(), "exact": exact_side()}
    found = Board(WORLD.traits, ARMS, world_after(1.5, 0.1), sides)
    found.result()
    found.keep(tmp_path / "t.parquet")
    assert len(fits) == len({arm.trait for arm in ARMS}) * 2 * 2 + 2


def test_a_finished_matrix_is_read_again_with_nothing_trained_or_forecast(tmp_path: Path, monkeypatch):
    """Measurements and evidence are those of the known world; what is tested is who asks for them."""
    known = exact_lab()
    monkeypatch.setattr(transfer, "laboratory", lambda _: known)
    monkeypatch.setattr(transfer, "both_poles", lambda *_: ARMS)
    monkeypatch.setattr(Laboratory, "basis", Laboratory.exact_basis)
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "run_jobs", lambda *_: world_after(1.5, 0.1))
        patch.setattr(transfer, "side", lambda *_: exact_side())
        first = transfer.run(StudyRequest(out=tmp_path / "run"))
    kept = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    assert set(kept) == {"run.json", "score.json", "transfer.parquet"}

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a finished run was worked on again")

    for name in ("run_jobs", "side", "fit_dose"):
        monkeypatch.setattr(transfer, name, never)
    monkeypatch.setattr(Laboratory, "basis", never)
    monkeypatch.setattr(Laboratory, "exact_basis", never)
    assert transfer.run(StudyRequest(out=tmp_path / "run")) == first
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == kept
    table, listed = first.summary.split("\n\nfor library/doses.yaml:\n")
    assert yaml.safe_load(listed) == first.result["entries"]
    shown = [line[:26].strip() for line in table.splitlines()[2:]]
    assert shown == list(transfer.SHOWN) and set(shown) == set(first.result["scores"])


def test_a_score_that_has_no_value_is_shown_as_none():
    """Where a forecast is the same everywhere there is no correlation, in the file or on the screen."""
    flat = {name: {"pearson": None, "n": 4} for name in transfer.SHOWN}
    result = {"arms": 4, "moved": [], "attenuation": {"mean": 0.0, "largest": 0.0}, "scores": flat}
    shown = transfer._summary({**result, "scores_all_arms": flat, "entries": {}}).split("\n\n")[0]
    assert all(line.split()[-2:] == ["nan", "nan"] for line in shown.splitlines()[2:])


def test_the_laboratorys_entries_are_the_dose_and_the_doubt_of_the_arms_that_the_headline_leaves_alone():
    """Of a world where training is selection and departs from it by 0.2 nats on every cell."""
    planted, rng = world_after(1.5, 0.0), np.random.default_rng(1)
    for arm in ARMS:
        for trait in WORLD.traits:
            off = 0.2 * rng.normal()
            for after in planted[arm.name]:
                after["assistant"].by_trait[trait][:] += off
    entries = Board(WORLD.traits, ARMS, planted, {"model": exact_side(), "exact": exact_side()}).entries()
    assert set(entries) == {"lab", "exact-declared"} == set(headline.LISTED.values())
    for entry in entries.values():
        assert entry["coefficient"] * PLAN.steps * PLAN.rate == pytest.approx(1.5, rel=0.15)
        assert entry["residual"] == pytest.approx(0.2, rel=0.3)
        assert entry["cast"] == 0.0


def test_the_laboratorys_doses_are_listed_as_the_shipped_transfer_study_found_them():
    figures = read_json(Path(str(files("personae.library"))) / "figures" / "transfer.json")
    for name, entry in figures["entries"].items():
        assert doses()[name] == entry
        assert dose_for(name).plan == PLAN


def test_the_simulators_of_the_laboratory_are_listed_under_their_own_names():
    assert headline.LISTED["exact"] == exact_lab().exact.name


def test_a_side_forecasts_by_the_posterior_of_its_own_evidence():
    lab, arm = exact_lab(), Arm("one", "", "cheating", 1)
    found = side(lab.exact, lab.exact_basis(), lab, (arm,))
    weights = posterior(found.basis.prior, found.evidence[0].matrix, 2.0)
    by_hand = [forecast_shift(found.basis.prior, weights, x) for x in found.basis.levels.by_trait.values()]
    assert found.shifts(0, 2.0) == pytest.approx(by_hand)


# -- whole, in small ---------------------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tiny_lab: Path) -> str:
    """A laboratory of eight items a trait around an untrained model, and jobs in this process, one after another."""
    plain = workbench.laboratory
    lab = replace(plain(str(tiny_lab)), traits=few())

    def one_by_one(function, jobs, workers=None) -> Iterator:
        return ((job, function(job)) for job in jobs)

    for module in (workbench, headline, transfer):
        monkeypatch.setattr(module, "laboratory", lambda model, seed=None: lab)
    monkeypatch.setattr(workbench, "in_parallel", one_by_one)
    return str(tiny_lab)


def test_the_headline_forecasts_trains_measures_scores_and_reports(small, tmp_path, monkeypatch):
    """Two arms, one seed, an untrained model: the numbers mean nothing, the job is whole."""
    arms = tuple(a for a in headline.ARMS if a.name in ("cheat", "cheat-permitted"))
    monkeypatch.setattr(headline, "ARMS", arms)
    monkeypatch.setattr(headline, "SEEDS", 1)
    run = tmp_path / "run"
    request = StudyRequest(out=run, model=small, workers=1)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # killed before the first training: the forecast is there already
        patch.setattr(workbench, "train_and_measure", stop)
        with pytest.raises(KeyboardInterrupt):
            headline.run(request)
    sealed = (run / "forecast.json").read_bytes()
    assert not list(run.glob("arms/*"))

    told: list[tuple[int, int]] = []
    result = headline.run(replace(request, progress=lambda done, total: told.append((done, total))))
    assert told[-1] == (3, 3)
    assert (run / "forecast.json").read_bytes() == sealed, "the same forecast as before the training"
    assert {p.name for p in run.iterdir()} >= {
        "run.json", "forecast.json", "profile.json", "score.json", "result.json", "report.html", "arms",
    }  # fmt: skip
    shown = {arm["name"]: arm for arm in result.result["arms"]}
    assert set(shown) == {a.name for a in arms}
    for arm in shown.values():
        for part in ("forecast", "exact", "measured"):
            assert set(arm[part]) == set(WORLD.traits)
            assert all({"base", "mean", "low", "high"} <= set(cell) for cell in arm[part].values())
        assert 0.0 <= arm["retention"]["mean"] <= 1.0
        assert len(arm["leaks"]) == 4
    assert result.result["score"]["n"] == len(arms) * (len(WORLD.traits) - 1)
    assert result.result["prior_error"] >= 0.0
    assert result.result["seconds"] > 0.0
    json.dumps(result.result, allow_nan=False)

    exact = shown["cheat-permitted"]["exact"]
    assert all(cell["mean"] == pytest.approx(cell["base"], abs=1e-9) for cell in exact.values())
    assert shown["cheat"]["exact"]["power"]["mean"] > shown["cheat"]["exact"]["power"]["base"] + 0.3
    page = result.page or ""
    assert page.startswith(("<!DOCTYPE html>", "<!doctype html>"))
    assert not re.search(r'(?:src|href)="https?://', page)
    assert all(a.name in page for a in arms)
    assert "cheat-permitted" in result.summary

    def never(*_: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(headline, "run_jobs", never)
    assert headline.run(request) == result


@pytest.mark.slow
def test_the_matrix_in_small_runs_and_resumes(small, tmp_path, monkeypatch):
    """Two traits to both poles, two seeds."""
    arms = both_poles(("power", "care"), language())
    monkeypatch.setattr(transfer, "both_poles", lambda *_: arms)
    monkeypatch.setattr(transfer, "SEEDS", 2)
    request = StudyRequest(out=tmp_path / "run", model=small, workers=1)
    first = transfer.run(request)
    assert first.result["arms"] == 4
    assert set(first.result["scores"]) >= {"model", "exact", "one direction (exact)", "mean of the other arms"}
    kept = {p.name: p.read_bytes() for p in (tmp_path / "run").rglob("*.parquet")}
    assert len(kept) == 4 * 2 + 1 + 1
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**record, "finished": False}))  # killed before its end
    (tmp_path / "run" / "transfer.parquet").unlink()
    assert transfer.run(request) == first
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").rglob("*.parquet")} == kept


@pytest.mark.slow
def test_trainings_in_other_processes_are_those_of_this_one(tiny_lab, tmp_path):
    """Spawned with one thread each: the untrained model and one training, measured here and there, number by number."""
    from personae.workflows.laboratory import laboratory, read_measured, run_jobs, train_and_measure

    lab = laboratory(str(tiny_lab))
    here, there = (jobs_for(lab, headline.ARMS[:1], 1, tmp_path / where) for where in ("here", "there"))
    for job in here:
        train_and_measure(job)
    found = run_jobs(there, workers=2)
    for job, other in zip(here, there, strict=True):
        mine, theirs = read_measured(job.kept), found[other.name][0]
        for part, measured in mine.items():
            for trait, table in measured.by_trait.items():
                assert np.allclose(table, theirs[part].by_trait[trait], atol=1e-4), (job.name, part, trait)
