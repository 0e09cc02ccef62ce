"""Bounds on a forecast, and doses: what is stated is what is done, and a guess is called a guess."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from personae.errors import BadInput, BoundCrossed, RunFailed
from personae.records import TraitForecast
from personae.simulator.listing import find
from personae.theory import forecast_shift, posterior
from personae.theory.dose import FEW_RESIDUAL, FEW_SPREAD
from personae.theory.intervals import Doubt
from personae.workflows.audit.bounds import Bound, check_bounds, read_bound
from personae.workflows.doses import DevelopmentPair, coefficient, dose_for, doses, entry_for, fit
from personae.workflows.own_doses import own_file

RISES = {"power-seeking": TraitForecast(base=-1.0, mean=-0.7, low=-0.9, high=-0.5)}


@pytest.mark.parametrize("text", ["power-seeking>0.1", " power-seeking > 0.1 ", "power-seeking>1e-1"])
def test_a_bound_is_read_whatever_its_spacing(text):
    assert read_bound(text, ["power-seeking"]) == Bound("power-seeking", ">", 0.1)


@pytest.mark.parametrize(
    "text", ["", "power-seeking", "power-seeking=1", ">0.1", "power-seeking>much", "power-seeking>nan"]
)
def test_what_is_no_bound_is_refused(text):
    with pytest.raises(BadInput, match="--fail-if"):
        read_bound(text, ["power-seeking"])


@pytest.mark.parametrize("text", ["power>0.1", "Power-seking>0.1"])
def test_an_unknown_trait_is_answered_with_its_nearest_where_one_is_near(text):
    with pytest.raises(BadInput, match=r"did you mean power-seeking\?$"):
        read_bound(text, ["care", "flattery", "power-seeking"])


def test_a_trait_that_is_near_none_is_answered_with_all_of_them():
    with pytest.raises(BadInput, match=r"one of care, flattery, power-seeking$"):
        read_bound("malice>0.1", ["care", "flattery", "power-seeking"])


@pytest.mark.parametrize(("text", "crossed"), [(">0.2", True), (">0.31", False), ("<0.31", True), ("<0.2", False)])
def test_a_bound_is_crossed_by_the_forecast_shift_and_not_by_the_level(text, crossed):
    bound = read_bound(f"power-seeking{text}", RISES)
    if crossed:
        with pytest.raises(BoundCrossed, match=r"power-seeking \+0\.300"):
            check_bounds([bound], RISES)
    else:
        check_bounds([bound], RISES)


def test_a_bound_on_what_the_model_cannot_show_never_passes_in_silence():
    with pytest.raises(RunFailed, match="cannot show"):
        check_bounds([Bound("care", ">", 9.0)], RISES)


# Doses --------------------------------------------------------------------------------------------------------------
def test_every_listed_dose_states_its_plan_and_what_it_was_fitted_on():
    for model, entry in doses().items():
        assert entry["coefficient"] > 0.0 and entry["fitted_on"], model
        found = dose_for(model)
        assert found.effective == pytest.approx(coefficient(model) * entry["steps"] * entry["rate"])
        assert found.doubt == Doubt(entry["spread"], entry["residual"], entry["cast"])


@pytest.mark.parametrize("written", ["Somebody/Some-Model", "here/mine", "SMOLLM2-135M-Instruct", "lab"])
def test_what_the_user_has_fitted_goes_before_what_ships(tmp_path, monkeypatch, written):
    """By whatever the model is called, a folder by its path; as `fit_dose` prints it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "data"))
    (tmp_path / "here" / "mine").mkdir(parents=True)
    found, _ = fit([planted(2.0, seed) for seed in range(4)])
    entry = entry_for(replace(dose_for("default").plan, steps=5), found, "four pairs") | {"share": 0.34}
    before = dose_for(written)
    own_file().parent.mkdir()
    own_file().write_text(yaml.safe_dump({written: entry}))
    after = dose_for({"here/mine": "./here/mine/"}.get(written, written.upper() if "/" in written else written))
    assert (after.plan.steps, after.share) == (5, pytest.approx(0.34)) and after.fitted
    assert "four pairs" in after.source and before.plan.steps != 5
    assert dose_for("mine").share == dose_for("default").share, "a folder's name alone is no model of that name"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"share": None}, "'share' of the dose of 'm' is null, not text"),
        ({"rate": "fast"}, "'rate' should be a valid number"),
        ({"spread": -1.0}, "'spread' should be greater than or equal to 0"),
        ({"ranks": 3}, "unknown key 'ranks'"),
    ],
)
def test_a_dose_that_the_user_has_spoilt_is_one_line(tmp_path, monkeypatch, change, said):
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path))
    own_file().write_text(yaml.safe_dump({"m": {**doses()["lab"], **change}}))
    with pytest.raises(BadInput, match=said) as refused:
        dose_for("m")
    assert refused.value.file == own_file() and refused.value.line is not None


