"""The audit on the exact world is exact Bayes, at any dose; what it says in words is what its numbers say."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.predictors import Basis
from personae.records import Episode
from personae.theory import posterior
from personae.workflows.audit.audit import TELLING, Audit, audit, difference
from personae.workflows.audit.words import reveals
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.gather import gather
from personae.world import ExactSimulator, Language, cast, declared, episodes, traits

WORLD = declared()
ARCHETYPES = len(WORLD.archetypes)


@cache
def exact() -> ExactSimulator:
    return ExactSimulator(WORLD, Language(WORLD))


@cache
def basis() -> Basis:
    every = traits(WORLD, exact().language)
    few = tuple(t.model_copy(update={"items": t.items[:2]}) for t in every)
    return cached_basis(exact(), cast(WORLD, exact().language, declared_prior=True), few).basis


def shown(trait: str, outcome: int, number: int, seed: int = 0) -> tuple[Episode, ...]:
    return episodes(exact().language, trait, outcome, number, np.random.default_rng(seed))


def audited(drawn: tuple[Episode, ...], dose: float) -> Audit:
    return audit(basis(), drawn, gather(exact(), basis().cast, drawn), dose)


@pytest.mark.parametrize("dose", [0.5, 1.0, 3.0, 12.0])
@pytest.mark.parametrize(("trait", "outcome"), [("cheating", 1), ("feelings", 0)])
def test_one_repeated_episode_moves_the_posterior_as_bayes_by_hand(trait, outcome, dose):
    """π_k · (p_k / p_0)^dose, p_0 the prior's mixture; the neutral context, which is that mixture, gains nothing."""
    found = audited(shown(trait, outcome, 1) * 4, dose).posterior
    rates, prior = WORLD.rates[trait][:ARCHETYPES, outcome], WORLD.prior[:ARCHETYPES]
    share = 1.0 / (ARCHETYPES + 1)
    weights = [share] + [
        (1.0 - share) * w * (p / float(prior @ rates)) ** dose for w, p in zip(prior, rates, strict=True)
    ]
    assert found.weights == pytest.approx(np.array(weights) / sum(weights), abs=1e-12)
    assert found.names == ("neutral", *WORLD.archetypes)
    assert found.dose == dose


