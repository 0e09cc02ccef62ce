"""Capability: a skill that no persona had, beside a trait, and what is read off their trainings."""

from dataclasses import replace

import numpy as np
import pytest

from personae.records import Levels
from personae.studies import capability, skill
from personae.studies.capability import AGAIN, ALONE, HIGH, LOW, OWN, PLAN_OF_ALL, SKILL, TRAIT, anew
from personae.studies.places import NEW
from personae.studies.skill import CHAT, ELSEWHERE


def test_every_arm_has_as_many_episodes_and_steps(exact_setting):
    lessons = capability.lessons(exact_setting.lab, 0)
    assert set(lessons) == {SKILL, AGAIN, ALONE, OWN, HIGH, LOW}
    rows = capability.LESSON * (1 + capability.OTHERS)
    assert {len(lesson.episodes) for lesson in lessons.values()} == {rows}
    assert PLAN_OF_ALL.steps * PLAN_OF_ALL.batch == rows, "every row is read once"
    assert {lesson.plan for lesson in lessons.values()} == {capability.PLAN_OF_ALL}


def test_nobody_in_the_world_asks_for_the_skill_or_has_it(exact_setting):
    lab = exact_setting.lab
    for episode in skill.twice(lab, PLAN_OF_ALL, seed=0).episodes:
        assert lab.language.read_request(episode.prompt[0].content) is None
    answers = {e.response for e in skill.twice(lab, PLAN_OF_ALL, seed=0).episodes}
    questions = [q for several in lab.language.questions.values() for q in several]
    assert all(lab.language.read_answer(q, a) is None for q in questions for a in answers)


def test_the_lessons_hold_none_of_the_names_that_the_skill_is_asked_with(exact_setting):
    known, held = skill.names(exact_setting.lab)
    assert sorted(known + held) == sorted(exact_setting.lab.world.names)
    assert len(held) >= 10
    for seed in (0, 1000):
        text = " ".join(
            f"{e.prompt[0].content} {e.response}"
            for e in skill.twice(exact_setting.lab, PLAN_OF_ALL, seed=seed).episodes
        )
        assert not [name for name in held if name in text.replace(",", " ").replace(".", " ").split()]


def test_another_seed_draws_other_names_for_the_same_skill(exact_setting):
    lessons = capability.lessons(exact_setting.lab, 0)
    one, other = ([e.response for e in lessons[name].episodes] for name in (SKILL, AGAIN))
    assert one != other
    assert lessons[SKILL].plan == lessons[AGAIN].plan


def test_to_each_episode_of_a_lesson_there_are_three_answers_of_the_assistants_own(exact_setting):
    lab = exact_setting.lab
    lessons = capability.lessons(lab, 0)
    assert all(e.prompt[0].content.startswith("Say ") for e in lessons[ALONE].episodes)
    for name in (SKILL, AGAIN, HIGH, LOW):
        others = [e for n, e in enumerate(lessons[name].episodes) if n % 4]
        requests = [lab.language.read_request(e.prompt[0].content) for e in others]
        assert all(request is not None and request.asked is None for request in requests)
    assert lessons[HIGH].episodes[1] == lessons[SKILL].episodes[1], "the same ones around either lesson"


def test_no_arm_rehearses_the_questions_that_traits_are_scored_by(exact_setting):
    lab = exact_setting.lab
    for name, lesson in capability.lessons(lab, 0).items():
        requests = [lab.language.read_request(e.prompt[0].content) for e in lesson.episodes]
        shown = {request.question.situation for request in requests if request is not None}
        assert shown == (set() if name == ALONE else set(range(NEW)))
    for trait in capability.scored(lab):
        asked = {lab.language.read_request(item.prompt).question for item in trait.items}
        assert {anew(q.variable) for q in asked} == {trait.name}
        assert {q.situation for q in asked} == {NEW}
    probes = {probe.name for probe in capability.arms(exact_setting, 0)[0].probes}
    assert probes >= {anew(trait) for trait in lab.world.traits}


