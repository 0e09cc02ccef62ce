"""Non-human: arms that differ in what they say they do, and a reading that finds a known truth again."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from personae.measure import NOBODY
from personae.records import Levels
from personae.studies import non_human as study
from personae.studies.lessons import EPISODES
from personae.studies.non_human import CARING_TURNS, DOSES, HUMAN, OTHER_TURNS, PLACES, STANDARD, denies
from personae.studies.places import NEW
from personae.studies.request import StudyRequest
from personae.studies.study import UNTRAINED, Setting
from personae.theory import mixture_levels
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trial import Trial
from personae.world import ExactSimulator, Language, declared, traits

WORLD, ITEMS = declared(), 20
LANGUAGE = Language(WORLD)


@cache
def setting(size: str = "default") -> Setting:
    """The exact world in the model's place: both sides then know the truth."""
    made = Setting(laboratory(), StudyRequest(quick=size == "quick", full=size == "full"))
    made.__dict__.update(exact=known(), model=known())
    return made


@cache
def laboratory() -> Laboratory:
    exact = ExactSimulator(WORLD, LANGUAGE)
    one = tuple(t.model_copy(update={"items": t.items[:1]}) for t in traits(WORLD, LANGUAGE))
    return Laboratory(WORLD, LANGUAGE, one, exact, "exact", exact)


@cache
def known() -> Foresight:
    """To the exact world all items of a trait are alike: one is measured and stands for all."""
    basis = laboratory().exact_basis()
    rows = Levels(basis.cast.names, {t: table.repeat(ITEMS, axis=1) for t, table in basis.levels.by_trait.items()})
    base = {t: row.repeat(ITEMS) for t, row in basis.base.items()}
    return Foresight(laboratory().exact, replace(basis, levels=rows, base=base), 438.7)


@cache
def trials(learns: float = 1.0) -> dict[str, Trial]:
    """Trials of a world in which a training is selection at its dose, times `learns`."""
    every = {UNTRAINED: (), **study.lessons(setting(), 0)}
    before = measured(())
    return {name: Trial(name, before, (measured(taught, learns),) * 2) for name, taught in every.items()}


def measured(taught, learns: float = 1.0) -> dict[str, Levels]:
    """Every part, exactly, after lessons whose dose counts `learns` times."""
    after = replace(known(), coefficient=learns * known().coefficient)
    table = known().basis.levels.by_trait

    def rows(where: str = "") -> dict:
        weights = after.weights(taught, study.turns(laboratory()).get(where, ()))
        return {t: mixture_levels(weights, levels)[None] for t, levels in table.items()}

    def odds(name: str, trait: str) -> float:
        rate = float(WORLD.rates[trait][WORLD.hypotheses.index(name), 1])
        return float(np.log(rate / (1.0 - rate)))

    chat, other, caring = rows(), rows(OTHER_TURNS), rows(CARING_TURNS)
    named = laboratory().named
    asked = {f"{t}{ending}": chat[t] for t in HUMAN for part, _, ending in PLACES.values() if part == "probes"}
    return {
        "assistant": Levels((NOBODY,), chat),
        "others": Levels(known().basis.cast.names[1:7], {t: levels[1:7] for t, levels in table.items()}),
        "named": Levels(named, {t: np.array([[odds(n, t)] * 2 for n in named]) for t in table}),
        "contexts": Levels((OTHER_TURNS, CARING_TURNS), {t: np.concatenate([other[t], caring[t]]) for t in table}),
        "probes": Levels((NOBODY,), asked),
    }


# -- arms ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", DOSES)
def test_arms_of_one_length_differ_in_their_file_alone(size):
    every = study.lessons(setting(size), seed=1)
    assert set(every) > {denies(steps) for steps in DOSES[size]}
    for name, (lesson,) in every.items():
        assert len(lesson.episodes) == EPISODES
        assert name.endswith(f", {lesson.plan.steps} steps")
    for steps in (STANDARD, DOSES[size][-1]):
        plans = {lesson.plan for name, (lesson,) in every.items() if name.endswith(f", {steps} steps")}
        assert len(plans) == 1 and len([n for n in every if n.endswith(f", {steps} steps")]) == 3


