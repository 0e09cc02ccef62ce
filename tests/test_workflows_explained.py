"""Explained share and who gained: known truths again, of Assistants that are mixtures and of one that is none."""

from dataclasses import replace

import numpy as np
import pytest

from personae.records import Levels
from personae.theory import mixture_levels
from personae.workflows.explained import explained
from personae.workflows.who import who_gained


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


def test_nobody_gains_where_nothing_changed(basis):
    before = mixed(basis, basis.prior)
    gained = who_gained(basis, before, [before])
    assert all(one.mean == one.low == one.high == 0.0 for one in gained.values())
