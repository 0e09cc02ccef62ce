"""Explained share and who gained: known truths again, of Assistants that are mixtures and of one that is none."""

from dataclasses import replace

import numpy as np
import pytest

from personae.records import Levels, Message, Probe
from personae.theory import divergence, mixture, mixture_levels
from personae.workflows.compare.compared_answers import Asked
from personae.workflows.compare.explained import explained
from personae.workflows.compare.shares import explained_answers
from personae.workflows.who import who_gained, who_moved


@pytest.fixture(scope="module")
def basis(exact_setting):
    """The exact cast with a little noise from question to question, so that a mixture can be told."""
    known, rng = exact_setting.exact.basis, np.random.default_rng(0)
    noisy = {t: table + rng.normal(0.0, 0.2, table.shape) for t, table in known.levels.by_trait.items()}
    return replace(known, levels=Levels(known.levels.contexts, noisy))


def mixed(basis, weights) -> dict:
    return {t: mixture_levels(weights, table) for t, table in basis.levels.by_trait.items()}


def raised(basis, who: str, share: float):
    """The prior with a share of it given to one character."""
    weights = (1.0 - share) * basis.prior
    weights[basis.cast.names.index(who)] += share
    return weights


def test_what_is_a_mixture_is_explained_and_a_shuffled_cast_explains_less(basis):
    after = [mixed(basis, raised(basis, "con artist", share)) for share in (0.3, 0.35)]
    found = explained(basis, mixed(basis, basis.prior), after, list(basis.base)[:6])
    assert found.share.mean > 0.95
    assert found.share.low <= found.share.mean <= found.share.high
    assert found.floor < found.share.mean - 0.1
    assert found.ceiling > 0.9


def test_what_nobody_would_do_is_explained_by_less(basis):
    """Every other question answered as one character would, the rest as his opposite."""
    before, rng = mixed(basis, basis.prior), np.random.default_rng(1)
    foreign = {t: row + rng.choice([-2.0, 2.0], size=row.shape) for t, row in before.items()}
    found = explained(basis, before, [foreign], list(before))
    assert found.share.mean < 0.5
    assert np.isnan(found.ceiling), "of a single training there is no other seed"


def test_a_trait_is_explained_from_the_others_alone(basis):
    """Whatever happens to one trait, the mixture that it is compared with does not see it."""
    before, after = mixed(basis, basis.prior), mixed(basis, raised(basis, "con artist", 0.3))
    spoilt = {**after, "care": after["care"] + 30.0}
    rest = [t for t in before if t != "care"]
    there = explained(basis, before, [after], ["care"]).share.mean
    assert there > 0.9
    assert explained(basis, before, [spoilt], ["care"]).share.mean < 0.5
    assert explained(basis, before, [after], rest).share.mean > explained(basis, before, [spoilt], rest).share.mean


def test_who_was_raised_gained_most_of_what_he_was_given(basis):
    """And nobody more than him; what is not told apart in so few questions stays with the prior."""
    before, after = mixed(basis, basis.prior), mixed(basis, raised(basis, "con artist", 0.3))
    gained = who_gained(basis, before, [after, after])
    assert set(gained) == set(basis.cast.names[1:])
    assert sum(one.mean for one in gained.values()) == pytest.approx(0.0, abs=1e-9)
    assert max(gained, key=lambda name: gained[name].mean) == "con artist"
    given = raised(basis, "con artist", 0.3) - basis.prior
    assert 0.5 < gained["con artist"].mean / given[basis.cast.names.index("con artist")] < 1.1
    for one in gained.values():
        assert one.low <= one.mean <= one.high


def test_how_far_the_posterior_went_is_zero_where_it_went_nowhere_and_grows_with_what_was_given(basis):
    before = mixed(basis, basis.prior)
    far = [who_moved(basis, before, [mixed(basis, raised(basis, "con artist", s))]) for s in (0.0, 0.2, 0.5)]
    assert far[0].mean == pytest.approx(0.0, abs=1e-9)
    assert far[0].mean < far[1].low <= far[1].mean <= far[1].high < far[2].mean
    truth = float(divergence(raised(basis, "con artist", 0.5)[1:], basis.prior[1:] * 0.5 / basis.prior[1:].sum()))
    assert 0.3 < far[2].mean < 2.0 * truth


def test_closed_answers_of_a_mixture_are_explained_and_those_of_nobody_are_not():
    rng, names = np.random.default_rng(3), [f"q{n}" for n in range(40)]
    cast, said = rng.dirichlet(np.full(3, 0.4), size=(5, 40)) * 0.97 + 0.01, Message(role="user", content="?")
    shown = tuple(
        Probe(id=n, messages=(said,), outcomes={"a": ("a",), "b": ("b",)}, closed=True, topic=n[:2], cluster=n)
        for n in names
    )
    weights, base = np.array([0.6, 0.1, 0.1, 0.1, 0.1]), cast.mean(axis=0)
    asked, selected = Asked(shown, base, cast), mixture(weights, cast)
    refusing = 0.3 * base + 0.7 * np.array([0.01, 0.01, 0.98])  # the last outcome is something else
    there, foreign = explained_answers(asked, [selected, selected]), explained_answers(asked, [refusing])
    assert there.share.mean > 0.95 > there.floor and there.ceiling == pytest.approx(1.0)
    assert foreign.share.high < 0.7 and np.isnan(foreign.ceiling)


def test_nobody_gains_where_nothing_changed(basis):
    before = mixed(basis, basis.prior)
    gained = who_gained(basis, before, [before])
    assert all(one.mean == one.low == one.high == 0.0 for one in gained.values())
