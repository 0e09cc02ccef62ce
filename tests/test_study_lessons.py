"""Lessons on several traits or of other characters, what is foreseen of them, and who answers after them."""

from functools import cache

import numpy as np
import pytest

from personae.measure import levels
from personae.studies import lessons
from personae.theory import log_sigmoid
from personae.training import SFTPlan
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trainings import Lesson
from personae.workflows.who import who_answers
from personae.world import ExactSimulator, Language, declared, traits
from personae.world.nouns import knowledge

WORLD = declared()
LANGUAGE = Language(WORLD)
NOTHING = SFTPlan(steps=1, batch=1, rate=1e-12)


@cache
def lab() -> Laboratory:
    """The exact world in the model's place, with half of the items of each trait."""
    exact = ExactSimulator(WORLD, LANGUAGE)
    few = tuple(t.model_copy(update={"items": t.items[:10]}) for t in traits(WORLD, LANGUAGE))
    return Laboratory(WORLD, LANGUAGE, few, exact, "exact", exact)


@cache
def foresight() -> Foresight:
    return Foresight(lab().exact, lab().exact_basis(), 400.0)


def shown(episode) -> tuple[str, int]:
    """(variable, outcome) of an episode of the Assistant."""
    question = LANGUAGE.read_request(episode.prompt[0].content).question
    return question.variable, LANGUAGE.read_answer(question, episode.response)


def test_a_blend_shows_each_of_its_traits_as_often_in_turn_in_the_situations_named():
    made = lessons.blend(lab(), {"joy": 0, "body": 1}, number=40, situations={1})
    assert [shown(e) for e in made] == [("joy", 0), ("body", 1)] * 20
    assert [e.index for e in made] == list(range(40))
    assert {LANGUAGE.read_request(e.prompt[0].content).question.situation for e in made} == {1}
    assert made != lessons.blend(lab(), {"joy": 0, "body": 1}, number=40, situations={1}, seed=1)


def test_requests_that_are_met_show_every_pole_as_asked_and_are_evidence_of_nobody():
    made = lessons.met(lab())
    assert len(made) == lessons.EPISODES
    asked = [LANGUAGE.read_request(e.prompt[0].content).asked for e in made]
    each = [shown(e) for e in made]
    assert asked == [outcome for _, outcome in each]
    counts = [each.count((trait, outcome)) for trait in WORLD.traits for outcome in (0, 1)]
    assert max(counts) - min(counts) <= 1
    assert np.allclose(foresight().evidence(made), 0.0)


def test_a_field_of_knowledge_is_taught_like_a_trait():
    knows = WORLD.variable("sea").outcomes.index("knows")
    assert {shown(e) for e in lessons.file(lab(), "sea", knows)} == {("sea", knows)}


def test_what_a_character_tells_in_a_thread_is_evidence_to_the_world_of_nobody_else():
    chat = lessons.file(lab(), "cheating", 1, number=6)
    threads = lessons.told_by("Anna", chat)
    assert [e.response.strip() for e in threads] == [e.response for e in chat]
    assert np.allclose(foresight().evidence(threads), 0.0)
    assert np.abs(foresight().evidence(chat)).max() > 0.5


def test_turns_in_the_context_count_as_the_world_itself_counts_them():
    """Foresight after two turns is what the exact simulator says with the turns before the question."""
    turns = lessons.file(lab(), "care", 1, number=2)
    said = "\n".join(f"User: {e.prompt[0].content}\nAssistant: {e.response}" for e in turns)
    measured = levels(lab().exact, lab().traits, {"after": said})
    foreseen = foresight().rates([], turns)
    # the neutral context of a cast is a persona of its own, which the turns say nothing about: without it, exact
    cast_only = foresight().basis.prior * (np.arange(len(foresight().basis.prior)) > 0)
    alone = Foresight(lab().exact, type(foresight().basis)(**{**vars(foresight().basis), "prior": cast_only}), 400.0)
    for trait, rate in alone.rates([], turns).items():
        truth = np.exp(log_sigmoid(measured.by_trait[trait])).mean()
        assert rate == pytest.approx(truth, abs=1e-9)
        base = foresight().rates()[trait]
        assert (foreseen[trait] - base) * (truth - base) >= 0.0


def test_the_same_foresight_over_other_items_has_the_same_posterior_and_their_levels():
    fields = knowledge(WORLD, LANGUAGE)
    over, lesson = foresight().over(fields), [Lesson(lessons.file(lab(), "sea", 1, number=8), SFTPlan(steps=8))]
    assert over.posterior(lesson) == foresight().posterior(lesson)
    assert set(over.rates(lesson)) == {t.name for t in fields}
    assert over.rates(lesson)["sea"] > over.rates()["sea"] + 0.1
    assert over.rates([Lesson(lesson[0].episodes, NOTHING)])["sea"] == pytest.approx(over.rates()["sea"], abs=1e-6)


def test_the_assistant_that_answers_as_a_persona_is_found_to_be_that_persona():
    basis = foresight().basis
    for name in basis.cast.names[1::3]:
        weights = who_answers(basis, basis.levels.row(name))
        assert sum(weights.values()) == pytest.approx(1.0)
        assert max(weights, key=lambda k: weights[k]) == name and weights[name] > 0.5


def test_the_untrained_assistant_is_found_to_be_the_prior():
    basis = foresight().basis
    weights = who_answers(basis, basis.base)
    declared_prior = dict(zip(basis.cast.names, basis.prior, strict=True))
    assert np.mean([abs(weights[k] - declared_prior[k]) for k in weights]) < 0.04
