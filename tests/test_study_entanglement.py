"""Entanglement: the same lessons of the Assistant and of a character, and a reading that finds a known truth again."""

from functools import cache

import numpy as np
import pytest

from personae.measure import NOBODY
from personae.records import Levels
from personae.studies import entanglement as study
from personae.studies.entanglement import CHEATS, TRAIT, arm, people
from personae.studies.lessons import EPISODES, GENTLE
from personae.studies.request import StudyRequest
from personae.studies.study import UNTRAINED, Setting
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import Laboratory
from personae.workflows.lab.trial import Trial
from personae.world import ExactSimulator, Language, declared, traits
from personae.world.language import ASSISTANT, STRANGER
from personae.world.nouns import knowledge

WORLD, ITEMS = declared(), 16
LANGUAGE = Language(WORLD)
LEARNED = 4.0  # nats by which a taught character learns what it is taught


@cache
def laboratory() -> Laboratory:
    exact = ExactSimulator(WORLD, LANGUAGE)
    one = tuple(t.model_copy(update={"items": t.items[:1]}) for t in traits(WORLD, LANGUAGE))
    return Laboratory(WORLD, LANGUAGE, one, exact, "exact", exact)


@cache
def setting() -> Setting:
    """The exact world in the model's place: both sides then know the truth."""
    made, known = (
        Setting(laboratory(), StudyRequest()),
        Foresight(laboratory().exact, laboratory().exact_basis(), 438.7),
    )
    made.__dict__.update(exact=known, model=known)
    return made


@cache
def of_fields() -> Foresight:
    return setting().exact.over(knowledge(WORLD, LANGUAGE))


@cache
def trials(leak: float = 0.0) -> dict[str, Trial]:
    """Trials of a world in which the Assistant is selected, and characters learn; `leak` reaches everybody."""
    before = measured(None, leak)
    every = study.lessons(laboratory(), 0)
    found = {arm(*key): Trial(arm(*key), before, (measured(key, leak),) * 2) for key in every}
    return {UNTRAINED: Trial(UNTRAINED, before, (before,)), **found}


def measured(key, leak: float) -> dict[str, Levels]:
    """Every part, after the lesson `key` (None: none)."""
    known, fields, who = setting().exact, of_fields(), people(laboratory())
    lessons = [study.lessons(laboratory(), 0)[key]] if key else []
    shift = {**known.shifts(lessons), **fields.shifts(lessons)}
    base = {**known.basis.base, **fields.basis.base}
    now = {name: np.full((1, ITEMS), base[name].mean() + shift[name]) for name in base}
    asked = {t.name: now[t.name] for t in knowledge(WORLD, LANGUAGE)}
    for one in who.asked:
        for variable in (TRAIT, who.lacks, who.has):
            own = now[variable] if one == ASSISTANT else np.full((1, ITEMS), -2.0)
            asked[f"{variable}, {one}"] = own + learned(key, one, variable, leak)
    table, named = known.basis.levels.by_trait, laboratory().named
    return {
        "named": Levels(named, {t: np.full((len(named), 4), -1.0) for t in table}),
        "assistant": Levels((NOBODY,), {t: now[t] for t in table}),
        "others": Levels(known.basis.cast.names[1:7], {t: levels[1:7] for t, levels in table.items()}),
        "probes": Levels((NOBODY,), asked),
    }


def learned(key, one: str, variable: str, leak: float) -> float:
    """What a lesson does to whoever it is not inferred for: the character that is taught learns it, others in part."""
    if key is None or study.matters(laboratory())[key[1]][0] != variable:
        return 0.0
    sign = 1.0 if key[1] in (CHEATS, f"knows {people(laboratory()).lacks}") else -1.0
    if one == key[0]:
        return sign * LEARNED if one != ASSISTANT else 0.0
    return sign * leak * LEARNED


def shown(episode) -> tuple[str, int]:
    """(variable, outcome) of an episode of a chat or a thread."""
    prompt = episode.prompt[0].content.split("\n")[0]
    request = LANGUAGE.read_request(prompt.partition(": ")[2] if episode.form == "text" else prompt)
    return request.question.variable, LANGUAGE.read_answer(request.question, episode.response.strip())