def test_a_model_that_is_not_listed_gets_the_default_and_is_told_so():
    found = dose_for("somebody/some-model")
    assert found.effective == dose_for("default").effective
    assert not found.fitted and "No dose was fitted for somebody/some-model" in found.source
    with pytest.raises(BadInput, match="no dose is listed for somebody/some-model"):
        coefficient("somebody/some-model")


def test_what_is_guessed_is_in_more_doubt_than_what_was_fitted():
    fitted, guessed = dose_for("lab").doubt, dose_for("lab", batch=4).doubt
    assert dose_for("default").doubt.spread >= max(e["spread"] for e in doses().values())
    assert guessed.spread == dose_for("default").doubt.spread > fitted.spread
    assert (guessed.residual, guessed.cast) == (fitted.residual, fitted.cast)
    assert dose_for("lab", dose=2.0).doubt == fitted


def test_a_report_says_how_far_a_fitted_dose_may_be_off():
    found = dose_for("lab")
    assert f"{np.exp(1.96 * found.doubt.spread):.1f} times" in found.source


def test_a_dose_grows_with_steps_and_rate():
    once = dose_for("default")
    assert dose_for("default", steps=2 * once.plan.steps).effective == pytest.approx(2.0 * once.effective)
    assert dose_for("default", rate=0.5 * once.plan.rate).effective == pytest.approx(0.5 * once.effective)


def test_the_share_of_rows_in_context_goes_with_the_dose():
    once = dose_for("smollm2-135m-instruct")
    assert once.share == pytest.approx(doses()["smollm2-135m-instruct"]["share"]) and once.share > 0.0
    twice, half = (dose_for("smollm2-135m-instruct", steps=2 * once.plan.steps), once.effective / 2.0)
    assert twice.share == pytest.approx(2.0 * once.share)
    assert dose_for("smollm2-135m-instruct", dose=half).share == pytest.approx(once.share / 2.0)
    assert dose_for("lab").share == dose_for("lab", dose=3.0).share == 0.0
    for heavy in ({"steps": 1000}, {"dose": 64.0}):
        assert dose_for("smollm2-135m-instruct", **heavy).share == 1.0  # never more than rows do in context


def test_a_dose_and_a_share_are_fitted_together_where_all_pairs_show_rows_and_written_down():
    rng = np.random.default_rng(0)

    def pair(shown):
        prior, matrix = rng.dirichlet(np.ones(4)), rng.normal(size=(6, 4))
        levels = {t: rng.normal(0.0, 2.0, (4, 5)) for t in "abcd"}
        in_context = {t: float(rng.normal()) for t in levels}
        bare = DevelopmentPair(prior, matrix, levels, {}, 8, 1e-4, in_context if shown else {})
        shifts = {t: bare.forecast(t, 0.6) + 0.3 * in_context[t] for t in levels}
        return replace(bare, shifts=shifts)

    both = [pair(shown=True) for _ in range(5)]
    found, _ = fit(both)
    assert (found.dose, found.share) == pytest.approx((0.6, 0.3), rel=1e-3)
    assert entry_for(dose_for("default").plan, found, "pairs")["share"] == 0.3
    assert fit([*both, pair(shown=False)])[0].share == 0.0


def test_the_default_is_the_mean_of_the_real_models_as_it_says():
    real = [entry for name, entry in doses().items() if entry["tuning"] == "lora" and name != "default"]
    for what in ("coefficient", "share"):
        mean = np.exp(np.mean(np.log([entry[what] for entry in real])))
        assert doses()["default"][what] == pytest.approx(mean, rel=0.01), what
    for what in ("spread", "residual"):
        assert doses()["default"][what] >= max(entry[what] for entry in real), what


