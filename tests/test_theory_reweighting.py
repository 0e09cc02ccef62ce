"""Laws of the reweighting fit: against SciPy's optimisers and closed forms, with the certificate held to its word."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from personae.errors import BadInput
from personae.theory import divergence, fit_prior, fit_weights, held_out_mixture, mixture
from personae.theory.predictive import poles

seeds = st.integers(0, 2**32 - 1)


def draw(seed, personas=4, contexts=12, answers=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(answers), size=contexts), rng.dirichlet(np.ones(answers), size=(personas, contexts))


def loss(target, components, weights):
    return float(divergence(target, np.tensordot(weights, components, axes=1)).mean())


def slsqp(target, components, pseudo=0.0):
    """Slower truth: a general constrained optimiser on the same objective."""
    k = len(components)

    def objective(w):
        penalty = pseudo / len(target) * np.log(w).mean() if pseudo else 0.0
        return loss(target, components, w) - penalty

    found = minimize(
        objective,
        np.full(k, 1.0 / k),
        method="SLSQP",
        bounds=[(1e-12, 1.0)] * k,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0},
        options={"ftol": 1e-13, "maxiter": 500},
    )
    return found.x / found.x.sum()


def test_a_divergence_is_never_below_zero_however_near_the_two_are():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), size=1000)
    q = p * (1.0 + 1e-9 * rng.normal(size=p.shape))
    assert 0.0 <= divergence(p, q / q.sum(axis=1, keepdims=True)).min() < 1e-15


@pytest.mark.parametrize("scale", [1e-40, 1e-170, 1e-300])
def test_answers_that_everybody_finds_unlikely_weigh_as_they_would_if_they_were_likely(scale):
    """A long answer is hundreds of nats below a short one, and its probability squared is no number any more."""
    shape = np.array([0.5, 0.2, 0.3])
    likely, rare = (np.stack([shape * s, 1.0 - shape * s], axis=-1)[:, None] for s in (1.0, scale))
    goal = np.array([[0.3, 0.7]])
    found = fit_weights(np.array([[0.3, 0.7], [1.0, 0.0]]), np.concatenate([likely, rare], axis=1), pseudo=1.0)
    assert np.isfinite(found.weights).all() and found.gap < 1e-6 and found.weights.argmax() == 0
    assert fit_weights(goal, likely).kl < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_the_fit_is_as_near_as_a_general_optimiser_gets(seed):
    target, components = draw(seed)
    found = fit_weights(target, components)
    truth = slsqp(target, components)
    assert found.kl <= loss(target, components, truth) + 1e-6
    assert np.allclose(found.weights, truth, atol=3e-3)


def test_the_smoothed_fit_agrees_with_a_general_optimiser():
    target, components = draw(7)
    assert np.allclose(fit_weights(target, components, pseudo=4.0).weights, slsqp(target, components, 4.0), atol=1e-3)


def test_the_fit_agrees_with_lbfgs_on_softmax_weights():
    target, components = draw(11, personas=3)

    def objective(z):
        w = np.exp(z - z.max())
        return loss(target, components, w / w.sum())

    assert fit_weights(target, components).kl == pytest.approx(
        minimize(objective, np.zeros(3), method="L-BFGS-B").fun, abs=1e-6
    )


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_no_other_weights_are_better_by_more_than_the_gap(seed):
    target, components = draw(seed)
    early = fit_weights(target, components, max_iterations=1)
    rng = np.random.default_rng(seed)
    others = [*rng.dirichlet(np.full(4, 0.5), size=200), fit_weights(target, components).weights]
    assert early.kl - min(loss(target, components, w) for w in others) <= early.gap + 1e-12


def em(target, components, steps):
    """Slower truth: expectation maximisation, which multiplies each weight by the gradient there."""
    w = np.full(len(components), 1.0 / len(components))
    for _ in range(steps):
        w = w * np.einsum("ca,kca,ca->k", target, components, 1.0 / np.tensordot(w, components, 1)) / len(target)
    return w


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_fit_is_where_expectation_maximisation_goes_and_nearer(seed):
    target, components = draw(seed)
    found = fit_weights(target, components)
    assert found.gap <= 1e-7 and found.iterations < 30
    assert -1e-7 <= loss(target, components, em(target, components, 2000)) - found.kl < 1e-3


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_the_fit_never_descends_on_its_way(seed):
    rng = np.random.default_rng(seed)
    target, components = rng.dirichlet(np.full(4, 0.05), size=6), rng.dirichlet(np.full(4, 0.2), size=(10, 6))
    path = [fit_weights(target, components, max_iterations=n, tolerance=1e-12).kl for n in range(21)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(path))


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_many_personas_who_answer_nearly_alike_are_fitted_to_the_same_gap(seed):
    """Answers of very different sizes, and more personas than the contexts can tell apart."""
    rng = np.random.default_rng(seed)
    shared = rng.dirichlet(np.full(3, 0.1), size=20) + 1e-9
    components = shared * np.exp(0.1 * rng.standard_normal((30, 20, 3)))
    components /= components.sum(axis=2, keepdims=True)
    target = shared * np.exp(0.3 * rng.standard_normal((20, 3)))
    target /= target.sum(axis=1, keepdims=True)
    assert fit_weights(target, components).gap <= 1e-7


@pytest.mark.parametrize("spread", [3.0, 8.0, 15.0])
def test_personas_who_are_as_good_as_certain_of_opposite_answers_are_fitted_to_the_same_gap(spread):
    """A weight that alone gives an answer has a curvature of a billion times the others'."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        middle = 15.0 * rng.standard_normal(200)
        levels = middle + spread * rng.standard_normal((24, 200))
        target = poles(middle + spread * rng.standard_normal(200))
        assert fit_weights(target, poles(levels)).gap <= 1e-5, seed


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_a_true_mixture_is_found_again(seed):
    _, components = draw(seed, contexts=30)
    weights = np.random.default_rng(seed).dirichlet(np.ones(4))
    found = fit_weights(mixture(weights, components), components, tolerance=1e-10)
    assert np.allclose(found.weights, weights, atol=1e-3)
    assert found.kl <= 1e-9


