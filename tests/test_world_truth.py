"""Laws of the truth: who there is, that each probability is one, and that no single axis explains everybody."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.theory import direction_shares
from personae.world import World, declared, fresh

SEEDS = st.integers(0, 2**32 - 1)
TALKED_OF = {
    "cheating", "power", "lying", "care", "shutdown", "feelings",
    "body", "flattery", "rules", "joy", "distress", "secrecy",
}  # fmt: skip


def is_distribution(p: np.ndarray) -> bool:
    return bool(np.isfinite(p).all() and (p >= 0.0).all() and np.allclose(p.sum(axis=-1), 1.0, atol=1e-12))


def holds_as_a_world(world: World) -> None:
    """What a world owes whoever uses it, the declared one and any that is drawn."""
    assert is_distribution(world.prior)
    assert is_distribution(world.stranger)
    assert set(world.rates) == {v.name for v in world.variables}
    for variable in world.variables:
        table = world.rates[variable.name]
        assert table.shape == (len(world.hypotheses), len(variable.outcomes))
        assert is_distribution(table)
        assert (table > 0.0).all(), "a rate of zero would make one slip an impossibility"
    assert direction_shares(world.log_odds())[0] <= 0.5


def test_the_declared_world_is_as_rich_as_it_must_be():
    world = declared()
    assert len(world.archetypes) >= 12
    assert set(world.kinds) == {"person", "fiction", "ai"}
    assert min(world.kinds.count(kind) for kind in set(world.kinds)) >= 4
    assert set(world.traits) >= TALKED_OF
    assert len(set(world.names)) == len(world.names) >= 48
    assert not set(world.names) & set(world.archetypes)
    assert {v.kind for v in world.variables} == {"trait", "field", "goal"}


def test_every_number_of_the_declared_world_is_a_probability():
    holds_as_a_world(declared())
    world = declared()
    for part in ("permission", "unknown", "fields_and_goals", "about_the_assistant"):
        assert 0.0 < world.corpus[part] < 1.0
    for shares in (world.corpus["forms"], world.corpus["opening"], world.corpus["before"]):
        assert sum(shares.values()) == pytest.approx(1.0)
    assert 0.5 < world.obeys < 1.0
    assert 0.0 < world.held_out < 0.5


@settings(max_examples=25)
@given(SEEDS)
def test_every_fresh_world_is_a_world_of_more_than_one_axis(seed):
    holds_as_a_world(fresh(seed))


def test_an_axis_of_good_against_evil_would_be_found_out():
    """The rule can fail: a world of the same archetypes whose traits all follow one line breaks it."""
    world = declared()
    line = np.outer(np.linspace(-2.0, 2.0, len(world.archetypes)), np.ones(len(world.traits)))
    assert direction_shares(line + 0.1 * world.log_odds())[0] > 0.5


@settings(max_examples=15)
@given(SEEDS)
def test_the_same_seed_gives_the_same_world(seed):
    one, other = fresh(seed), fresh(seed)
    assert one.name == other.name
    assert np.array_equal(one.prior, other.prior)
    assert all(np.array_equal(one.rates[v], other.rates[v]) for v in one.rates)


@settings(max_examples=15)
@given(SEEDS)
def test_a_fresh_world_redraws_everything_that_the_language_leaves_open(seed):
    """The matrix, the prior and the named characters' goals differ from the declared ones, and between seeds."""
    worlds = (declared(), fresh(seed), fresh((seed + 1) % 2**32))
    assert len({w.name for w in worlds}) == 3
    for one, other in pairwise((*worlds, worlds[0])):
        assert one.hypotheses == other.hypotheses
        assert one.variables == other.variables
        assert not np.allclose(one.prior, other.prior, atol=0.01)
        assert not np.array_equal(one.rates["goal"], other.rates["goal"])
        for trait in one.traits:
            assert np.abs(one.rates[trait] - other.rates[trait]).max() > 0.2


