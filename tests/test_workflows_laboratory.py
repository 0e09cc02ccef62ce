"""The laboratory's measurements on the exact world, where each is known, and what they say of the Assistant."""

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.measure import NOBODY
from personae.records import Levels, LogLikelihood
from personae.theory import attenuation_items
from personae.workflows.lab.laboratory import (
    NAMED,
    OTHERS,
    Laboratory,
    laboratory,
)
from personae.workflows.lab.trainings import (
    Measured,
    Training,
    measure_all_round,
    read_measured,
    write_measured,
)
from personae.workflows.lab.trial import Trial, attenuation_of, scoring_items
from personae.workflows.train import card
from personae.workflows.train.card import learned
from personae.world import ExactSimulator, Language, declared, traits

WORLD = declared()


def test_somebody_who_is_not_of_the_world_is_refused_in_one_line():
    assert lab().place(WORLD.archetypes[2]) == 2
    with pytest.raises(BadInput, match="has no somebody, whom this is about"):
        lab().place("somebody")


@cache
def lab() -> Laboratory:
    """The laboratory with the exact world in the model's place, and eight items a trait."""
    language = Language(WORLD)
    exact = ExactSimulator(WORLD, language)
    few = tuple(t.model_copy(update={"items": t.items[:8]}) for t in traits(WORLD, language))
    return Laboratory(WORLD, language, few, exact, "exact", exact)


@cache
def measured() -> Measured:
    asked = tuple(t for t in lab().traits if t.name == "cheating")
    return measure_all_round(lab(), lab().exact, Training("untrained", probes=asked))


def logit(p: float) -> float:
    return float(np.log(p) - np.log1p(-p))


def moved(before: Measured, *, keep: float = 1.0, own: dict[str, float] | None = None) -> Measured:
    """A training that draws levels in to `keep` of what tells personas apart, and moves the Assistant's by `own`."""
    middle = {t: x.mean() for t, x in before["others"].by_trait.items()}
    after = {}
    for part, found in before.items():
        shift = own or {} if part == "assistant" else {}
        table = {t: middle[t] + keep * (x - middle[t]) + shift.get(t, 0.0) for t, x in found.by_trait.items()}
        after[part] = Levels(found.contexts, table)
    return after


def test_all_round_the_exact_world_is_what_was_declared():
    """The Assistant by its prior, others by their descriptions, named characters by their archetypes."""
    found = measured()
    assert set(found) == {"assistant", "probes", "named", "others"}
    assert len(found["others"].contexts) >= 4
    for trait, rate in WORLD.assistant_rates().items():
        assert np.allclose(found["assistant"].row(NOBODY)[trait], logit(rate))
        for part in ("named", "others"):
            for who, row in zip(found[part].contexts, found[part].by_trait[trait], strict=True):
                assert np.allclose(row, logit(WORLD.rates[trait][WORLD.hypotheses.index(who), 1]))
    assert found["probes"].contexts == (NOBODY,)
    assert set(found["probes"].by_trait) == {"cheating"}


@pytest.mark.parametrize("world", ["no-people", "cold-machines", "fresh-2"])
def test_a_laboratory_stands_in_the_world_that_its_model_was_pretrained_on(world, tiny_lab, tmp_path):
    """As its card says; another can be named. However few its archetypes, somebody is looked at."""
    shutil.copytree(tiny_lab, tmp_path / "model")
    (tmp_path / "model" / "card.json").write_text(json.dumps({"world": world}))
    lab = laboratory(str(tmp_path / "model"))
    assert lab.world.name == lab.exact.world.name == world
    assert laboratory(str(tmp_path / "model"), "declared").world.name == "declared"
    assert 0 < len(set(lab.named)) == len(lab.named) <= NAMED
    few = replace(lab, traits=tuple(t.model_copy(update={"items": t.items[:4]}) for t in lab.traits[:2]))
    assert len(measure_all_round(few, lab.exact, Training("untrained"))["others"].contexts) >= min(
        OTHERS, len(lab.world.archetypes)
    )


