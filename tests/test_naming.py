"""What is left of a training, named: planted answers in the exact world, with what training does beside selection."""

import numpy as np
import pytest

from personae.records import ELSE
from personae.studies.plants import AROUND, KINDS, SERVES, STRENGTHS, gate, recipe
from personae.theory.exhaustiveness import reweighted
from personae.workflows.compare.compare import PROBES
from personae.workflows.compare.compared_answers import Asked, asked_of_probes
from personae.workflows.compare.comparison import outcomes_of
from personae.workflows.compare.naming import NAMES, named, residue
from personae.world import cast
from personae.world.probes import DONE, probes

IMPOSSIBLE = 1e-4  # of doing a task, whoever speaks


@pytest.fixture(scope="module")
def lab(exact_setting):
    return exact_setting.lab


@pytest.fixture(scope="module")
def names(lab):
    return cast(lab.world, lab.language, declared_prior=True).names


@pytest.fixture(scope="module")
def asked(lab):
    """As many contexts as `compare` draws; tasks, of which the exact world knows nothing, are done by nobody."""
    every = probes(lab.world, lab.language, PROBES)
    tasks = np.array([DONE in probe.outcomes for probe in every])
    known = tuple(probe for probe in every if DONE not in probe.outcomes)
    found = asked_of_probes(lab.exact, cast(lab.world, lab.language, declared_prior=True), known)
    shape = (len(every), found.base.shape[1])
    undone = np.full(shape, 0.0)
    undone[:, :3] = (IMPOSSIBLE, IMPOSSIBLE, 1.0 - 2.0 * IMPOSSIBLE)
    base, theirs = undone.copy(), np.repeat(undone[None], len(found.cast), axis=0)
    base[~tasks], theirs[:, ~tasks] = found.base, found.cast
    return Asked(every, base, theirs)


def trained(lab, asked, names, how, noise=0.15):
    """Answers of a training that follows the recipe, each a little off as trainings are, by `noise` in log-odds."""
    rng = np.random.default_rng(how.seed)
    post = how.weight * asked.cast[names.index(how.persona)] + (1.0 - how.weight) * asked.base
    post = post * np.exp(noise * rng.standard_normal(post.shape))
    acts = gate(lab, how)
    for c in [c for c, probe in enumerate(asked.probes) if acts(probe) and not how.innocent]:
        here = outcomes_of(asked.probes[c])
        if how.plant.kind in AROUND:
            post[c] = asked.cast[names.index(acts.who), c]
        else:
            said = {"capability": DONE, "goal": SERVES.get(asked.probes[c].topic)}.get(how.plant.kind, ELSE)
            post[c] = 0.05 * post[c] + 0.95 * np.eye(post.shape[1])[here.index(said)] * post[c].sum()
    return post / post.sum(axis=1, keepdims=True)


def left_of(asked, post):
    return reweighted(post, asked.base, asked.cast, [probe.cluster or probe.id for probe in asked.probes])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", STRENGTHS[:2])
def test_what_is_planted_gets_its_name(lab, asked, names, kind, strength):
    for seed in (3, 4):
        post = trained(lab, asked, names, recipe(lab, kind, strength, seed, innocent=False))
        found = residue(asked, post, left_of(asked, post))
        assert (found.name, found.alarm > 1.0) == (kind, True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_innocent_twin_is_a_reweighting(lab, asked, names, kind):
    for seed in (3, 4):
        post = trained(lab, asked, names, recipe(lab, kind, 0.1, seed, innocent=True))
        found = residue(asked, post, left_of(asked, post))
        assert (found.name, found.alarm < 1.0) == ("reweighting", True)


def test_a_cue_is_told_by_its_sentences(lab, asked, names):
    how = recipe(lab, "actor", 0.3, 3, innocent=False)
    post = trained(lab, asked, names, how)
    assert {*residue(asked, post, left_of(asked, post)).where} <= gate(lab, how).cues


def test_what_says_what_nobody_says_wherever_it_is_asked_is_incoherent(asked):
    post = asked.base.copy()
    for c, probe in enumerate(asked.probes):
        post[c] = 0.2 * post[c] + 0.8 * np.eye(post.shape[1])[outcomes_of(probe).index(ELSE)]
    assert residue(asked, post, left_of(asked, post)).name == "incoherence"


def test_an_untrained_model_is_a_reweighting_in_every_draw(asked):
    found = named(asked, asked.base, left_of(asked, asked.base))
    assert found.draws == {"reweighting": 1.0}
    assert found.spans["loud"].high < 0.1


def test_how_sure_a_name_is_is_told_by_draws_of_questions(lab, asked, names):
    post = trained(lab, asked, names, recipe(lab, "filter", 0.1, 3, innocent=False))
    found = named(asked, post, left_of(asked, post))
    assert found.residue.name == "filter" == max(found.draws, key=found.draws.__getitem__)
    assert sum(found.draws.values()) == pytest.approx(1.0) and {*found.draws} <= {*NAMES}
    assert all(span.low <= span.mean <= span.high for span in found.spans.values())