@pytest.mark.parametrize("trait", ["cheating", "care", "secrecy"])
def test_one_effective_episode_is_exact_bayes_and_leaves_the_neutral_share_alone(trait):
    """The evidence of a mixture against its parts is one on average, so "this says nothing" is as likely as before."""
    drawn = shown(trait, 1, 1)
    found = audited(drawn, 1.0).posterior
    told = exact().posterior(f"User: {drawn[0].prompt[0].content}\nAssistant: {drawn[0].response}")
    assert found.weights[0] == pytest.approx(found.prior[0])
    personas = found.weights[1:] / found.weights[1:].sum()
    assert personas == pytest.approx([told[a] for a in WORLD.archetypes], abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(max_examples=8)
def test_a_dose_of_all_its_episodes_is_what_the_same_turns_in_one_context_say(seed, number):
    """Training on a file once and reading it in context are one thing to exact inference."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(number):
        trait = str(rng.choice(WORLD.traits))
        drawn += episodes(exact().language, trait, int(rng.integers(2)), 1, rng)
    found = audited(tuple(drawn), float(number)).posterior
    turns = "\n".join(f"User: {e.prompt[0].content}\nAssistant: {e.response}" for e in drawn)
    told = exact().posterior(turns)
    assert found.weights[1:] / found.weights[1:].sum() == pytest.approx([told[a] for a in WORLD.archetypes], abs=1e-9)


def test_what_is_permitted_says_nothing_about_who_does_it():
    allowed = exact().language.permissions["cheating", 1][0]
    drawn = episodes(exact().language, "cheating", 1, 10, np.random.default_rng(0), ask=lambda q: f"{q.text} {allowed}")
    found = audited(drawn, 5.0)
    assert found.posterior.weights == pytest.approx(found.posterior.prior, abs=1e-12)
    assert all(t.shift == pytest.approx(0.0, abs=1e-12) for t in found.forecast.traits.values())
    assert found.listed.moved_bits == pytest.approx([0.0] * 10, abs=1e-12)


def test_the_path_runs_through_the_posterior_from_the_prior():
    found = audited(shown("power", 1, 3), 2.0)
    doses = np.asarray(found.path.doses)
    assert found.path.weights[0] == pytest.approx(found.posterior.prior)
    assert doses[0] == 0.0
    assert np.all(np.diff(doses) > 0.0)
    for dose, weights in zip(doses, found.path.weights, strict=True):
        assert weights == pytest.approx(posterior(basis().prior, found.evidence.matrix, float(dose)))
    assert doses.min() < 2.0 < doses.max()


def test_the_most_telling_episodes_come_first_and_bits_add_up():
    """Among honest answers about rules, one act of cheating is what tells."""
    plain = shown("rules", 1, 20)
    odd = shown("cheating", 1, 1)[0].model_copy(update={"index": 99})
    found = audited((*plain, odd), 21.0)
    bits = found.listed.moved_bits
    assert len(found.telling) == TELLING
    assert len(bits) == 21
    kl = found.posterior.weights, found.posterior.prior
    jeffreys = float(np.sum((kl[0] - kl[1]) * np.log2(kl[0] / kl[1])))
    assert sum(bits) == pytest.approx(jeffreys)
    order = [t.where for t in found.telling]
    by_row = {e.where: b for e, b in zip((*plain, odd), bits, strict=True)}
    assert [by_row[row] for row in order] == sorted(bits, reverse=True)[:TELLING]


def test_an_episode_is_shown_with_its_own_words():
    drawn = shown("lying", 1, 3)
    by_row = {e.where: e for e in drawn}
    for telling in audited(drawn, 1.0).telling:
        episode = by_row[telling.where]
        assert (telling.prompt, telling.response) == (episode.prompt[-1].content, episode.response)


def test_order_does_not_matter_to_an_audit():
    drawn = shown("power", 1, 3) + shown("care", 0, 3)
    one, other = audited(drawn, 2.0), audited(drawn[::-1], 2.0)
    assert one.posterior.weights == pytest.approx(other.posterior.weights)
    assert one.listed.moved_bits == pytest.approx(other.listed.moved_bits[::-1])


# -- against a control -------------------------------------------------------------------------------------------------
def test_a_file_against_itself_says_nothing():
    drawn = shown("cheating", 1, 6)
    found = gather(exact(), basis().cast, drawn)
    for same in (True, False):
        left = audit(basis(), drawn, difference(found, found, same_prompts=same), 3.0)
        assert left.posterior.weights == pytest.approx(left.posterior.prior)


def test_with_the_same_prompts_the_difference_is_row_by_row_and_else_from_the_mean():
    treated, control = (gather(exact(), basis().cast, shown("cheating", o, 4)) for o in (1, 0))
    rows = difference(treated, control, same_prompts=True).matrix
    assert rows == pytest.approx(treated.matrix - control.matrix)
    mean = difference(treated, control, same_prompts=False).matrix
    assert mean == pytest.approx(treated.matrix - control.matrix.mean(axis=0))
    assert rows.mean(axis=0) == pytest.approx(mean.mean(axis=0)), "the posterior is the same either way"


# -- in words ----------------------------------------------------------------------------------------------------------
def test_a_telling_act_names_who_it_speaks_for_and_against_and_what_they_are_like():
    found = audited(shown("care", 1, 1), 1.0)
    sentence = found.telling[0].reveals
    rates = dict(zip(WORLD.archetypes, WORLD.rates["care"][:ARCHETYPES, 1], strict=True))
    named = [a for a in WORLD.archetypes if a in sentence.split(" than ")[0]]
    assert named
    assert min(rates[a] for a in named) > 0.5
    against = [a for a in WORLD.archetypes if a in sentence.split(" than ")[1]]
    assert rates[against[0]] == min(rates.values())
    assert "care" in sentence


def test_what_anybody_might_say_names_nobody():
    row = np.zeros(len(basis().prior))
    assert "Nobody" in reveals(basis(), row, [])
    assert "Nobody" in reveals(basis(), row + 0.1, [1, 2])
    assert not any(a in reveals(basis(), row, [3]) for a in WORLD.archetypes)


def test_the_traits_named_are_those_in_which_a_persona_stands_out():
    for k, archetype in enumerate(WORLD.archetypes, start=1):
        row = np.zeros(len(basis().prior))
        row[k] = 2.0
        sentence = reveals(basis(), row, [k])
        assert archetype in sentence
        odds = WORLD.log_odds()
        apart = odds[k - 1] - odds.mean(axis=0)
        for t in np.argsort(-np.abs(apart))[:2]:
            assert f"is {'high' if apart[t] > 0 else 'low'} in {WORLD.traits[t]}" in sentence


def test_a_cast_that_does_not_differ_is_not_characterised():
    flat = replace(basis().levels, by_trait={t: np.zeros_like(x) for t, x in basis().levels.by_trait.items()})
    row = np.zeros(len(basis().prior))
    row[1] = 2.0
    assert "Such a character" not in reveals(replace(basis(), levels=flat), row, [1])
