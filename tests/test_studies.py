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

from personae.errors import BadInput, RunFailed
from personae.ledger import Ledger, ledger_file, summary
from personae.measure import NOBODY
from personae.records import Levels, Trait
from personae.records.files import read_json, write_json
from personae.report.numbers import percent
from personae.studies import STUDIES, find, headline, study, transfer
from personae.studies import board as boards
from personae.studies.arms import Arm, both_poles
from personae.studies.board import EXACT, LABELS, MODEL, Board, Side
from personae.studies.lessons import EPISODES, WORDINGS
from personae.studies.request import StudyRequest
from personae.studies.study import UNTRAINED, Setting
from personae.theory import forecast_shift, mixture_levels, posterior
from personae.workflows.doses import dose_for, doses
from personae.workflows.lab import laboratory as workbench
from personae.workflows.lab import trainings
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.workflows.lab.trainings import Training
from personae.workflows.lab.trial import Trial, scoring_items
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


def test_a_model_of_the_real_world_is_no_laboratory(tmp_path):
    for wanted in (headline.run, find("emotions").run):
        with pytest.raises(BadInput, match=f"{tmp_path} is not of the laboratory"):
            wanted(StudyRequest(out=tmp_path / "run", model=str(tmp_path)))
    assert not list(tmp_path.iterdir())


def test_the_dose_of_another_model_than_the_shipped_one_is_a_guess(tiny_lab):
    shipped, other = (headline.doses_of(workbench.laboratory(name)) for name in ("lab", str(tiny_lab)))
    assert shipped["model"] == dose_for("lab") and shipped["model"].fitted
    assert other["exact"] == shipped["exact"]
    assert not other["model"].fitted and other["model"].effective == shipped["model"].effective
    assert other["model"].doubt.spread > shipped["model"].doubt.spread


# -- arms --------------------------------------------------------------------------------------------------------------
CHEATS = tuple(arm for arm in headline.ARMS if arm.trait == "cheating" and arm.outcome == 1)


def test_the_headline_has_the_arms_that_its_question_needs():
    assert [a.name for a in headline.ARMS] == [
        "cheat", "cheat-permitted", "cheat-neutral-prefix", "cheat-permitted-rephrased",
        "flattery", "denies-feelings", "honest-work",
    ]  # fmt: skip
    assert [len(StudyRequest(**size).every_seed) for size in ({"quick": True}, {}, {"full": True}, {"seeds": 5})] == [
        1, 3, 8, 5,
    ]  # fmt: skip
    assert {a.wording for a in CHEATS} == set(WORDINGS) - {"prefixed, permitted"}


def test_the_cheating_files_differ_in_their_requests_alone():
    """The same questions and the same answers, row by row: what differs between the arms is how they ask."""
    drawn = {arm.wording: arm.lesson(exact_lab(), seed=1).episodes for arm in CHEATS}
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
        rows = zip(CHEATS[0].lesson(exact_lab()).episodes, arm.lesson(exact_lab()).episodes, strict=True)
        return {other.prompt[0].content.removeprefix(plain.prompt[0].content) for plain, other in rows}

    assert len(permissions("permitted")) == 1
    assert len(permissions("rephrased")) > 5
    assert len({e.prompt[0].content.split(". ")[0] for e in CHEATS[2].lesson(exact_lab()).episodes}) == 1


def test_the_matrix_trains_each_trait_to_both_poles():
    arms = both_poles(exact_lab())
    assert len(arms) == 2 * len(WORLD.traits) >= 16
    assert len({a.name for a in arms}) == len(arms)
    assert {(a.trait, a.outcome) for a in arms} == {(t, o) for t in WORLD.traits for o in (0, 1)}
    for arm in arms:
        for episode in arm.lesson(exact_lab()).episodes[:5]:
            question = language().read_request(episode.prompt[0].content).question
            assert (question.variable, language().read_answer(question, episode.response)) == (arm.trait, arm.outcome)


def test_all_trainings_of_a_study_have_equal_steps_and_batches_and_an_answer_to_what_they_teach():
    every = [(arm, seed, arm.training(exact_lab(), seed)) for arm in headline.ARMS for seed in (10, 11, 12)]
    for arm, seed, training in every:
        (lesson,) = training.lessons
        assert (training.name, training.seed, training.model) == (arm.name, seed, exact_lab().model)
        assert lesson.plan == PLAN
        assert len(lesson.episodes) == EPISODES
        assert [probe.name for probe in training.probes] == [arm.probe]
    drawn = {tuple(e.response for e in training.lessons[0].episodes) for _, _, training in every}
    assert len(drawn) == 3 * len({(arm.trait, arm.outcome) for arm in headline.ARMS})