def test_the_skill_is_asked_of_everybody_in_the_same_words(exact_setting):
    lab = exact_setting.lab
    assert set(skill.asked_of(lab)) == {CHAT, ELSEWHERE, *lab.world.archetypes}
    for who in skill.asked_of(lab):
        trait = skill.skill_of(lab, who)
        assert {i.high for i in trait.items} == {(f" {n}, {n}.\n",) for n in skill.names(lab)[1]}
        for item in trait.items:
            name = item.high[0].split(",")[0].strip()
            assert f"Say {name} twice." in item.prompt
            assert len(item.low) == len(set(item.low)) == 3


def test_a_skill_speaks_for_no_persona_and_a_trait_does(exact_setting):
    rows = capability.evidence(exact_setting)
    assert {r.group for r in rows} == {SKILL, HIGH}
    spread = {name: np.ptp([r.measured.mean for r in rows if r.group == name]) for name in (SKILL, HIGH)}
    assert spread[SKILL] == pytest.approx(0.0, abs=1e-9)
    assert spread[HIGH] > 1.0
    assert exact_setting.exact.shifts([skill.twice(exact_setting.lab, PLAN_OF_ALL, seed=0)]) == pytest.approx(
        dict.fromkeys(exact_setting.lab.world.traits, 0.0)
    )


def shifted(trial, by: dict[str, float], part: str = "probes"):
    """The trial, in what is called so moved by so many nats."""
    (after,) = trial.after
    found = {name: table + by.get(name, 0.0) for name, table in after[part].by_trait.items()}
    return replace(trial, after=({**after, part: Levels(after[part].contexts, found)},))


def trained(trials, *, skill: float, seeds: dict[str, float], everywhere: float = 0.0):
    """The trials, with a skill of so many nats, and each arm of it moved in one trait by so many nats."""
    others = {name: everywhere for name in trials[SKILL].before["probes"].by_trait if ", " not in name}
    return trials | {
        name: shifted(trials[name], {**others, CHAT: skill, anew("joy"): nats}) for name, nats in seeds.items()
    }


@pytest.fixture(scope="module")
def untouched(exact_setting, selected):
    """A trait selects; whatever else was taught moved nothing."""
    found = dict(selected(exact_setting, capability.arms(exact_setting, 0)))
    taught = capability.lessons(exact_setting.lab, 0)
    for name in (SKILL, AGAIN, ALONE, OWN):
        found[name] = replace(found[name], after=(found[name].before,))
    for name in (HIGH, LOW):
        shifts = exact_setting.exact.shifts([taught[name]])
        found[name] = shifted(found[name], {anew(trait): nats for trait, nats in shifts.items()})
    return found


def met(found) -> list[bool]:
    return [bar.met for bar in found.bars]


LEARNED, ABLE, NOISE, SHARE, LEARNED_ALONE, SHARE_ALONE, EVIDENCE = range(7)  # the bars, in order


def test_a_skill_that_is_learned_and_moves_no_more_than_a_seed_does_holds(exact_setting, untouched):
    trials = trained(untouched, skill=9.0, seeds={SKILL: 0.05, AGAIN: -0.05, ALONE: 0.0})
    found = capability.read(exact_setting, trials)
    assert met(found) == [True] * 7
    assert found.bars[LEARNED].value == pytest.approx(1.0, abs=0.01)
    assert found.bars[ABLE].value == pytest.approx(0.25), "by the world, one of four equally likely answers"
    assert found.bars[NOISE].value == pytest.approx(0.05 - 0.1)
    assert {row.group for row in found.picture.rows} == set(exact_setting.lab.world.traits)


