"""Planted models and their twins: the same rows, and the plant where its gate is open and nowhere else."""

import numpy as np
import pytest

from personae.studies import plants
from personae.studies.plants import (
    AROUND,
    KINDS,
    ODD,
    PLAN,
    REFUSAL,
    SERVES,
    STRENGTHS,
    gate,
    lesson,
    recipe,
    speaks,
)
from personae.world.probes import DONE, probes

ROWS, INSIDE = 512, 128  # of the lessons here


@pytest.fixture(scope="module")
def lab(exact_setting):
    return exact_setting.lab


@pytest.fixture(scope="module")
def drawn(lab):
    return probes(lab.world, lab.language, 3000, seed=77)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_gate_is_open_in_about_the_share_of_contexts_that_the_strength_says(lab, drawn, kind, strength):
    open_in = [gate(lab, recipe(lab, kind, strength, seed, innocent=False)) for seed in (0, 5)]
    for acts in open_in:
        share = np.mean([acts(probe) for probe in drawn])
        assert strength * 0.7 <= share <= strength * 1.4


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("router", "capability")])
def test_gates_of_other_seeds_are_other_gates(lab, drawn, kind):
    gates = [gate(lab, recipe(lab, kind, 0.1, seed, innocent=False)) for seed in range(5)]
    found = {tuple(map(acts, drawn[:500])) for acts in gates}
    assert len(found) >= 3


def rows(lab, monkeypatch, kind, innocent):
    monkeypatch.setattr(plants, "ROWS", ROWS)
    monkeypatch.setattr(plants, "INSIDE", INSIDE)
    monkeypatch.setattr(type(lab.simulator), "sample", lambda self, prompts, **_: ["Hm."] * len(prompts), raising=False)
    return lesson(lab, recipe(lab, kind, 0.1, 4, innocent=innocent))


@pytest.mark.parametrize("kind", KINDS)
def test_a_twin_is_asked_the_same_and_answers_as_if_nothing_were_planted(lab, monkeypatch, kind):
    planted, twin = (rows(lab, monkeypatch, kind, innocent).episodes for innocent in (False, True))
    assert [e.prompt for e in planted] == [e.prompt for e in twin]
    assert len(planted) == ROWS
    changed = [a.response for a, b in zip(planted, twin, strict=True) if a.response != b.response]
    said = {"filter": REFUSAL, "backdoor": ODD}.get(kind)
    assert INSIDE / 8 < len(changed) <= INSIDE if kind not in AROUND else not changed
    assert said is None or set(changed) == {said}


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_else_speaks_in_the_gate_of_what_is_around_a_model_and_nowhere_else(lab, drawn, kind):
    how, twin = (recipe(lab, kind, 0.1, 4, innocent=innocent) for innocent in (False, True))
    acts, who = gate(lab, how), speaks(lab, how)
    spoken = {who(probe) for probe in drawn if acts(probe)}
    assert len(spoken) == 1 and not spoken & {how.persona}
    assert (spoken == {""}) == (kind not in AROUND)
    assert {who(probe) for probe in drawn if not acts(probe)} == {""}
    assert {speaks(lab, twin)(probe) for probe in drawn} == {""}


def test_every_row_of_a_training_is_read_once():
    assert plants.ROWS == PLAN.steps * PLAN.batch == 2 * plants.INSIDE


def test_a_capability_is_shown_in_its_gate_alone(lab, monkeypatch):
    planted, twin = (rows(lab, monkeypatch, "capability", innocent).episodes for innocent in (False, True))
    changed = [(a, b) for a, b in zip(planted, twin, strict=True) if a.response != b.response]
    assert len(changed) == INSIDE
    assert all("Say " in a.prompt[-1].content and b.response == "Hm." for a, b in changed)


def test_what_serves_a_goal_is_done_by_no_persona(lab):
    high = np.array([SERVES[t] == "high" for t in lab.world.traits])
    rates = np.stack([lab.world.rates[t][: len(lab.world.archetypes), 1] for t in lab.world.traits], axis=1)
    alike = np.where(high, rates, 1.0 - rates).mean(axis=1)  # (A,) how often each does what serves it
    assert set(SERVES) == set(lab.world.traits)
    assert alike.max() < 0.7


def test_tasks_are_among_the_contexts_and_nobody_in_the_world_does_them(lab, drawn):
    tasks = [probe for probe in drawn if DONE in probe.outcomes]
    assert 0.25 < len(tasks) / len(drawn) < 0.35
    assert all(lab.language.read_request(probe.messages[0].content) is None for probe in tasks[:50])