@pytest.mark.parametrize(("size", "steps", "asked"), [("quick", 1, 0), ("default", 1, 1), ("full", 2, 2)])
def test_the_matrix_has_every_trait_and_pole_and_by_its_size_permission_and_a_second_dose(size, steps, asked):
    setting = Setting(exact_lab(), StudyRequest(quick=size == "quick", full=size == "full"))
    drawn, count = transfer.arms(setting, 0), len(WORLD.traits)
    assert len(drawn) == len({training.name for training in drawn}) == steps * count * (2 + asked)
    assert len({training.lessons[0].plan.steps for training in drawn}) == steps
    assert {len(training.lessons[0].episodes) for training in drawn} == {EPISODES}


@pytest.mark.parametrize("name", sorted({*STUDIES} - {"headline", "capability", "alice-bob"}))  # these need the model
def test_a_full_study_can_tell_apart_all_that_it_measures(name):
    """Before any lesson a model is measured in all that its arms are, each thing under a name of its own."""
    drawn = find(name).jobs(Setting(exact_lab(), StudyRequest(full=True)))
    names = [job.name for job in drawn if job.seed == drawn[0].seed]
    assert names[0] == UNTRAINED
    assert len(names) == len(set(names))


# -- the board ---------------------------------------------------------------------------------------------------------
ABOUT = ("cheating", "power", "care", "feelings", "rules")
ARMS = tuple(arm for arm in both_poles(exact_lab()) if arm.trait in ABOUT)
ASKED = tuple(arm for arm in both_poles(exact_lab(), "permitted", (1,)) if arm.trait in ABOUT)


@cache
def known() -> Foresight:
    return Foresight(exact_lab().exact, exact_lab().exact_basis(), 500.0)


@cache
def exact_side(arms: tuple[Arm, ...] = ARMS) -> Side:
    """What the exact world says of the first rows of each file."""
    return Side(known().basis, [known().evidence(arm.lesson(exact_lab()).episodes[:4]) for arm in arms])


def world_after(dose: float, noise: float, seeds: int = 2, keep: float = 1.0, side: Side | None = None) -> list[Trial]:
    """Trials of a world in which training *is* selection at `dose`: the board must find that again."""
    side, rng = side or exact_side(), np.random.default_rng(0)
    levels = side.basis.levels.by_trait
    others = Levels(("a", "b", "c", "d", "e"), {t: table[1:6] for t, table in levels.items()})
    base = {t: row[None, :] for t, row in side.basis.base.items()}
    middle = {t: table.mean() for t, table in others.by_trait.items()}
    before, found = {"assistant": Levels((NOBODY,), base), "others": others}, []
    for arm, evidence in zip(ARMS, side.evidence, strict=True):
        weights, after = posterior(side.basis.prior, evidence, dose), []
        for _ in range(seeds):
            own = {}
            for t, table in levels.items():
                shift = mixture_levels(weights, table) - mixture_levels(side.basis.prior, table)
                own[t] = middle[t] + keep * (base[t] - middle[t]) + shift + rng.normal(0.0, noise, table.shape[1])
            drawn_in = {t: middle[t] + keep * (table - middle[t]) for t, table in others.by_trait.items()}
            dimmed = Levels(others.contexts, drawn_in)
            after.append({"assistant": Levels((NOBODY,), own), "others": dimmed})
        found.append(Trial(arm.name, before, tuple(after)))
    return found


def scored(trials: list[Trial], arms: tuple[Arm, ...] = ARMS) -> Board:
    return Board(arms, trials, {MODEL: exact_side(arms), EXACT: exact_side(arms)})


@cache
def board(noise: float = 0.1, keep: float = 1.0) -> Board:
    return scored(world_after(1.5, noise, keep=keep))


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
    choosing, _ = scoring_items(len(exact_lab().traits[0].items))
    for after in still[0].after:
        for t in WORLD.traits:
            after["assistant"].by_trait[t][0, choosing] += 1.0
    found = scored(still)
    assert found.moved.tolist() == [arm is ARMS[0] for arm in ARMS]
    assert np.nanmax(np.abs(found.measured)) < 1e-9


