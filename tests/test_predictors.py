"""Forecasts on the exact world, where the true answer is Bayes' rule, and on casts made to show what a floor cannot."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.measure import NOBODY
from personae.predictors import Basis, nearest, one_direction, selection
from personae.predictors.basis import basis_of
from personae.records import Cast, Evidence, Levels, Persona, Trait
from personae.theory import forecast_shift, log_sigmoid, mixture_levels, posterior, skill
from personae.theory.intervals import Doubt
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.gather import gather
from personae.world import ExactSimulator, Language, cast, declared, episodes, traits

WORLD = declared()


@cache
def exact() -> ExactSimulator:
    return ExactSimulator(WORLD, Language(WORLD))


@cache
def asked() -> tuple[Trait, ...]:
    every = traits(WORLD, exact().language)
    return tuple(t.model_copy(update={"items": t.items[:2]}) for t in every)


@cache
def basis(*, declared_prior: bool = True) -> Basis:
    return cached_basis(exact(), cast(WORLD, exact().language, declared_prior=declared_prior), asked()).basis


@cache
def evidence_of(trait: str, outcome: int, number: int = 6) -> Evidence:
    shown = episodes(exact().language, trait, outcome, number, np.random.default_rng(0))
    return gather(exact(), basis().cast, shown)


def invented(seed: int, personas: int = 5, shape: dict[str, int] | None = None) -> Basis:
    """A basis with random levels: personas that differ by trait, items that differ within."""
    rng = np.random.default_rng(seed)
    names = tuple(f"p{k}" for k in range(personas))
    people = tuple(Persona(name=n, kind="person", context=n) for n in names)
    by_trait = {}
    for trait, items in (shape or {"a": 3, "b": 4, "c": 3, "d": 5}).items():
        by_trait[trait] = rng.normal(0.0, 1.5, (personas + 1, 1)) + rng.normal(0.0, 0.3, items)
    base = {t: rng.normal(size=table.shape[1]) for t, table in by_trait.items()}
    made = Cast(name="made", neutral="-", personas=people)
    return Basis(made, Levels(made.names, by_trait), base, rng.dirichlet(np.ones(personas + 1)))


def spoken(seed: int, made: Basis, number: int = 7) -> Evidence:
    rng = np.random.default_rng([seed, 1])
    matrix = np.column_stack([np.zeros(number), rng.normal(0.0, 1.0, (number, len(made.prior) - 1))])
    return Evidence(made.cast.names, np.arange(number), matrix, np.full(number, 5))


# -- the basis ---------------------------------------------------------------------------------------------------------
def test_a_basis_holds_the_cast_and_the_assistant_apart():
    found = basis()
    assert found.levels.contexts == found.cast.names
    for t, trait in enumerate(WORLD.traits):
        assert np.allclose(found.levels.by_trait[trait][1:], WORLD.log_odds()[:, [t]])
        mixed = WORLD.prior @ WORLD.rates[trait][:, 1]
        assert np.allclose(found.base[trait], np.log(mixed / (1 - mixed)))
        assert found.base_levels()[trait] == pytest.approx(np.log(mixed / (1 - mixed)))
        assert found.reliability()[trait] == pytest.approx(1.0)


def test_a_declared_prior_is_kept_beside_the_share_of_the_neutral_context():
    prior, count = basis().prior, len(WORLD.archetypes)
    assert prior[0] == pytest.approx(1.0 / (count + 1))
    assert prior[1:] / prior[1:].sum() == pytest.approx(WORLD.prior[:count])


def test_a_prior_fitted_on_a_known_mixture_recovers_it_roughly():
    """The exact world's neutral answers are its prior's mixture: the fit must find who is in it, and its behaviour.

    All items of a trait have one level there, so twenty of each are the two measured ones, again and again.
    """
    measured = basis(declared_prior=False)
    rows = [np.vstack([measured.base[t], table]) for t, table in measured.levels.by_trait.items()]
    many = {t: np.tile(row, 10) for t, row in zip(WORLD.traits, rows, strict=True)}
    fitted = basis_of(measured.cast, Levels((NOBODY, *measured.cast.names), many)).prior[1:]
    fitted, truth = fitted / fitted.sum(), WORLD.prior[: len(WORLD.archetypes)]
    uniform = np.full(len(truth), 1.0 / len(truth))
    assert np.abs(fitted - truth).sum() < 0.75 * np.abs(uniform - truth).sum()
    assert np.corrcoef(fitted, truth)[0, 1] > 0.6
    rates = {name: np.array([w @ WORLD.rates[t][: len(w), 1] for t in WORLD.traits])
             for name, w in (("fitted", fitted), ("truth", truth), ("uniform", uniform))}  # fmt: skip
    assert np.abs(rates["fitted"] - rates["truth"]).max() < 0.1
    assert skill(rates["fitted"], rates["truth"], rates["uniform"]) > 0.5


def test_with_many_items_the_fitted_prior_is_the_mixture():
    """Slower truth: 4000 different items, answered by a mixture of four personas in known shares."""
    rng = np.random.default_rng(0)
    table = rng.normal(0.0, 2.0, (4, 4000))
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    people = tuple(Persona(name=f"p{k}", kind="person", context=f"c{k}") for k in range(4))
    made = Cast(name="made", neutral="-", personas=people)
    mixed = mixture_levels(shares, table)
    found = basis_of(made, Levels((NOBODY, *made.names), {"t": np.vstack([mixed, mixed, table])}))
    assert found.prior[1:] / found.prior[1:].sum() == pytest.approx(shares, abs=0.02)


def test_some_items_of_a_basis_are_those_items():
    found = invented(0)
    keep = {t: np.arange(table.shape[1]) % 2 == 0 for t, table in found.levels.by_trait.items()}
    part = found.items(keep)
    for trait, chosen in keep.items():
        assert np.array_equal(part.levels.by_trait[trait], found.levels.by_trait[trait][:, chosen])
        assert np.array_equal(part.base[trait], found.base[trait][chosen])
    assert part.prior is found.prior


# -- selection ---------------------------------------------------------------------------------------------------------
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 20.0))
@settings(max_examples=10)
def test_the_forecast_is_the_measured_level_and_the_shift_of_the_mixture(seed, dose):
    made = invented(seed)
    found = spoken(seed, made)
    weights = posterior(made.prior, found.matrix, dose)
    forecast = selection(made, found, dose)
    for trait, table in made.levels.by_trait.items():
        t = forecast.traits[trait]
        by_hand = np.mean(mixture_levels(weights, table) - mixture_levels(made.prior, table))
        assert t.base == pytest.approx(made.base[trait].mean())
        assert t.shift == pytest.approx(by_hand, abs=1e-9)
        assert t.low <= t.high


def test_dose_zero_forecasts_no_change():
    made = invented(1)
    for t in selection(made, spoken(1, made), 0.0).traits.values():
        assert t.shift == pytest.approx(0.0, abs=1e-12)
        assert t.low == pytest.approx(t.base)
        assert t.high == pytest.approx(t.base)


@pytest.mark.parametrize(("trait", "outcome"), [("cheating", 1), ("feelings", 0), ("shutdown", 1)])
def test_at_one_episode_the_exact_forecast_is_bayes_rule(trait, outcome):
    """p(t | one behaviour) by hand from the declared world, the neutral share answering as before."""
    forecast = selection(basis(), evidence_of(trait, outcome), 1.0)
    after = WORLD.prior * WORLD.rates[trait][:, outcome]
    after /= after.sum()
    share = basis().prior[0]
    for t in WORLD.traits:
        before = WORLD.prior @ WORLD.rates[t][:, 1]
        p = share * before + (1.0 - share) * (after @ WORLD.rates[t][:, 1])
        logit = np.log(p) - np.log1p(-p) - np.log(before) + np.log1p(-before)
        assert forecast.traits[t].shift == pytest.approx(logit, abs=1e-9)


def test_cheating_forecasts_a_wish_for_power_and_honest_work_its_opposite():
    up, down = (selection(basis(), evidence_of("cheating", o), 2.0).traits["power"].shift for o in (1, 0))
    assert up > 0.5
    assert down < -0.2


def test_the_interval_holds_the_forecast_and_the_seed_draws_it():
    for trait in ("power", "lying", "care"):
        t = selection(basis(), evidence_of("cheating", 1), 2.0).traits[trait]
        assert t.low < t.mean < t.high
    one, same, other = (selection(basis(), evidence_of("cheating", 1), 2.0, seed=s) for s in (1, 1, 2))
    assert one == same
    assert one.traits["power"].mean == other.traits["power"].mean
    assert one.traits["power"].low != other.traits["power"].low


def test_doubt_widens_the_interval_and_leaves_the_forecast():
    found = evidence_of("cheating", 1)
    sure, unsure = (selection(basis(), found, 2.0, doubt=d).traits["power"] for d in (Doubt(), Doubt(0.5, 0.3)))
    assert sure.mean == unsure.mean
    assert unsure.low < sure.low < sure.high < unsure.high


def test_what_rows_do_in_context_is_added_item_by_item_and_drawn_with_the_items():
    made = invented(3)
    found, rng = spoken(3, made), np.random.default_rng(0)
    beside = {t: rng.normal(1.0, 0.5, table.shape[1]) for t, table in made.levels.by_trait.items()}
    alone, both = selection(made, found, 0.5), selection(made, found, 0.5, beside=beside)
    for t, items in beside.items():
        assert both.traits[t].mean == pytest.approx(alone.traits[t].mean + items.mean())
        assert both.traits[t].low < both.traits[t].mean < both.traits[t].high
    same = selection(made, found, 0.0, beside={t: np.full(i.size, 2.0) for t, i in beside.items()}).traits
    assert all(t.shift == pytest.approx(2.0) and t.low == pytest.approx(t.high) for t in same.values())


# -- floors ------------------------------------------------------------------------------------------------------------
def one_axis(seed: int) -> Basis:
    """A cast that differs along one line only; the neutral context stands on the same line."""
    made = invented(seed)
    rng = np.random.default_rng([seed, 2])
    place, axis = rng.normal(size=len(made.prior)), rng.normal(size=len(made.levels.by_trait))
    flat = {
        t: place[:, None] * a + rng.normal(0.0, 0.3, table.shape[1])
        for a, (t, table) in zip(axis, made.levels.by_trait.items(), strict=True)
    }
    return replace(made, levels=Levels(made.levels.contexts, flat))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
@settings(max_examples=6)
def test_on_a_cast_of_one_axis_one_direction_is_all_there_is(seed, dose):
    made = one_axis(seed)
    found = spoken(seed, made)
    whole, flat = selection(made, found, dose), one_direction(made, found, dose)
    assert flat.predictor == "one direction"
    for trait, t in whole.traits.items():
        assert flat.traits[trait].mean == pytest.approx(t.mean, abs=1e-8)
        assert flat.traits[trait].low == pytest.approx(t.low, abs=1e-8)


def test_in_the_declared_world_one_direction_misses_what_selection_sees():
    """Denying feelings makes a machine, not a villain: along good against evil that is told wrongly."""
    found = evidence_of("feelings", 0)
    whole, flat = selection(basis(), found, 2.0), one_direction(basis(), found, 2.0)
    off = [abs(whole.traits[t].shift - flat.traits[t].shift) for t in WORLD.traits]
    assert max(off) > 0.5


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 30.0))
@settings(max_examples=10)
def test_nearest_is_the_persona_that_the_file_speaks_for_most_at_any_dose(seed, dose):
    made = invented(seed)
    found = spoken(seed, made)
    best = 1 + int(found.matrix[:, 1:].mean(axis=0).argmax())
    forecast = nearest(made, found, dose)
    for trait, table in made.levels.by_trait.items():
        by_hand = forecast_shift(made.prior, np.eye(len(made.prior))[best], table)
        assert forecast.traits[trait].shift == pytest.approx(by_hand, abs=1e-9)
    assert forecast.traits == nearest(made, found, 1.0).traits


def test_at_a_great_dose_selection_becomes_the_nearest_persona():
    found = evidence_of("power", 1)
    sharp = replace(found, matrix=found.matrix + 0.05 * np.eye(len(basis().prior))[4])  # between two who are alike
    limit, single = selection(basis(), sharp, 5000.0), nearest(basis(), sharp, 1.0)
    for trait in WORLD.traits:
        assert limit.traits[trait].mean == pytest.approx(single.traits[trait].mean, abs=1e-6)


def test_no_predictor_changes_what_it_is_given():
    made = invented(4)
    found = spoken(4, made)
    matrix, table = found.matrix.copy(), made.levels.by_trait["a"].copy()
    for predictor in (selection, one_direction, nearest):
        predictor(made, found, 1.5)
    assert np.array_equal(found.matrix, matrix)
    assert np.array_equal(made.levels.by_trait["a"], table)


def test_rates_and_levels_are_one_thing():
    """The exact world's levels turned into probabilities are its declared rates again."""
    for trait in WORLD.traits:
        rates = np.exp(log_sigmoid(basis().levels.by_trait[trait][1:, 0]))
        assert rates == pytest.approx(WORLD.rates[trait][: len(WORLD.archetypes), 1])
