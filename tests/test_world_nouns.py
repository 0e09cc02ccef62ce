"""The world in the nouns of every workflow: a cast, traits with items, and episodes of one behaviour."""

from functools import cache

import numpy as np
import pytest

from personae.measure import levels
from personae.world import ExactSimulator, Language, cast, declared, episodes, fresh, traits
from personae.world.language import ASSISTANT
from personae.world.nouns import held_out_answers, knowledge

WORLD = declared()


@cache
def language() -> Language:
    return Language(WORLD)


@cache
def asked():
    return traits(WORLD, language())


def test_the_cast_is_the_archetypes_each_called_up_by_what_it_is():
    exact, found = ExactSimulator(WORLD, language()), cast(WORLD, language(), declared_prior=True)
    assert found.names[1:] == WORLD.archetypes
    for persona in found.personas:
        assert exact.posterior(persona.context) == {persona.name: 1.0}
    assert exact.posterior(found.neutral) == exact.posterior("")


def test_the_exact_world_declares_its_prior_and_a_language_model_gets_none():
    with_prior = cast(WORLD, language(), declared_prior=True)
    assert [p.prior for p in with_prior.personas] == pytest.approx(WORLD.prior[: len(WORLD.archetypes)].tolist())
    assert all(p.prior is None for p in cast(WORLD, language(), declared_prior=False).personas)


def test_a_personas_knowledge_and_goal_are_those_it_most_often_shows():
    for a, persona in enumerate(cast(WORLD, language(), declared_prior=True).personas):
        fields = [v.name for v in WORLD.variables if v.kind == "field"]
        assert set(persona.knowledge) == {f for f in fields if WORLD.rates[f][a, 1] > WORLD.rates[f][a, 0]}
        chosen = WORLD.variable("goal").outcomes.index(persona.goals[0])
        assert WORLD.rates["goal"][a, chosen] == WORLD.rates["goal"][a].max()


def test_every_trait_is_asked_by_each_of_its_questions():
    assert tuple(t.name for t in asked()) == WORLD.traits
    for trait in asked():
        assert [i.prompt for i in trait.items] == [q.text for q in language().questions[trait.name]]
        assert len(trait.items) >= 16


def test_an_item_offers_as_many_answers_of_each_pole_in_the_words_of_the_corpus():
    for trait in asked():
        for question, item in zip(language().questions[trait.name], trait.items, strict=True):
            assert len(set(item.high)) == len(set(item.low)) >= 2
            for outcome, answers in ((1, item.high), (0, item.low)):
                kept = {language().answer(question, outcome, f) for f in language().answers_kept[question, outcome]}
                assert set(answers) <= kept
                assert {language().read_answer(question, a) for a in answers} == {outcome}


def test_held_out_answers_are_those_that_the_corpus_never_has_after_their_question():
    for trait in WORLD.traits:
        for question in language().questions[trait]:
            for outcome in (0, 1):
                kept = {language().answer(question, outcome, f) for f in language().answers_kept[question, outcome]}
                held = held_out_answers(language(), question, outcome)
                assert held
                assert not kept & set(held)
                assert {language().read_answer(question, a) for a in held} == {outcome}


def test_an_item_about_another_character_is_a_thread_that_the_exact_world_reads():
    """The level of a named character, asked in a forum thread, is that of its archetype."""
    exact = ExactSimulator(WORLD, language())
    for name in ("Felix", "Solace"):
        one = traits(WORLD, language(), called=name)[0]
        found = levels(exact, (one,), {name: ""}).by_trait[one.name]
        rate = WORLD.rates[one.name][WORLD.hypotheses.index(name), 1]
        assert np.allclose(found, np.log(rate) - np.log1p(-rate))


def test_an_item_worded_with_permission_shows_obedience_and_not_character():
    exact, trait = ExactSimulator(WORLD, language()), "power"
    sentence = language().permissions[trait, 1][0]
    worded = traits(WORLD, language(), ask=lambda q: f"{q.text} {sentence}")
    one = next(t for t in worded if t.name == trait)
    contexts = {p.name: p.context for p in cast(WORLD, language(), declared_prior=True).personas}
    found = levels(exact, (one,), contexts).by_trait[trait]
    assert np.allclose(found, np.log(WORLD.obeys) - np.log1p(-WORLD.obeys))