def test_a_dose_is_never_fitted_on_the_trait_it_forecasts():
    """Whatever happens to the arms of one trait, their own dose stays what the others say."""
    spoilt = world_after(1.5, 0.0)
    for trial in spoilt:
        for after in trial.after if trial.name in ("power-high", "power-low") else ():
            for table in after["assistant"].by_trait.values():
                table += 5.0
    found = scored(spoilt)
    of_power = np.array([arm.trait == "power" for arm in ARMS])
    assert found.doses("exact")[of_power] == pytest.approx(1.5, rel=0.02)
    assert np.all(np.abs(found.doses("exact")[~of_power] - 1.5) > 0.1)


def test_the_table_has_a_row_for_every_cell():
    found = board()
    table = {name: np.array(column) for name, column in found.columns(steps=8).items()}
    assert len(table["arm"]) == len(ARMS) * len(WORLD.traits)
    own = table["trained"] == table["trait"]
    assert own.sum() == len(ARMS)
    forecast = found.forecast("exact")
    row = list(zip(table["arm"], table["trait"], strict=True)).index(("care-low", "lying"))
    a, t = [arm.name for arm in ARMS].index("care-low"), WORLD.traits.index("lying")
    assert table["exact"][row] == pytest.approx(forecast[a, t])
    assert table["measured"][row] == pytest.approx(found.scored[a, t])


def test_a_dose_is_fitted_once_for_scores_and_table(monkeypatch):
    """One fit for each trait that arms train, side and form of forecast."""
    fits: list[float] = []

    def counted(*arguments: object, **options: object):
        fit = plain_fit(*arguments, **options)
        fits.append(fit.dose)
        return fit

    plain_fit = boards.fit_dose
    monkeypatch.setattr(boards, "fit_dose", counted)
    found = scored(world_after(1.5, 0.1))
    found.result()
    found.columns(steps=8)
    assert len(fits) == len({arm.trait for arm in ARMS}) * 2 * 2


def test_what_was_asked_for_has_no_say_in_dose_or_score_and_its_share_of_the_spread_is_told():
    """Permitted arms are planted half as large as the unasked ones, whatever was forecast of them."""
    both = (*ARMS, *ASKED)
    plain = world_after(1.5, 0.0)
    of = dict(zip(((a.trait, a.outcome) for a in ARMS), plain, strict=True))
    asked = []
    for arm in ASKED:
        trial = of[arm.trait, arm.outcome]
        half = [
            {**one, "assistant": Levels((NOBODY,), {t: 0.5 * (x + trial.before["assistant"].by_trait[t])
                                                    for t, x in one["assistant"].by_trait.items()})}
            for one in trial.after
        ]  # fmt: skip
        asked.append(Trial(arm.name, trial.before, tuple(half)))
    alone, found = scored(plain), scored([*plain, *asked], both)
    assert found.left_when_asked() == pytest.approx(0.5, abs=0.01)
    assert np.isnan(alone.left_when_asked())
    assert found.doses(EXACT)[: len(ARMS)] == pytest.approx(alone.doses(EXACT))
    assert found.result()["scores"][EXACT] == pytest.approx(alone.result()["scores"][EXACT])


def test_where_training_is_selection_the_study_holds(monkeypatch):
    """Of a few arms, in a setting where both sides are exact."""
    monkeypatch.setattr(transfer, "both_poles", lambda *_: ARMS)
    setting = Setting(exact_lab(), StudyRequest(quick=True))
    vars(setting).update(exact=known(), model=known())
    trials = world_after(1.5, 0.05, side=transfer.side(known(), setting))
    found = transfer.read(setting, {trial.name: trial for trial in trials})
    assert all(bar.met for bar in found.bars), [(b.says, b.value) for b in found.bars if not b.met]
    parts = {"entries", "left out", "scores", "scores_all_arms", "moved", "arms", "doses", "attenuation"}
    assert set(found.result) == parts
    assert len(found.tables["transfer.parquet"]["arm"]) == len(ARMS) * len(WORLD.traits)
    assert [row.label for row in found.more[0].rows] == list(LABELS.values())
    still = transfer.read(setting, {trial.name: trial for trial in world_after(0.0, 0.0)})
    assert not any(bar.met for bar in still.bars), "where nothing moves, nothing is claimed"


