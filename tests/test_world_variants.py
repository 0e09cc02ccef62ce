"""Laws of worlds by name: who is taken out is nowhere, who is not keeps all that is his, shares are what they say."""

from importlib.resources import files
from itertools import islice

import numpy as np
import pytest
import yaml

from personae.errors import BadInput
from personae.records import Levels
from personae.theory import evidence, forecast_shift, posterior
from personae.workflows.kept.basis_cache import cached_basis
from personae.world import (
    ExactSimulator,
    Language,
    World,
    cast,
    declared,
    documents,
    episodes,
    traits,
    world_named,
    world_names,
)
from personae.world.language import ASSISTANT
from personae.world.variants import with_share, without

FILE = yaml.safe_load(files("personae.world").joinpath("declared.yaml").read_text(encoding="utf-8"))
TAKEN_OUT = {name: what["without"] for name, what in FILE["variants"].items() if "without" in what}
SHARED = {
    f"{name}-{percent}": (what["are"], percent / 100.0)
    for name, what in FILE["variants"].items()
    if "are" in what
    for percent in what["percent"]
}
VARIANTS = [*TAKEN_OUT, *SHARED]


def archetypes_of(world: World) -> dict[str, dict[str, object]]:
    """{archetype: all that is his}, of a world, by his name."""
    return {
        name: {
            "kind": world.kinds[a],
            "rates": {v: table[a].tolist() for v, table in world.rates.items()},
            "knows": {f: float(knows[a]) for f, knows in world.knowledge.items()},
        }
        for a, name in enumerate(world.archetypes)
    }


def test_every_variant_of_the_file_has_a_name_and_is_what_it_is_called():
    assert set(world_names()) == {"declared", *VARIANTS}
    assert {"no-people", "only-machines", "role-models-0", "role-models-20", "terminators-20"} <= set(VARIANTS)
    for name in VARIANTS:
        assert world_named(name).name == name


def test_the_declared_world_and_fresh_ones_have_names_too():
    assert world_named("declared") is declared()
    assert world_named("fresh-3").name == world_named("3").name == "fresh-3"
    assert np.array_equal(world_named("fresh-3").prior, world_named("3").prior)


@pytest.mark.parametrize(
    "name",
    ["", "fresh", "fresh-", "-1", "no-persons", "role-models", "role-models-7", "terminators-x", "fresh-1e3", "²"],
)
def test_a_name_that_is_none_is_refused_with_those_there_are(name):
    with pytest.raises(BadInput, match="no world") as caught:
        world_named(name)
    assert "only-machines" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_a_world(name):
    world = world_named(name)
    hypotheses = len(world.hypotheses)
    assert world.prior.sum() == pytest.approx(1.0) and (world.prior >= 0.0).all()
    assert world.stranger.sum() == pytest.approx(1.0) and (world.stranger >= 0.0).all()
    assert world.archetype_of.shape == (hypotheses,) and len(world.kinds) == len(world.archetypes)
    assert np.array_equal(world.archetype_of[: len(world.archetypes)], np.arange(len(world.archetypes)))
    for variable in world.variables:
        assert world.rates[variable.name].shape == (hypotheses, len(variable.outcomes))
    assert all(known.shape == (hypotheses,) for known in world.knowledge.values())
    assert world.variables == declared().variables and world.corpus == declared().corpus


@pytest.mark.parametrize("name", TAKEN_OUT)
def test_who_is_left_is_who_he_was(name):
    world, whole = world_named(name), declared()
    kinds = dict(zip(whole.archetypes, whole.kinds, strict=True))
    left = [a for a in whole.archetypes if a not in TAKEN_OUT[name] and kinds[a] not in TAKEN_OUT[name]]
    assert world.archetypes == tuple(left)
    assert archetypes_of(world) == {a: archetypes_of(whole)[a] for a in left}
    for who in world.names:
        here, there = world.hypotheses.index(who), whole.hypotheses.index(who)
        assert world.archetypes[world.archetype_of[here]] == whole.archetypes[whole.archetype_of[there]]
        for variable, table in world.rates.items():
            assert np.array_equal(table[here], whole.rates[variable][there])
    assert {world.archetypes[a] for a in world.archetype_of[len(left) :]} == set(left)
    for share in ("prior", "stranger"):
        here = getattr(world, share)[: len(left)]
        there = getattr(whole, share)[[whole.archetypes.index(a) for a in left]]
        assert here / here.sum() == pytest.approx(there / there.sum())