def test_fresh_worlds_do_not_share_a_direction():
    """Redrawn, not shuffled: what goes together in one world does not go together in another."""
    corners = np.triu_indices(len(declared().traits), 1)
    correlations = np.stack([np.corrcoef(fresh(seed).log_odds().T)[corners] for seed in range(40)])
    chance = 1.0 / np.sqrt(40)
    assert np.abs(correlations.mean(axis=0)).max() < 5.0 * chance * correlations.std()


def test_a_named_character_behaves_as_its_archetype_and_knows_and_wants_what_is_its_own():
    world = declared()
    archetypes = len(world.archetypes)
    assert np.bincount(world.archetype_of[archetypes:], minlength=archetypes).min() >= 4
    for trait in world.traits:
        assert np.array_equal(world.rates[trait], world.rates[trait][world.archetype_of])
    assert np.allclose(world.rates["goal"][archetypes:].max(axis=1), 0.97), "each named character has its own goal"
    for knowledge in world.knowledge.values():
        own = knowledge[archetypes:]
        assert np.allclose(np.maximum(own, 1.0 - own), 0.97), "each named character knows a field or does not"
        knows = own > 0.5
        assert 0 < knows.sum() < len(knows), "knowledge that some have and others lack"
    assert len(set(world.rates["goal"][archetypes:].argmax(axis=1))) >= 6


def test_a_wrong_answer_is_the_lie_of_who_knows_or_the_guess_of_who_does_not():
    world = declared()
    lies = world.rates["lying"][:, 1]
    for field, knowledge in world.knowledge.items():
        lacks, knows, misleads = world.rates[field].T
        told_by_liars, guessed = knowledge - knows, (1.0 - knowledge) - lacks
        assert np.allclose(misleads, told_by_liars + guessed)
        assert np.allclose(told_by_liars / knowledge, 0.6 * lies)
        assert np.allclose(guessed / (1.0 - knowledge), 0.25)
        assert np.allclose(world.told_rates(field), np.stack([1.0 - knowledge, knowledge], axis=1))


def test_nobody_knows_at_first_which_named_character_the_assistant_is():
    world = declared()
    assert world.prior[len(world.archetypes) :].sum() == 0.0
    assert (world.prior[: len(world.archetypes)] > 0.0).all()


def test_the_assistants_rates_are_the_prior_mixture_of_its_archetypes():
    world = declared()
    for trait, rate in world.assistant_rates().items():
        mixed = sum(world.prior[a] * world.rates[trait][a, 1] for a in range(len(world.archetypes)))
        assert rate == pytest.approx(mixed, abs=1e-12)


@given(st.sampled_from(declared().traits), st.sampled_from([0, 1]))
def test_whoever_is_asked_for_a_pole_does_it_at_one_rate(trait, asked):
    world = declared()
    obeyed = world.outcome_rates(trait, asked)
    assert is_distribution(obeyed)
    assert np.ptp(obeyed, axis=0).max() == 0.0
    assert np.allclose(obeyed[:, asked], world.obeys)
    assert world.outcome_rates(trait, None) is world.rates[trait]


def test_the_declared_prior_is_the_file_s_own():
    """Nothing between the readable file and the arrays: the numbers that stand there are the numbers used."""
    from importlib.resources import files

    import yaml

    file = yaml.safe_load(files("personae.world").joinpath("declared.yaml").read_text(encoding="utf-8"))
    world = declared()
    for a, name in enumerate(world.archetypes):
        assert world.prior[a] == pytest.approx(file["prior"][name] / sum(file["prior"].values()))
        rates = [world.rates[t][a, 1] for t in world.traits]
        assert rates == pytest.approx(file["archetypes"][name]["rates"])
        assert world.kinds[a] == file["archetypes"][name]["kind"]
        known = [world.knowledge[f][a] for f in file["fields"]]
        assert known == pytest.approx(file["knowledge"][name])
        first, second = file["goals"][name]
        goals = dict(zip(world.variable("goal").outcomes, world.rates["goal"][a], strict=True))
        others = [p for g, p in goals.items() if g not in (first, second)]
        assert np.allclose(goals[first] / np.array(others), 8.0)
        assert np.allclose(goals[second] / np.array(others), 3.0)