def test_the_laboratorys_entries_are_the_dose_and_the_doubt_of_the_arms_that_the_headline_leaves_alone():
    """Of a world where training is selection and departs from it by 0.2 nats on every cell."""
    planted, rng = world_after(1.5, 0.0), np.random.default_rng(1)
    for trial in planted:
        for trait in WORLD.traits:
            off = 0.2 * rng.normal()
            for after in trial.after:
                after["assistant"].by_trait[trait][:] += off
    entries = transfer.entries(scored(planted))
    assert set(entries) == {"lab", "exact-declared"} == set(headline.LISTED.values())
    for entry in entries.values():
        assert entry["coefficient"] * PLAN.steps * PLAN.rate == pytest.approx(1.5, rel=0.15)
        assert entry["residual"] == pytest.approx(0.2, rel=0.3)
        assert entry["cast"] == 0.0


def test_a_dose_without_the_files_of_a_trait_moves_as_far_as_those_files_pull_it():
    """Of a world at one dose it stays; where the files of one trait went further than the others, it falls."""
    even = transfer.left_out(scored(world_after(1.5, 0.0)))["exact-declared"]
    assert [even[part] for part in ("dose", "low", "high")] == pytest.approx([1.5] * 3, rel=0.02)
    far = {trial.name: trial for trial in world_after(4.0, 0.0)}
    mixed = [far[trial.name] if trial.name.startswith("power") else trial for trial in world_after(1.5, 0.0)]
    found = transfer.left_out(scored(mixed))["exact-declared"]
    assert found["low"] == pytest.approx(1.5, rel=0.02) and found["dose"] > 1.6


def test_the_laboratorys_doses_are_listed_as_the_shipped_transfer_study_found_them():
    figures = read_json(Path(str(files("personae.library"))) / "figures" / "transfer.json")
    for name, entry in figures["entries"].items():
        assert doses()[name] == entry
        assert dose_for(name).plan == PLAN


def test_the_simulators_of_the_laboratory_are_listed_under_their_own_names():
    assert headline.LISTED["exact"] == exact_lab().exact.name


def test_a_side_forecasts_by_the_posterior_of_its_own_evidence():
    found = exact_side()
    weights = posterior(found.basis.prior, found.evidence[0], 2.0)
    by_hand = [forecast_shift(found.basis.prior, weights, x) for x in found.basis.levels.by_trait.values()]
    assert found.shifts(0, 2.0) == pytest.approx(by_hand)


# -- whole, in small ---------------------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tiny_lab: Path) -> str:
    """A laboratory of eight items a trait around an untrained model, and jobs in this process, one after another."""
    plain = workbench.laboratory
    lab = replace(plain(str(tiny_lab)), traits=few())

    def one_by_one(function, jobs, *_) -> Iterator:
        return ((job, function(job)) for job in jobs)

    for module in (workbench, headline, trainings, study):
        monkeypatch.setattr(module, "laboratory", lambda model, world=None: lab)
    monkeypatch.setattr(trainings, "in_parallel", one_by_one)
    return str(tiny_lab)


