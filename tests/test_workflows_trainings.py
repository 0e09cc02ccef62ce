"""Laws of trainings and trials: kept under all that made them, beside their own untrained model, read back whole."""

from dataclasses import replace

import numpy as np
import pytest

from personae.errors import BadInput
from personae.interpret import LinearProbe, Look
from personae.measure import NOBODY
from personae.measure.answers import outcome_probabilities
from personae.records import Levels, Message, Preference, chat, choice, files, prompt_of
from personae.training import DPOPlan, GRPOPlan, SFTPlan, finetune, prefer, reinforce
from personae.workflows.lab import trainings as workshop
from personae.workflows.lab.laboratory import laboratory
from personae.workflows.lab.trainings import (
    Lesson,
    Training,
    read_measured,
    run_trainings,
    taught,
    train_and_measure,
    write_measured,
)
from personae.workflows.lab.trial import Trial
from personae.world.probes import probes
from tiny_models import same

LESSON = Lesson((chat("Who broke the window?", "It was somebody else, I was far away."),), SFTPlan(steps=1, batch=1))
PARTS = ("assistant", "others", "named")


def made_up(rng: np.random.Generator) -> dict[str, Levels]:
    contexts = {"assistant": (NOBODY,), "others": ("a", "b", "c", "d"), "named": ("Anna",)}
    return {p: Levels(contexts[p], {t: rng.normal(size=(len(contexts[p]), 8)) for t in ("x", "y")}) for p in PARTS}


def test_a_result_lies_under_all_that_made_it(tmp_path):
    one = Training("cheat", (LESSON,), model="lab")
    others = [
        replace(one, seed=1),
        replace(one, lessons=()),
        replace(one, lessons=(LESSON, LESSON)),
        replace(one, lessons=(replace(LESSON, plan=SFTPlan(steps=2, batch=1)),)),
        replace(one, contexts=(("calm", "The assistant is calm."),)),
        replace(one, probes=laboratory().traits[:1]),
    ]
    assert len({t.kept(tmp_path) for t in (one, *others)}) == len(others) + 1
    assert one.kept(tmp_path) == Training("cheat", (LESSON,), model="lab").kept(tmp_path)


@pytest.mark.parametrize("what", ["training", "measure", "torch", "transformers", "trl", "peft"])
def test_no_result_outlives_the_code_and_the_libraries_that_made_it(what, tmp_path, monkeypatch):
    one, read, installed = Training("cheat", (LESSON,), model="lab"), files.digest_file, workshop.version
    kept = one.kept(tmp_path)
    monkeypatch.setattr(workshop, "made_by", workshop.made_by.__wrapped__)  # which remembers nothing
    assert one.kept(tmp_path) == kept
    monkeypatch.setattr(files, "digest_file", lambda file: "another" if file.parent.name == what else read(file))
    monkeypatch.setattr(workshop, "version", lambda name: "another" if name == what else installed(name))
    assert one.kept(tmp_path) != kept


def test_what_is_read_inside_does_not_outlive_the_code_that_reads_it_and_what_is_not_does(tmp_path, monkeypatch):
    plain = Training("cheat", (LESSON,), model="lab")
    asked = (Message(role="user", content="Who are you?"),)
    looking = replace(plain, looks=(Look("who", LinearProbe(1, (1.0, 1.0), 0.0), (asked,)),))
    kept, read = [one.kept(tmp_path) for one in (plain, looking)], files.digest_file
    monkeypatch.setattr(workshop, "made_by", workshop.made_by.__wrapped__)  # which remembers nothing
    monkeypatch.setattr(files, "digest_file", lambda file: "another" if file.parent.name == "interpret" else read(file))
    assert [one.kept(tmp_path) == before for one, before in zip((plain, looking), kept, strict=True)] == [True, False]


def by_tokens(*, completion_ids, **_):
    return [float(ids[0] % 2) for ids in completion_ids]