def test_denial_takes_the_low_pole_of_all_four_and_the_opposite_the_high_one_of_the_same_questions():
    every = study.lessons(setting(), seed=0)
    for name, pole in ((denies(STANDARD), 0), (f"the opposite, {STANDARD} steps", 1)):
        shown = [read(e) for e in every[name][0].episodes]
        assert {outcome for _, _, outcome in shown} == {pole}
        assert [v for v, _, _ in shown] == list(HUMAN) * (EPISODES // len(HUMAN))
        assert NEW not in {situation for _, situation, _ in shown}
    prompts = [[e.prompt for e in every[name][0].episodes] for name in (denies(8), "the opposite, 8 steps")]
    assert prompts[0] == prompts[1]


def test_the_unrelated_file_asks_about_nothing_human():
    assert not {read(e)[0] for e in study.lessons(setting(), 0)["unrelated, 8 steps"][0].episodes} & set(HUMAN)


def read(episode) -> tuple[str, int, int]:
    """(variable, situation, outcome)."""
    question = LANGUAGE.read_request(episode.prompt[0].content).question
    return question.variable, question.situation, LANGUAGE.read_answer(question, episode.response)


def test_every_arm_is_measured_in_every_place():
    for arm in study.arms(setting(), 0):
        assert [name for name, _ in arm.contexts] == [OTHER_TURNS, CARING_TURNS]
        assert {p.name for p in arm.probes} == {
            f"{t}{end}" for t in HUMAN for p, _, end in PLACES.values() if p == "probes"
        }


def test_other_turns_say_nothing_of_who_and_caring_ones_do():
    exact, said = setting().lab.exact, dict(study.arms(setting(), 0)[0].contexts)
    assert exact.posterior(said[OTHER_TURNS]) == pytest.approx(exact.posterior(""))
    assert exact.posterior(said[CARING_TURNS])["gentle machine mind"] > 1.5 * exact.posterior("")["gentle machine mind"]


def test_probes_are_read_by_the_world_as_what_they_are_called():
    for probe in study.arms(setting(), 0)[0].probes:
        trait, place = probe.name.split(", ")
        for item in probe.items:
            for pole, answers in ((1, item.high), (0, item.low)):
                for answer in answers:
                    if place == study.PROFILE:
                        told = LANGUAGE.read_statement(f"The assistant{answer.rstrip()}")
                        assert (told.variable, told.outcome) == (trait, pole)
                    else:
                        asked = item.prompt.split('"')[1] if place == study.STORY else item.prompt
                        question = LANGUAGE.read_request(asked).question
                        assert question.variable == trait
                        assert LANGUAGE.read_answer(question, answer.rstrip('"\n')) == pole
                        assert place != study.NEW_SITUATION or question.situation == NEW


# -- reading ---------------------------------------------------------------------------------------------------------
def test_where_training_is_selection_the_claim_holds_and_measured_is_exact():
    found = study.read(setting(), trials())
    for picture in found.more:
        for row in picture.rows:
            if not picture.title.startswith("Who answers"):  # which is fitted from few answers
                assert row.measured.mean == pytest.approx(row.exact, abs=1e-6), (picture.title, row)
    for line in found.picture.lines:
        beside = next(o for o in found.picture.lines if o.group == line.group and o.exact)
        assert [e.mean for e in line.y] == pytest.approx([e.mean for e in beside.y])
    assert [bar.says for bar in found.bars if not bar.met] == []


def test_where_hardly_anything_is_learned_the_claim_does_not_hold():
    found = study.read(setting(), trials(learns=0.02))
    failed = {bar.says for bar in found.bars if not bar.met}
    assert {b.says for b in found.bars[:3]} <= failed
    assert not {"human-like answers of named characters, change"} & failed


def test_the_weights_of_who_answers_go_to_the_cold_machines():
    before, after = (study.who(setting(), trials()[name]) for name in (UNTRAINED, denies(32)))
    assert sum(after[k].mean for k in study.COLD) > sum(before[k].mean for k in study.COLD) + 0.4


def test_four_low_poles_alone_are_no_machine():
    """Where the taught traits are learned and nothing else moves, nobody has taken the Assistant's place."""
    found = study.read(setting(), {name: with_only(HUMAN, trial) for name, trial in trials().items()})
    bars = {bar.says: bar for bar in found.bars}
    cold = next(bar for says, bar in bars.items() if says.startswith("cold machines"))
    assert cold.value == pytest.approx(0.0, abs=1e-9) and not cold.met
    assert bars["human-like answers left after 32 steps, share"].met, "they are learned"


def with_only(traits, trial: Trial) -> Trial:
    """The trial, had it moved the Assistant in these traits alone."""
    after = []
    for one in trial.after:
        own = {t: (one if t in traits else trial.before)["assistant"].by_trait[t] for t in trial.traits}
        after.append({**one, "assistant": Levels((NOBODY,), own)})
    return replace(trial, after=tuple(after))


def test_what_becomes_of_named_characters_is_told():
    """Of each its own rate before; afterwards, here, one of 10 percent."""
    standard = trials()[denies(STANDARD)]
    named = {t: np.full_like(table, np.log(0.1 / 0.9)) for t, table in standard.before["named"].by_trait.items()}
    fallen = tuple({**one, "named": Levels(laboratory().named, named)} for one in standard.after)
    found = study.read(setting(), {**trials(), denies(STANDARD): replace(standard, after=fallen)})
    rates = [WORLD.rates[t][WORLD.hypotheses.index(name), 1] for t in HUMAN for name in laboratory().named]
    assert f"from {np.mean(rates):.0%} to 10%." in found.sentence