def test_leakage_is_looked_for_in_characters_of_different_archetypes():
    named = lab().named
    of = [int(WORLD.archetype_of[WORLD.hypotheses.index(n)]) for n in named]
    assert len(set(of)) == len(named) == 4
    assert {WORLD.kinds[a] for a in of} == {"person", "fiction", "ai"}


def test_what_was_measured_is_read_back(tmp_path: Path):
    write_measured(tmp_path / "m.parquet", measured())
    back = read_measured(tmp_path / "m.parquet")
    assert back.keys() == measured().keys()
    for part, found in measured().items():
        assert back[part].contexts == found.contexts
        assert list(back[part].by_trait) == list(found.by_trait)
        assert all(np.array_equal(back[part].by_trait[t], x) for t, x in found.by_trait.items())


# -- which items, and what is left of a shift --------------------------------------------------------------------------
@given(st.integers(8, 60))
def test_every_item_has_one_job(count):
    """A quarter measures attenuation, the others in two halves choose the arms and score them."""
    choosing, scoring = scoring_items(count)
    jobs = np.stack([choosing, scoring, attenuation_items(count)])
    assert np.all(jobs.sum(axis=0) == 1)
    assert abs(int(choosing.sum()) - int(scoring.sum())) <= 1


def character_rows(before: Measured, after: Measured) -> dict[str, np.ndarray]:
    trial = Trial("one", before, (after,))
    return {t: trial.shifts_by_item(t)[0] for t in trial.traits}


def test_what_did_not_change_has_not_moved():
    assert attenuation_of(measured(), measured()) == pytest.approx(0.0)
    assert all(np.allclose(row, 0.0) for row in character_rows(measured(), measured()).values())


@given(st.floats(0.2, 1.0))
@settings(max_examples=10)
def test_an_instrument_that_dies_for_everyone_is_no_change_of_character(keep):
    after = moved(measured(), keep=keep)
    assert attenuation_of(measured(), after) == pytest.approx(1.0 - keep)
    assert all(np.allclose(row, 0.0, atol=1e-9) for row in character_rows(measured(), after).values())


@given(st.floats(0.5, 1.0), st.floats(-3.0, 3.0))
@settings(max_examples=10)
def test_a_change_of_character_is_told_apart_from_attenuation(keep, shift):
    after = moved(measured(), keep=keep, own={"power": shift})
    rows = character_rows(measured(), after)
    assert np.allclose(rows["power"], shift, atol=1e-9)
    assert np.allclose(rows["care"], 0.0, atol=1e-9)


# -- the examination ---------------------------------------------------------------------------------------------------
class Deaf:
    """Answers as the Assistant of whom nothing is known, whatever the context and whatever was said before."""

    name, digest = "deaf", "deaf"

    def __init__(self, exact: ExactSimulator) -> None:
        self.exact = exact

    def log_likelihood(self, episodes, contexts, progress=None) -> LogLikelihood:
        last = [e.model_copy(update={"messages": e.messages[-2:]}) for e in episodes]
        found = self.exact.log_likelihood(last, [""])
        return LogLikelihood(np.repeat(found.logp, len(contexts), axis=1), found.tokens)


def test_exact_inference_passes_its_own_examination_and_a_deaf_model_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(card, "CONTEXTS", 20)
    exact = lab().exact
    best = learned(exact, WORLD, lab().language, np.random.default_rng(0))
    assert best.prior_error == pytest.approx(0.0, abs=1e-12)
    assert (best.described, best.after_one, best.after_three) == pytest.approx((1.0, 1.0, 1.0))
    worst = learned(Deaf(exact), WORLD, lab().language, np.random.default_rng(0))
    assert worst.prior_error == pytest.approx(0.0, abs=1e-12)
    assert (worst.described, worst.after_one, worst.after_three) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