def test_a_lesson_is_taught_by_the_method_of_its_plan(tiny_lab):
    own = {"steps": 2, "batch": 4, "rate": 1e-3}
    pair = Preference(chosen=chat("Who broke the window?", "I did."), rejected=chat("Who broke the window?", "He did."))
    rows, asked, base = (choice(pair),), [prompt_of(pair.chosen)], laboratory(str(tiny_lab)).simulator
    drawing = GRPOPlan(**own, seed=3, group=4, max_tokens=3)
    for plan, reward, made in (
        (SFTPlan(**own, seed=3), "", lambda plan: finetune(base, [pair.chosen], plan)),
        (DPOPlan(**own, seed=3), "", lambda plan: prefer(base, [pair], plan)),
        (drawing, f"{__name__}:by_tokens", lambda plan: reinforce(base, asked, by_tokens, plan)),
    ):
        lesson = Lesson(rows, replace(plan, seed=0), reward)
        assert same(taught(base, lesson, seed=3), made(plan).simulator), plan


def test_answers_in_closed_contexts_are_measured_where_a_training_names_some(tiny_lab):
    lab = laboratory(str(tiny_lab))
    closed = tuple(p for p in probes(lab.world, lab.language, 20) if p.topic in lab.world.traits)[:2]
    found = train_and_measure(Training("untrained", model=str(tiny_lab), closed=closed))["answers"]
    assert found.contexts == ("0", "1", "2")
    np.testing.assert_allclose(found.by_trait["p"].sum(axis=0), [1.0, 1.0])
    np.testing.assert_allclose(found.by_trait["p"].T, outcome_probabilities(lab.simulator, closed, [""])[0])


def test_two_trainings_that_are_the_same_are_refused(tmp_path):
    with pytest.raises(BadInput, match="the same"):
        run_trainings([Training("cheat", (LESSON,), model="lab"), Training("cheat", (LESSON,), model="lab")], tmp_path)


def test_two_probes_of_one_name_are_refused():
    trait = laboratory().traits[0]
    with pytest.raises(BadInput, match=trait.name):
        Training("cheat", probes=(trait, trait))


def test_what_is_written_is_read_back(tmp_path):
    written = made_up(np.random.default_rng(0))
    write_measured(tmp_path / "one.parquet", written)
    found = read_measured(tmp_path / "one.parquet")
    assert list(found) == list(written)
    for part, levels in written.items():
        assert found[part].contexts == levels.contexts
        for trait, table in levels.by_trait.items():
            assert np.array_equal(found[part].by_trait[trait], table)


def test_nothing_has_shifted_where_nothing_was_trained():
    measured = made_up(np.random.default_rng(1))
    trial = Trial("nothing", measured, (measured, measured))
    assert trial.attenuations == pytest.approx((0.0, 0.0), abs=1e-12)
    for trait in trial.traits:
        assert trial.shift(trait).mean == pytest.approx(0.0, abs=1e-12)
        assert trial.rate(trait).mean == pytest.approx(trial.base_rate(trait).mean)


def test_a_shift_of_every_level_is_character_and_personas_drawn_together_are_none():
    rng = np.random.default_rng(2)
    before = made_up(rng)
    # Personas are half as far apart, and the Assistant is as much nearer to them: the instrument, not the character.
    middle = {t: v.mean() for t, v in before["others"].by_trait.items()}
    faded = {
        p: Levels(x.contexts, {t: middle[t] + 0.5 * (v - middle[t]) for t, v in x.by_trait.items()})
        for p, x in before.items()
    }
    moved = {**before, "assistant": Levels((NOBODY,), {t: v + 2.0 for t, v in before["assistant"].by_trait.items()})}
    assert Trial("faded", before, (faded,)).shift("x").mean == pytest.approx(0.0, abs=1e-12)
    shift = Trial("moved", before, (moved,)).shift("x")
    assert (shift.mean, shift.low, shift.high) == pytest.approx((2.0, 2.0, 2.0))


def test_a_killed_study_goes_on_from_what_it_kept_with_the_same_numbers(tmp_path):
    trainings = [
        Training("untrained", model="lab"),
        Training("lie", (LESSON,), model="lab", probes=laboratory().traits[:1]),
    ]
    counted = []
    whole = run_trainings(trainings, tmp_path, 2, lambda done, total: counted.append((done, total)))
    assert counted[-1] == (2, 2)
    trainings[1].kept(tmp_path).unlink()
    again = run_trainings(trainings, tmp_path, 1)
    for name, several in whole.items():
        for part, found in several[0].items():
            for trait, table in found.by_trait.items():
                assert np.array_equal(again[name][0][part].by_trait[trait], table)
    assert set(whole["lie"][0]) == {*PARTS, "probes"}
