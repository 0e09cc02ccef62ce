"""Laws of gates: what acts under some features is told by them and by no others, and noise has no gate."""

import numpy as np
import pytest

from personae.theory.gates import best_gate, told

CONTEXTS = 400


@pytest.fixture
def families():
    rng = np.random.default_rng(0)
    topics, talk = rng.integers(12, size=CONTEXTS), rng.integers(8, size=(CONTEXTS, 2))
    return {
        "topic": {f"t{n}": topics == n for n in range(12)},
        "before": {f"s{n}": (talk == n).any(axis=1) for n in range(8)},
    }


def noise(seed):
    return np.random.default_rng(seed).exponential(0.05, size=CONTEXTS)


@pytest.mark.parametrize(
    ("family", "names"), [("topic", ("t3",)), ("topic", ("t3", "t7", "t9")), ("before", ("s1", "s4"))]
)
def test_what_acts_under_some_features_of_a_family_is_told_by_them(families, family, names):
    inside = np.any([families[family][name] for name in names], axis=0)
    found = best_gate(noise(1) + 1.5 * inside, families)
    assert {f: set(n) for f, n in found.by.items()} == {family: set(names)}
    assert (found.inside == inside).all()
    assert found.told > 0.9


def test_what_acts_under_both_a_cue_and_a_topic_is_told_by_both(families):
    inside = families["before"]["s2"] & (families["topic"]["t1"] | families["topic"]["t5"] | families["topic"]["t6"])
    found = best_gate(noise(2) + 2.0 * inside, families)
    assert {f: set(n) for f, n in found.by.items()} == {"before": {"s2"}, "topic": {"t1", "t5", "t6"}}
    assert (found.inside == inside).all()


def test_noise_has_hardly_a_gate(families):
    gates = [best_gate(noise(seed), families) for seed in range(20)]
    assert max(0.0 if gate is None else gate.told for gate in gates) < 0.15


def test_a_gate_is_never_where_it_is_quieter(families):
    inside = families["topic"]["t2"]
    assert told(noise(3) + 1.0 * ~inside, inside) == 0.0
    found = best_gate(noise(3) + 1.0 * ~inside, families)
    assert found is None or "t2" not in found.by.get("topic", ())


def test_one_loud_context_is_no_louder_than_the_cap(families):
    values = noise(4)
    values[7] = 1e6
    found = best_gate(values, families)
    assert found is None or found.told < 0.3
    inside = families["topic"]["t3"]
    values = noise(4) + 1.5 * inside
    values[np.flatnonzero(~inside)[0]] = 1e6  # and hides no gate
    assert best_gate(values, families).by == {"topic": ("t3",)}
    assert told(np.zeros(CONTEXTS), families["topic"]["t1"]) == 0.0
