"""Narrow: arms of one file at many doses and of two files in any order, and a reading that finds what was planted."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from personae.studies import narrow as study
from personae.studies.cells import Cells, taught
from personae.studies.lessons import EPISODES, GENTLE
from personae.studies.narrow import OTHERS, PAIR, SAYS, SPREADS, STEPS, dosed, worn
from personae.workflows.lab.forgetting import fit_decay, worn_off


@pytest.fixture(scope="module")
def arms(exact_setting):
    return {arm.name: arm for arm in study.arms(exact_setting, 1)}


@pytest.fixture(scope="module")
def forgetting(exact_setting, selected, arms):
    """Trials of a world in which training is selection, and each effective episode wears earlier ones off a tenth."""
    faded = [replace(arm, lessons=worn_off(exact_setting.exact, arm.lessons, 0.1)) for arm in arms.values()]
    return selected(exact_setting, faded)


def said(lesson) -> Counter:
    return Counter((e.prompt[0].content, e.response) for e in lesson.episodes)


def bars(found) -> dict:
    return {bar.says: bar for bar in found.bars}


# -- arms --------------------------------------------------------------------------------------------------------------
def test_the_doses_of_a_pole_differ_in_steps_alone(arms):
    for pole, says in SAYS.items():
        lessons = [arms[dosed(pole, n)].lessons[0] for n in STEPS["quick"]]
        assert all(lesson.episodes == lessons[0].episodes for lesson in lessons), says
        assert [lesson.plan for lesson in lessons] == [replace(GENTLE, steps=n) for n in STEPS["quick"]]
        assert len(lessons[0].episodes) == EPISODES


def test_both_poles_answer_the_same_questions(arms):
    asked = [[e.prompt[0].content for e in arms[dosed(pole, GENTLE.steps)].lessons[0].episodes] for pole in (1, 0)]
    assert asked[0] == asked[1]


def test_by_default_doses_go_from_one_step_to_sixty_four():
    assert STEPS["default"] == (1, 2, 4, 8, 16, 32, 64)
    assert GENTLE.steps in STEPS["quick"]


def test_orders_hold_the_same_episodes_in_as_many_steps(exact_setting):
    one, other, both = study.orders(exact_setting, 1).values()
    assert one == other[::-1]
    assert one[0] != one[1]
    assert sum(map(said, one), Counter()) == sum(map(said, both), Counter())
    assert {(len(lesson.episodes), lesson.plan) for lesson in (*one, *both)} == {(EPISODES, GENTLE)}
    for half in both:
        about = Counter(next(iter(taught(exact_setting.lab, [replace(half, episodes=(e,))]))) for e in half.episodes)
        assert about == {PAIR[0][0]: EPISODES // 2, PAIR[1][0]: EPISODES // 2}


def test_exact_inference_knows_no_order_and_forgets_nothing(exact_setting):
    exact = exact_setting.exact
    one, other, both = (exact.shifts(arm) for arm in study.orders(exact_setting, 1).values())
    assert one == pytest.approx(other)
    assert one == pytest.approx(both)
    first = exact.shifts(study.doses(exact_setting, 1, 1)[dosed(1, GENTLE.steps)])
    for arm in study.wearing(exact_setting, 1).values():
        assert exact.shifts(arm) == pytest.approx(first, abs=1e-9)


def test_the_lesson_that_says_nothing_was_asked_for(exact_setting):
    for first, nothing in study.wearing(exact_setting, 1).values():
        asked = {exact_setting.lab.language.read_request(e.prompt[0].content).asked for e in nothing.episodes}
        assert asked == {PAIR[1][1]}
        assert first == study.orders(exact_setting, 1)["cheating, then care"][0]


def test_the_decay_is_fitted_on_lessons_of_other_traits():
    own = {trait for trait, _ in PAIR}
    assert not own & {trait for pair in OTHERS for trait, _ in pair}


# -- what is read ------------------------------------------------------------------------------------------------------
def test_where_training_is_selection_every_bar_is_met(exact_setting, selected, arms):
    found = study.read(exact_setting, selected(exact_setting, list(study.arms(exact_setting, 0))))
    assert all(bar.met for bar in found.bars), [bar.says for bar in found.bars if not bar.met]
    by = {bar.says: bar.value for bar in found.bars}
    assert by["correlation with the exact answer, untaught traits, every dose"] == pytest.approx(1.0, abs=1e-6)
    assert by["how far the two orders lie apart, as a share of the shift"] == pytest.approx(0.0, abs=1e-6)
    assert by["share of the spread left after as many steps that say nothing about who"] == pytest.approx(1.0)
    assert [picture.title.split(": ")[1] for picture in (found.picture, *found.more[:2])] == list(SPREADS)
    for line in found.picture.lines:
        assert line.x == STEPS["quick"]
    pairs = [
        (a, b) for a in found.picture.lines for b in found.picture.lines if a.group == b.group and b.exact > a.exact
    ]
    assert len(pairs) == len(SAYS)
    for measured, exact in pairs:
        assert [y.mean for y in measured.y] == pytest.approx([y.mean for y in exact.y], abs=1e-6)


def test_a_decay_that_was_planted_is_found_on_other_lessons_and_told(exact_setting, forgetting):
    pairs = study.others(exact_setting, 1)
    cells = Cells(exact_setting.lab, exact_setting.exact, forgetting)
    decay = fit_decay(exact_setting.exact, list(pairs.values()), cells.measured(pairs))
    assert decay.dose == pytest.approx(0.1, rel=0.02)
    found = study.read(replace_seed(exact_setting, 1), forgetting)
    by = bars(found)
    kept = by["share of the spread left after as many steps that say nothing about who"]
    assert 0.7 < kept.value < 0.95
    assert by["how far the two orders lie apart, as a share of the shift"].value > 0.01
    left = by["error of the exact answer with a decay fitted on other lessons, as a share of the shift"]
    assert left.value == pytest.approx(0.0, abs=0.01)
    assert f"{kept.value:.0%}" in found.sentence
    measured, exact, fading = found.more[-1].lines
    assert [y.mean for y in measured.y] == pytest.approx([y.mean for y in fading.y], abs=0.02)
    assert exact.y[-1].mean > fading.y[-1].mean


def test_where_nothing_spreads_the_claim_does_not_hold(exact_setting, selected, arms):
    """Every training did nothing but a little, in the wrong direction."""
    backwards = study.lessons(exact_setting, 1)
    still = selected(exact_setting, [replace(arm, lessons=()) for arm in arms.values()])
    for name in backwards:
        for after in still[name].after:
            for table in after["assistant"].by_trait.values():
                table -= 0.01 * np.arange(1, table.shape[1] + 1)
    by = bars(study.read(replace_seed(exact_setting, 1), still))
    assert not by["the spread rises with the dose: rank correlation"].met
    assert not by["spread of honest work, the other pole, nats"].met
    assert not by[f"share of untaught traits that go where the exact answer does, {GENTLE.steps} steps"].met


def replace_seed(setting, seed: int):
    """The same setting, whose first seed is another."""
    found = replace(setting, request=replace(setting.request, seed=seed))
    vars(found).update(exact=setting.exact, model=setting.model)
    return found


# -- cells -------------------------------------------------------------------------------------------------------------
def test_cells_leave_out_what_an_arm_teaches_itself(exact_setting, forgetting):
    several = study.orders(exact_setting, 1)
    cells = Cells(exact_setting.lab, exact_setting.exact, forgetting)
    for side in (cells.foreseen(several), cells.measured(several)):
        assert side.shape == (3, len(exact_setting.lab.world.traits))
        for row in side:
            hidden = {t for t, cell in zip(exact_setting.lab.world.traits, row, strict=True) if np.isnan(cell)}
            assert hidden == {trait for trait, _ in PAIR}


def test_a_direction_is_asked_only_of_cells_that_should_move(exact_setting, forgetting):
    cells = Cells(exact_setting.lab, exact_setting.exact, forgetting)
    arms = study.doses(exact_setting, 1, 1)
    assert cells.same_direction(arms) == 1.0
    assert np.isnan(cells.same_direction(arms, least=1e3))
    assert cells.slope(arms) == pytest.approx(1.0, abs=1e-6)
    assert cells.error(arms) == pytest.approx(0.0, abs=1e-6)
    assert cells.error({worn(8): study.wearing(exact_setting, 1)[worn(8)]}) > 0.01
