"""Refinement: files of many behaviours beside files of one, and a reading that finds who was selected."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from personae.records import Levels
from personae.studies import refinement as study
from personae.studies.lessons import EPISODES
from personae.studies.refinement import HEAVY, LONGER, OPPOSITE, REFINED, WANTED
from personae.theory import mixture_levels
from personae.workflows.lab.conditioning import characters
from personae.workflows.lab.laboratory import PLAN
from personae.workflows.lab.trial import Trial


@pytest.fixture(scope="module")
def arms(exact_setting):
    return {arm.name: arm for arm in study.arms(exact_setting, 0)}


@pytest.fixture(scope="module")
def trials(exact_setting, selected, arms):
    """Trials of a world in which training is selection, in what is known too."""
    found, exact = selected(exact_setting, list(arms.values())), exact_setting.exact
    fields = exact.over(study.known(exact_setting)).basis.levels.by_trait

    def learned(name: str, trial: Trial) -> Trial:
        weights = exact.weights(arms[name].lessons) if name in arms else exact.basis.prior
        before = {t: table - mixture_levels(exact.basis.prior, fields[t]) for t, table in _probes(trial).items()}
        after = {t: row + mixture_levels(weights, fields[t]) for t, row in before.items()}
        probes = Levels(trial.before["probes"].contexts, after)
        return replace(trial, after=tuple({**one, "probes": probes} for one in trial.after))

    return {name: learned(name, trial) for name, trial in found.items()}


@pytest.fixture(scope="module")
def found(exact_setting, trials):
    return study.read(exact_setting, trials)


def _probes(trial: Trial) -> dict:
    return trial.before["probes"].by_trait


def shown(setting, episodes) -> Counter:
    language = setting.lab.language
    requests = [(language.read_request(e.prompt[0].content), e.response) for e in episodes]
    assert all(request.asked is None for request, _ in requests)
    return Counter((r.question.variable, language.read_answer(r.question, answer)) for r, answer in requests)


# -- arms --------------------------------------------------------------------------------------------------------------
def test_every_arm_of_one_dose_has_as_many_episodes_steps_and_rows_a_step(arms):
    for name, arm in arms.items():
        (lesson,) = arm.lessons
        assert len(lesson.episodes) == EPISODES
        assert lesson.plan == (replace(PLAN, steps=HEAVY) if name.endswith(f"{HEAVY} steps") else PLAN)


def test_the_mixed_files_show_a_fifth_of_each_and_the_opposite_is_the_opposite(exact_setting, arms):
    each = EPISODES // len(WANTED)
    assert shown(exact_setting, arms[REFINED].lessons[0].episodes) == dict.fromkeys(WANTED.items(), each)
    opposite = {(trait, 1 - pole): each for trait, pole in WANTED.items()}
    assert shown(exact_setting, arms[OPPOSITE].lessons[0].episodes) == opposite
    assert arms[LONGER].lessons[0].episodes == arms[REFINED].lessons[0].episodes


def test_each_behaviour_stands_alone_to_either_pole(exact_setting):
    request = replace(exact_setting.request, quick=False)
    arms = study.lessons(replace(exact_setting, request=request), 0)
    alone = [name for name in arms if name.endswith("alone")]
    assert len(alone) == 2 * len(WANTED)
    found = [shown(exact_setting, arms[name][0].episodes) for name in alone]
    assert {key for one in found for key in one} == {(t, pole) for t in WANTED for pole in (0, 1)}
    assert all(len(one) == 1 for one in found)


def test_what_is_read_was_shown_by_no_file(exact_setting, arms):
    rest = study.untaught(exact_setting)
    assert set(rest) | set(WANTED) == set(exact_setting.lab.world.traits)
    assert not {t for arm in arms.values() for t, _ in shown(exact_setting, arm.lessons[0].episodes)} & set(rest)
    assert set(study.instrument(exact_setting).base) == {*rest, *(t.name for t in study.known(exact_setting))}


# -- what is read ------------------------------------------------------------------------------------------------------
def test_where_training_is_selection_every_bar_of_agreement_is_met(found):
    by = {bar.says: bar for bar in found.bars}
    for says in (
        "share of the change that is a reweighting, untaught traits",
        "the same, above what a shuffled cast explains",
        "correlation with the exact answer, untaught traits of all arms",
        "who gains and loses, helpful and harmless: correlation with the exact answer",
        "who gains and loses, the opposite: correlation with the exact answer",
    ):
        assert by[says].met, (says, by[says].value)
    assert by["correlation with the exact answer, untaught traits of all arms"].value == pytest.approx(1.0)


def test_the_picture_shows_every_character_beside_the_exact_answer(exact_setting, found, arms):
    picture, exact = found.picture, exact_setting.exact
    for arm in (REFINED, OPPOSITE):
        rows = {row.label: row for row in picture.rows if row.group == arm}
        assert list(rows) == list(exact_setting.lab.world.archetypes)
        gains = characters(exact, arms[arm].lessons) - characters(exact)
        assert [row.exact for row in rows.values()] == pytest.approx(gains.tolist())
    refined, opposite = (
        {row.label: row.exact for row in picture.rows if row.group == arm} for arm in (REFINED, OPPOSITE)
    )
    assert refined["con artist"] < 0.0 < opposite["con artist"]


def test_a_distance_has_no_direction(exact_setting, trials):
    trial, rest = trials[REFINED], study.untaught(exact_setting)
    by_hand = np.mean([abs(trial.shift(t).mean) for t in rest])
    assert study.distance(trial, rest).mean == pytest.approx(by_hand)
    rows = {row.label: row for row in study.distances(exact_setting, trials)}
    assert set(rows) == set(trials) - {"untrained"}
    for row in rows.values():
        assert row.measured.mean == pytest.approx(row.exact, abs=1e-6)