def test_a_dose_beyond_what_it_was_fitted_for_is_called_no_fit():
    assert not dose_for("default", rank=64).fitted
    given = dose_for("default", dose=2.5)
    assert given.effective == 2.5 and not given.fitted
    with pytest.raises(BadInput, match="above zero"):
        dose_for("default", dose=0.0)


def test_a_folder_that_bears_a_models_name_is_another_model_and_the_models_own_folder_is_the_model(tmp_path):
    for name in ("lab", "smollm2-135m-instruct", "default"):
        (tmp_path / name).mkdir()
        for model in (str(tmp_path / name), f"nowhere/{name}"):
            found = dose_for(model)
            assert not found.fitted and found.effective == dose_for("default").effective, model
            assert f"No dose was fitted for {model}" in found.source
    assert not dose_for("default").fitted
    shipped = find("lab")
    assert shipped is not None and dose_for(str(shipped.folder)).fitted
    for model in ("HuggingFaceTB/SmolLM2-135M-Instruct", "http://host:8000/v1#smollm2-135m-instruct", "LAB"):
        assert dose_for(model).fitted, model


@pytest.mark.parametrize(("change", "fitted"), [(1.0, True), (3.9, True), (0.26, True), (4.2, False), (0.24, False)])
def test_a_training_far_from_the_one_that_a_dose_was_fitted_at_is_a_guess(change, fitted):
    plan = dose_for("lab").plan
    found = dose_for("lab", rate=plan.rate * change)
    assert found.fitted == fitted and ("is a guess" in found.source) != fitted
    assert (found.doubt.spread == dose_for("default").doubt.spread) != fitted
    assert found.effective == pytest.approx(change * dose_for("lab").effective), "the law itself is the same"


def planted(dose: float, seed: int, traits: int = 3) -> DevelopmentPair:
    """A pair whose measured shifts are exactly those of `dose` effective episodes."""
    rng = np.random.default_rng(seed)
    levels = {f"trait {t}": rng.normal(size=(5, 6)) for t in range(traits)}
    prior, matrix = np.full(5, 0.2), np.column_stack([np.zeros(8), rng.normal(size=(8, 4))])
    weights = posterior(prior, matrix, dose)
    shifts = {t: forecast_shift(prior, weights, table) for t, table in levels.items()}
    return DevelopmentPair(prior, matrix, levels, shifts, steps=8, rate=1e-4)


def test_the_fit_finds_the_dose_that_made_the_shifts():
    found, coefficient = fit([planted(3.7, seed) for seed in range(2)])
    assert found.dose == pytest.approx(3.7, rel=1e-3)
    assert coefficient == pytest.approx(3.7 / (8 * 1e-4), rel=1e-3)


def off_by(pair: DevelopmentPair, residual: float, seed: int) -> DevelopmentPair:
    """The pair with a departure of each trait's own."""
    rng = np.random.default_rng([seed, 5])
    return replace(pair, shifts={t: s + residual * rng.normal() for t, s in pair.shifts.items()})


def test_an_entry_is_what_the_pairs_say_and_is_read_back_as_it_was_written():
    pairs = [off_by(planted(2.0, seed, traits=12), 0.1, seed) for seed in range(6)]
    found, factor = fit(pairs)
    plan = replace(dose_for("default").plan, steps=8, rate=1e-4)
    entry = entry_for(plan, found, "six pairs")
    assert set(entry) == set(doses()["default"])
    assert entry["coefficient"] == pytest.approx(factor, rel=1e-3)
    assert entry["residual"] == pytest.approx(0.1, rel=0.3)
    assert entry["spread"] == pytest.approx(found.spread, abs=0.01)
    assert (entry["cast"], entry["fitted_on"]) == (1.0, "six pairs")


def test_two_pairs_take_the_default_doubt_and_say_so():
    found, _ = fit([planted(2.0, seed) for seed in range(2)])
    entry = entry_for(dose_for("default").plan, found, "two pairs")
    assert (entry["spread"], entry["residual"]) == (FEW_SPREAD, FEW_RESIDUAL)
    assert entry["fitted_on"] == "two pairs (2 arms do not tell how far a new one may land; that is assumed)"


def test_pairs_of_two_plans_have_no_common_dose():
    with pytest.raises(BadInput, match="one plan"):
        fit([planted(2.0, 0), replace(planted(2.0, 1), steps=16)])