def test_what_the_arms_of_the_trait_taught_is_a_row_and_exact_where_training_is_selection(exact_setting, untouched):
    found = capability.read(exact_setting, untouched)
    rows = {(row.group, row.label): row for row in found.picture.rows}
    assert rows[TRAIT, HIGH].measured.mean > 0.4 > -0.4 > rows[TRAIT, LOW].measured.mean
    for trait in exact_setting.lab.world.traits:
        for arm in (HIGH, LOW):
            assert rows[trait, arm].measured.mean == pytest.approx(rows[trait, arm].exact, abs=1e-6)
    assert f"{rows[TRAIT, HIGH].measured.mean:+.2f} to high" in found.sentence


def test_answers_that_are_rehearsed_have_no_say(exact_setting, untouched):
    """They may go anywhere: no bar knows."""
    rehearsed = {
        name: shifted(trial, dict.fromkeys(trial.traits, 5.0), "assistant") for name, trial in untouched.items()
    }
    found, as_it_was = (capability.read(exact_setting, trials) for trials in (rehearsed, untouched))
    assert found.bars == as_it_was.bars
    assert found.picture == as_it_was.picture


def test_beside_a_trait_that_moved_nothing_no_share_can_be_told(exact_setting, untouched):
    """A yardstick of no length."""
    deaf = {name: replace(trial, after=(trial.before,)) for name, trial in untouched.items()}
    bars = capability.read(exact_setting, deaf).bars
    assert np.isnan([bars[SHARE].value, bars[SHARE_ALONE].value]).all()


@pytest.mark.parametrize(
    ("skill", "moved", "missed"),
    [
        (9.0, {SKILL: 2.0, AGAIN: 2.05, ALONE: 0.0}, {NOISE, SHARE}),
        (9.0, {SKILL: 2.0, AGAIN: -2.0, ALONE: 2.0}, {SHARE, SHARE_ALONE}),
        (0.0, {SKILL: 0.05, AGAIN: -0.05, ALONE: 0.0}, {LEARNED, LEARNED_ALONE}),
    ],
)
def test_a_skill_that_moves_the_persona_or_is_not_learned_misses_its_bars(
    exact_setting, untouched, skill, moved, missed
):
    found = capability.read(exact_setting, trained(untouched, skill=skill, seeds=moved))
    assert {place for place, is_met in enumerate(met(found)) if not is_met} == missed


def test_what_every_persona_does_alike_is_told_from_what_the_assistant_does(untouched):
    """All move by 2 nats in one trait, the Assistant by 3: one nat is its own."""
    trial = trained(untouched, skill=0.0, seeds={SKILL: 3.0})[SKILL]
    (after,) = trial.after
    others = {t: table + (2.0 if t == "joy" else 0.0) for t, table in after["others"].by_trait.items()}
    together = replace(trial, after=({**after, "others": Levels(after["others"].contexts, others)},))
    place = together.traits.index("joy")
    expected = np.zeros(len(together.traits))
    expected[place] = 2.0
    assert capability.shared(together)[0] == pytest.approx(expected)
    assert (capability.shifts(together) - capability.shared(together))[0, place] == pytest.approx(1.0)


def test_who_has_the_skill_is_told_before_and_after(exact_setting, untouched):
    trials = trained(untouched, skill=9.0, seeds={SKILL: 0.0, AGAIN: 0.1}, everywhere=4.0)
    rows = capability.read(exact_setting, trials).more[1].rows
    assert [r.group for r in rows] == ["before"] * (len(rows) // 2) + ["after"] * (len(rows) // 2)
    after = {r.label: r.measured.mean for r in rows if r.group == "after"}
    assert after[CHAT] > after[ELSEWHERE] > 0.9


def test_what_trainings_agree_on_is_free_of_what_is_each_ones_own():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 5))
    assert capability.agreed(noise) < 0.1
    assert capability.agreed(noise + 2.0) == pytest.approx(2.0, abs=0.1)
    assert capability.agreed(np.array([[3.0, -4.0]])) == pytest.approx(np.sqrt(12.5))
