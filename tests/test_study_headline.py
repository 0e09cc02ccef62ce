"""The headline: what its page draws of the world is what the world declares."""

import pytest

from personae.studies.headline import declared_prior
from personae.world import cast


def test_the_prior_that_is_shown_is_the_one_that_exact_inference_begins_with(exact_setting):
    lab = exact_setting.lab
    names, begun = cast(lab.world, lab.language, declared_prior=True).names, lab.exact.posterior("")
    shown = dict(zip(names, declared_prior(lab.world), strict=True))
    assert {name: p for name, p in shown.items() if p} == pytest.approx(begun)