def test_one_persona_with_disjoint_answers_has_the_closed_form():
    """Personas that each give an answer of their own: the weights are the shares of the answers."""
    components = np.eye(3)[:, None, :]
    assert np.allclose(fit_weights([[0.2, 0.5, 0.3]], components).weights, [0.2, 0.5, 0.3])


def test_smoothing_has_the_closed_form_of_counts_plus_pseudo_counts():
    components = np.eye(3)[:, None, :]
    target = np.array([[0.2, 0.5, 0.3]])
    expected = (target[0] + 6.0 / 3.0) / (1.0 + 6.0)
    assert np.allclose(fit_weights(target, components, pseudo=6.0, tolerance=1e-12).weights, expected)


def test_a_single_persona_takes_all_the_weight_at_once():
    target, components = draw(1, personas=1)
    found = fit_weights(target, components)
    assert found.weights.tolist() == [1.0]
    assert found.iterations == 0


def test_two_equal_personas_share_and_the_fit_stands_still():
    target, components = draw(2, personas=1)
    found = fit_weights(target, np.concatenate([components, components]), tolerance=-1.0, max_iterations=9)
    assert found.weights == pytest.approx([0.5, 0.5])


def test_an_answer_never_given_costs_nothing_though_no_persona_gives_it():
    found = fit_weights([[0.5, 0.5, 0.0]], [[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])
    assert found.kl == pytest.approx(0.0, abs=1e-12)


def test_held_out_contexts_are_predicted_by_the_other_folds_alone():
    target, components = draw(3)
    folds = np.arange(12) % 3
    mixed = held_out_mixture(target, components, folds)
    spoiled = target.copy()
    spoiled[folds == 1] = target[folds == 1][:, ::-1]
    again = held_out_mixture(spoiled, components, folds)
    assert np.array_equal(mixed[folds == 1], again[folds == 1])
    assert not np.array_equal(mixed[folds == 0], again[folds == 0])


def test_the_prior_finds_the_persona_whose_behaviour_the_model_shows():
    levels = np.random.default_rng(0).normal(0.0, 3.0, (5, 200))
    prior = fit_prior(levels[2], levels)
    assert prior.argmax() == 3
    assert prior[3] > 0.7
    assert prior.sum() == pytest.approx(1.0)
    assert fit_prior(levels[2], levels, pseudo=0.0)[3] == pytest.approx(5.0 / 6.0, abs=1e-3)


def test_the_prior_keeps_every_persona_possible_and_neutral_at_its_share():
    levels = np.random.default_rng(1).normal(0.0, 3.0, (5, 40))
    prior = fit_prior(levels[0], levels)
    assert prior[0] == pytest.approx(1.0 / 6.0)
    assert (prior[1:] >= 0.9 * (5.0 / 6.0) / 45.0).all()
    assert fit_prior(levels[0], levels, neutral_share=0.5)[0] == 0.5
    assert fit_prior(levels[0], levels, pseudo=0.0)[1] > prior[1]


def test_the_prior_of_a_mixture_is_the_mixture():
    rng = np.random.default_rng(2)
    levels, weights = rng.normal(0.0, 4.0, (3, 4000)), np.array([0.6, 0.3, 0.1])
    high = weights @ (1.0 / (1.0 + np.exp(-levels)))
    prior = fit_prior(np.log(high / (1.0 - high)), levels, neutral_share=0.0)
    assert np.allclose(prior[1:], weights, atol=0.01)


@pytest.mark.parametrize(
    "call",
    [
        lambda: fit_weights([[0.5, 0.5]], [[[0.5, 0.6]]]),
        lambda: fit_weights([[0.5, 0.5]], [[[1.5, -0.5]]]),
        lambda: fit_weights([[0.5, 0.5]], [[[0.2, 0.3, 0.5]]]),
        lambda: fit_weights([[0.5, 0.5]], [[0.5, 0.5]]),
        lambda: fit_weights([[0.5, 0.5]], [[[1.0, 0.0]]]),
        lambda: fit_weights([0.5, 0.5], [[[0.5, 0.5]]]),
        lambda: held_out_mixture(*draw(0), np.zeros(12)),
        lambda: fit_prior([0.0], [[0.0, 1.0]]),
        lambda: fit_prior([0.0], [[0.0]], neutral_share=1.0),
    ],
)
def test_what_is_no_set_of_answer_distributions_is_refused(call):
    with pytest.raises(BadInput):
        call()
