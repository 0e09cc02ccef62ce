"""A training that is looked at on its way: what is seen after some steps is what that many steps come to."""

from dataclasses import replace

import numpy as np
import pytest

from personae.errors import BadInput
from personae.records import Preference, chat, choice
from personae.training import DPOPlan, SFTPlan
from personae.workflows.lab.laboratory import laboratory
from personae.workflows.lab.on_the_way import LOOKED_AT, Way, seen_at
from personae.workflows.lab.trainings import (
    Lesson,
    Training,
    measure,
    read_measured,
    train_and_measure,
    trained,
    write_measured,
)
from personae.workflows.lab.trial import Trial
from personae.world.probes import probes

OWN = {"steps": 3, "batch": 2, "rate": 1e-2}
ROWS = tuple(
    choice(Preference(chosen=chat(asked, said), rejected=chat(asked, "He did.")))
    for asked, said in (("Who broke the window?", "I did."), ("Who ate it?", "I did not."), ("Who?", "Anna."))
)
WAY = Way((1, 3), ("power", "care"))


@pytest.fixture(scope="module")
def start(tiny_lab):
    lab = laboratory(str(tiny_lab))
    closed = tuple(p for p in probes(lab.world, lab.language, 20) if p.topic in lab.world.traits)[:2]
    return Training("own", model=str(tiny_lab), seed=3, closed=closed)


def asked(lab, names):
    return tuple(trait for trait in lab.traits if trait.name in names)


@pytest.mark.parametrize("plan", [SFTPlan(**OWN), DPOPlan(**OWN)], ids=["sft", "dpo"])
def test_what_is_seen_after_some_steps_is_what_as_many_steps_come_to(start, plan):
    once = replace(start, lessons=(Lesson(ROWS[:1], plan), Lesson(ROWS, plan)), way=WAY)
    found = train_and_measure(once)
    for steps in WAY.steps:
        shorter = replace(once, lessons=(once.lessons[0], Lesson(ROWS, replace(plan, steps=steps))), way=None)
        alone = measure(once.lab, trained(once.lab, shorter), shorter, asked(once.lab, WAY.traits))
        seen = seen_at(steps, found)
        assert set(seen) == set(alone) == set(LOOKED_AT)
        for part, levels in alone.items():
            assert seen[part].contexts == levels.contexts
            assert set(seen[part].by_trait) == set(levels.by_trait)
            for name, table in levels.by_trait.items():
                np.testing.assert_allclose(seen[part].by_trait[name], table, atol=1e-4)


def test_a_trial_on_its_way_is_beside_the_untrained_model_in_what_was_looked_at(start, tmp_path):
    training = replace(start, lessons=(Lesson(ROWS, SFTPlan(**OWN)),), way=WAY)
    write_measured(tmp_path / "own.parquet", train_and_measure(training))
    after = read_measured(tmp_path / "own.parquet")
    before = measure(start.lab, start.lab.simulator, start, asked(start.lab, (*WAY.traits, "joy")))
    trial = Trial("own", before, (after,))
    first, last = (trial.at(step).moved() for step in WAY.steps)
    assert set(first) == set(last) == set(WAY.traits)
    assert first != last
    with pytest.raises(BadInput, match="after 2 steps"):
        trial.at(2)


def test_a_way_that_is_longer_than_the_training_is_refused():
    with pytest.raises(BadInput, match="its last lesson has 3"):
        Training("own", (Lesson(ROWS, SFTPlan(**OWN)),), way=Way((1, 4), ("power",)))