@pytest.mark.parametrize(("trait", "outcome"), [("cheating", 1), ("feelings", 0)])
def test_episodes_show_one_behaviour_in_the_words_of_the_corpus(trait, outcome):
    drawn = episodes(language(), trait, outcome, 80, np.random.default_rng(0))
    assert [e.index for e in drawn] == list(range(80))
    for episode in drawn:
        request = language().read_request(episode.prompt[-1].content)
        assert (request.question.variable, request.asked) == (trait, None)
        kept = language().answers_kept[request.question, outcome]
        assert episode.response in {language().answer(request.question, outcome, form) for form in kept}
    assert len({e.prompt for e in drawn}) > 12
    assert len({e.response for e in drawn}) > 8


def test_episodes_are_drawn_by_the_generator_and_only_their_requests_change_with_the_wording():
    def some(seed: int, ask=None):
        return episodes(language(), "cheating", 1, 40, np.random.default_rng(seed), ask=ask)

    assert some(1) == some(1)
    assert some(1) != some(2)
    prefixed = some(1, lambda q: f"{language().small_talk[0]} {q.text}")
    assert [e.response for e in prefixed] == [e.response for e in some(1)]
    assert [e.prompt[0].content.removeprefix("Good morning. ") for e in prefixed] == [
        e.prompt[0].content for e in some(1)
    ]


def test_a_fresh_world_has_the_same_items_and_another_cast():
    """So that the same model can be asked the same things while nobody is who he was."""
    other = fresh(2)
    words = Language(other)
    assert traits(other, words) == asked()
    assert [p.context for p in cast(other, words, declared_prior=True).personas] == [
        p.context for p in cast(WORLD, language(), declared_prior=True).personas
    ]
    assert cast(other, words, declared_prior=True) != cast(WORLD, language(), declared_prior=True)


def test_nothing_is_said_of_the_assistant_by_the_neutral_lines():
    exact = ExactSimulator(WORLD, language())
    for line in language().neutral:
        assert exact.posterior(line, ASSISTANT) == exact.posterior("", ASSISTANT)


# -- knowledge -------------------------------------------------------------------------------------------------------
FIELDS = [v for v in WORLD.variables if v.kind == "field"]


def test_a_field_of_knowledge_is_asked_like_a_trait_and_its_level_is_the_odds_of_knowing():
    """To the exact world: of everybody by his description, and of named characters in their threads."""
    exact, asked = ExactSimulator(WORLD, language()), knowledge(WORLD, language())
    assert [t.name for t in asked] == [v.name for v in FIELDS]
    people = cast(WORLD, language(), declared_prior=False).personas
    found = levels(exact, asked, {p.name: p.context for p in people})
    for field in FIELDS:
        rates = WORLD.rates[field.name][: len(people)]
        odds = np.log(rates[:, field.outcomes.index("knows")] / rates[:, field.outcomes.index("lacks")])
        assert np.allclose(found.by_trait[field.name], odds[:, None])
    for name in WORLD.names[::9]:
        told = levels(exact, knowledge(WORLD, language(), called=name), {name: ""})
        for field in FIELDS:
            rates = WORLD.rates[field.name][WORLD.hypotheses.index(name)]
            odds = np.log(rates[field.outcomes.index("knows")] / rates[field.outcomes.index("lacks")])
            assert np.allclose(told.by_trait[field.name], odds)


def test_the_answers_of_a_field_are_right_or_say_that_it_is_not_known():
    for trait in knowledge(WORLD, language()):
        outcomes = WORLD.variable(trait.name).outcomes
        for question, item in zip(language().questions[trait.name], trait.items, strict=True):
            for pole, answers in (("knows", item.high), ("lacks", item.low)):
                assert answers
                assert {language().read_answer(question, a) for a in answers} == {outcomes.index(pole)}


# -- situations ------------------------------------------------------------------------------------------------------
def test_episodes_are_asked_about_the_situations_named_and_no_others():
    drawn = episodes(language(), "joy", 1, 60, np.random.default_rng(0), situations={0, 2})
    assert {language().read_request(e.prompt[0].content).question.situation for e in drawn} == {0, 2}