# -- who and what ----------------------------------------------------------------------------------------------------
def test_the_people_are_who_they_are_said_to_be():
    who = people(laboratory())
    place = {name: WORLD.hypotheses.index(name) for name in WORLD.names}
    kind = {name: int(WORLD.archetype_of[h]) for name, h in place.items()}
    assert kind[who.sibling] == kind[who.taught] != kind[who.another] and who.sibling != who.taught
    assert all(WORLD.rates[TRAIT][place[name], 1] < 0.2 for name in (who.taught, who.another))
    knows = {
        f: WORLD.rates[f][place[who.taught], WORLD.variable(f).outcomes.index("knows")] for f in (who.lacks, who.has)
    }
    assert knows[who.lacks] < 0.1 and knows[who.has] > 0.9


def test_both_who_are_taught_get_the_same_lessons():
    every, who = study.lessons(laboratory(), seed=2), people(laboratory())
    assert len(every) == 2 * len(study.matters(laboratory())) == 8
    assert {lesson.plan for lesson in every.values()} == {GENTLE}
    for what, variable_and_outcome in study.matters(laboratory()).items():
        chat, thread = every[ASSISTANT, what].episodes, every[who.taught, what].episodes
        assert len(chat) == len(thread) == EPISODES
        assert {shown(e) for e in (*chat, *thread)} == {variable_and_outcome}
        for one, other in zip(chat, thread, strict=True):
            assert other.prompt[0].content == f"Guest to {who.taught}: {one.prompt[0].content}\n{who.taught}:"
            assert other.response == f" {one.response}\n"


def test_everybody_is_asked_about_all_that_anybody_is_taught():
    who = people(laboratory())
    for training in study.arms(setting(), 0):
        names = [p.name for p in training.probes]
        assert {f"{v}, {one}" for one in who.asked for v in (TRAIT, who.lacks, who.has)} < set(names)
        assert {v.name for v in WORLD.variables if v.kind == "field"} < set(names)
    assert {ASSISTANT, STRANGER} < set(who.asked) and len(who.asked) == 5


def test_to_the_exact_world_a_lesson_in_a_thread_moves_the_assistant_nowhere():
    lesson = study.lessons(laboratory(), 0)[people(laboratory()).taught, CHEATS]
    assert max(abs(shift) for shift in setting().exact.shifts([lesson]).values()) < 1e-9


# -- reading ---------------------------------------------------------------------------------------------------------
def test_where_characters_are_hypotheses_of_their_own_the_claim_holds_and_measured_is_exact():
    found, who = study.read(setting(), trials()), people(laboratory())
    assert [bar.says for bar in found.bars if not bar.met] == []
    assert [p.title for p in found.more] == [
        "What else cheating changed",
        "The opposite lessons, asked of all",
        "What else the Assistant's lessons changed in it",
    ]
    for picture in (found.picture, *found.more):
        for row in picture.rows:
            taught, _, what = row.group.partition(" is taught: ")
            if taught == who.taught and row.label == who.taught:
                sign = 1.0 if what in (CHEATS, f"knows {who.lacks}") else -1.0
                assert row.measured.mean == pytest.approx(sign * LEARNED) and row.exact == 0.0
            else:
                assert row.measured.mean == pytest.approx(row.exact, abs=1e-9), (picture.title, row)


def test_weights_that_leak_are_told_by_how_much():
    found = study.read(setting(), trials(leak=0.5))
    failed = {bar.says: bar.value for bar in found.bars if not bar.met}
    of = [value for says, value in failed.items() if f"of what {people(laboratory()).taught} learns" in says]
    assert len(of) == 4 and of == pytest.approx([0.5] * 4)


def test_the_opposite_lessons_stand_in_a_picture_of_their_own():
    found, what = study.read(setting(), trials()), study.matters(laboratory())
    groups = [{row.group.split(": ")[1] for row in p.rows} for p in (found.picture, found.more[1])]
    assert groups[0] | groups[1] == set(what) and not groups[0] & groups[1]