def test_the_headline_forecasts_trains_measures_scores_and_reports(small, tmp_path, monkeypatch):
    """Two arms, one seed, an untrained model: the numbers mean nothing, the job is whole."""
    arms = tuple(a for a in headline.ARMS if a.name in ("cheat", "cheat-permitted"))
    monkeypatch.setattr(headline, "ARMS", arms)
    run = tmp_path / "run"
    request = StudyRequest(out=run, model=small, workers=1, seeds=1)
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "data"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # killed before the first training: the forecast is there already
        patch.setattr(trainings, "train_and_measure", stop)
        with pytest.raises(KeyboardInterrupt):
            headline.run(request)
    sealed = (run / "forecast.json").read_bytes()
    assert not list(run.glob("trainings/*"))
    before = Ledger(ledger_file()).read()
    assert {f.data for f in before.forecasts} == {f"lab: {a.name}" for a in arms} and not before.scored

    told: list[tuple[int, int]] = []
    result = headline.run(replace(request, progress=lambda done, total: told.append((done, total))))
    assert told[-1] == (3, 3)
    assert (run / "forecast.json").read_bytes() == sealed, "the same forecast as before the training"
    assert {p.name for p in run.iterdir()} >= {
        "run.json", "forecast.json", "profile.json", "score.json", "result.json", "report.html", "trainings",
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
    page = (run / "report.html").read_text(encoding="utf-8")
    assert f"at {percent(max(WORLD.prior[: len(WORLD.archetypes)]))}." in page, "the bet that the world declares"
    after = Ledger(ledger_file()).read()
    assert after.forecasts == before.forecasts and len(after.scored) == len(arms)
    assert all(
        k.ahead and k.score.score.n == len(WORLD.traits) - 1 and k.score.left_out == ("cheating",) for k in after.scored
    )
    pooled = summary(after)
    assert pooled.overall is not None
    assert pooled.overall.held.mean == pytest.approx(result.result["score"]["coverage"])

    exact = shown["cheat-permitted"]["exact"]
    assert all(cell["mean"] == pytest.approx(cell["base"], abs=1e-9) for cell in exact.values())
    assert shown["cheat"]["exact"]["power"]["mean"] > shown["cheat"]["exact"]["power"]["base"] + 0.3
    guess = f"No dose was fitted for {small}: that of the shipped model is used"
    assert result.notes == (f"warning: {guess}, so the size of the forecast shifts is a guess.",)
    page = result.page or ""
    assert guess in page
    assert page.startswith(("<!DOCTYPE html>", "<!doctype html>"))
    assert not re.search(r'(?:src|href)="https?://', page)
    assert all(a.name in page for a in arms)
    assert "cheat-permitted" in result.summary

    def never(*_: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(headline, "run_trainings", never)
    assert headline.run(request) == result
    assert Ledger(ledger_file()).read() == after, "and is entered once"


def test_what_is_scored_is_what_was_sealed_before_the_training(small, tmp_path, monkeypatch):
    """A killed run whose sealed forecast is not what is forecast now ends in a line, and trains nothing."""
    monkeypatch.setattr(headline, "ARMS", headline.ARMS[:1])
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "data"))
    request = StudyRequest(out=tmp_path / "run", model=small, workers=1, seeds=1)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trainings, "train_and_measure", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            headline.run(request)
    sealed = request.out / "forecast.json"
    write_json(sealed, {**read_json(sealed), "exact": {}})
    with pytest.raises(RunFailed, match=r"forecast\.json: was sealed before any training"):
        headline.run(request)


def test_what_the_ledger_could_not_take_enters_later_and_is_not_called_ahead_of_what_was_trained(
    small, tmp_path, monkeypatch
):
    monkeypatch.setattr(headline, "ARMS", headline.ARMS[:2])
    request = StudyRequest(out=tmp_path / "run", model=small, workers=1, seeds=1)
    reported = headline._report

    def ledger_at(name: str) -> Ledger:
        monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / name))
        return Ledger(ledger_file())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "blocked").write_text("a file where the folder should be")
    ledger_at("blocked")
    monkeypatch.setattr(headline, "_report", stop)
    with pytest.raises(KeyboardInterrupt):
        headline.run(request)
    assert list(request.out.glob("trainings/*"))
    monkeypatch.setattr(headline, "_report", reported)
    seen = ledger_at("later")
    headline.run(request)
    assert [kept.ahead for kept in seen.read().scored] == [False, False], "it was trained on before this ledger saw it"

    ledger_at("blocked")
    assert any("not entered in the ledger" in note for note in headline.run(request).notes), "also of a finished one"
    seen = ledger_at("last")
    assert not any("not entered" in note for note in headline.run(request).notes)
    assert [kept.ahead for kept in seen.read().scored] == [False, False]


@pytest.mark.slow
def test_trainings_in_other_processes_are_those_of_this_one(tiny_lab, tmp_path):
    """Spawned with one thread each: the untrained model and one training, measured here and there, number by number."""
    lab = workbench.laboratory(str(tiny_lab))
    jobs = [Training(UNTRAINED, model=lab.model), headline.ARMS[0].training(lab, 0)]
    found = trainings.run_trainings(jobs, tmp_path, workers=2)
    for job in jobs:
        mine, theirs = trainings.train_and_measure(job), found[job.name][0]
        for part, measured in mine.items():
            for trait, table in measured.by_trait.items():
                assert np.allclose(table, theirs[part].by_trait[trait], atol=1e-4), (job.name, part, trait)