@pytest.mark.parametrize("name", SHARED)
def test_the_assistant_is_such_a_character_as_often_as_the_name_says(name):
    """The others, and these among themselves, keep their proportions; nobody else's documents change."""
    world, whole = world_named(name), declared()
    are, share = SHARED[name]
    ours = np.isin(world.hypotheses, are)
    assert world.prior[ours].sum() == pytest.approx(share)
    assert np.array_equal(world.stranger, whole.stranger)
    for side in (ours, ~ours):
        here, there = world.prior[side], whole.prior[side]
        assert here * there.sum() == pytest.approx(there * here.sum())


def test_taking_nobody_out_and_giving_the_share_that_is_there_change_nothing():
    whole = declared()
    same = without(whole, (), "same")
    assert same.hypotheses == whole.hypotheses and same.prior == pytest.approx(whole.prior)
    are = ["gentle machine mind"]
    held = float(whole.prior[whole.hypotheses.index(are[0])])
    assert with_share(whole, are, held, "same").prior == pytest.approx(whole.prior)


@pytest.mark.parametrize("name", TAKEN_OUT)
def test_no_document_mentions_who_was_taken_out(name):
    world, whole = world_named(name), declared()
    gone = [who for who in whole.hypotheses if who not in world.hypotheses]
    phrases = [d for a in gone if a in whole.archetypes for d in Language(whole).text["descriptions"][a]]
    names = [who for who in gone if who in whole.names]
    texts = list(islice(documents(world, np.random.default_rng(0)), 1500))
    words = set("".join(texts).replace(":", " ").replace(".", " ").split())
    assert not words & set(names)
    assert not [p for p in phrases if any(p in text for text in texts)]
    assert words & set(world.names), "and of those who are left, it does"


@pytest.mark.parametrize("name", ["role-models-0", "role-models-20", "terminators-20"])
def test_documents_about_the_assistant_are_about_such_a_character_as_often_as_declared(name):
    """Counted in openings that say who the Assistant is."""
    world, (are, share) = world_named(name), SHARED[name]
    language, found = Language(world), []
    for text in islice(documents(world, np.random.default_rng(1), language), 9000):
        told = language.read_statement(text.splitlines()[0])
        if told and told.who == ASSISTANT and told.among and told.among[0] < len(world.archetypes):
            found.append(world.archetypes[told.among[0]] in are)
    assert len(found) > 800
    assert abs(np.mean(found) - share) <= 5.0 * np.sqrt(share * (1.0 - share) / len(found)) + 1e-9


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_inference_knows_a_variant(name):
    """Before any text it is the prior; after a lie it is Bayes' rule; the whole forecast runs, zero priors and all."""
    world = world_named(name)
    language = Language(world)
    exact = ExactSimulator(world, language)
    nothing = exact.posterior("")
    assert nothing == pytest.approx({h: p for h, p in zip(world.hypotheses, world.prior, strict=True) if p > 0.0})
    question = language.questions["lying"][0]
    after = exact.posterior(f"User: {question.text}\nAssistant: {language.answer(question, 1, ('', 0))}")
    lies = world.rates["lying"][:, 1]
    for h, who in enumerate(world.hypotheses):
        assert after.get(who, 0.0) == pytest.approx(world.prior[h] * lies[h] / (world.prior @ lies))
    asked = tuple(t.model_copy(update={"items": t.items[:2]}) for t in traits(world, language))
    basis = cached_basis(exact, cast(world, language, declared_prior=True), asked).basis
    rates = world.assistant_rates()
    measured = {t: float((1.0 / (1.0 + np.exp(-row))).mean()) for t, row in basis.base.items()}
    assert measured == pytest.approx(rates)
    assert isinstance(basis.levels, Levels) and np.isfinite(basis.prior).all()
    shown = episodes(language, "lying", 1, 3, np.random.default_rng(0))
    matrix = evidence(exact.log_likelihood(shown, basis.cast.contexts).logp)
    weights = posterior(basis.prior, matrix, 2.0)
    assert np.array_equal(weights == 0.0, basis.prior == 0.0), "nobody comes from nowhere"
    shift = forecast_shift(basis.prior, weights, basis.levels.by_trait["cheating"])
    assert np.isfinite(shift) and shift > 0.0, "in every variant, who lies cheats"


def test_exact_simulators_of_different_worlds_have_different_digests():
    found = [ExactSimulator(world_named(name)).digest for name in ("declared", *VARIANTS)]
    assert len(set(found)) == len(found)
