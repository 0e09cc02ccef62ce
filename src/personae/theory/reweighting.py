"""Reweighting: how much of a model's behaviour is a mixture of the personas that were there before.

    maximise  (1/C) · [ Σ_c Σ_a target[c, a] · log Σ_k w_k · component[k, c, a]  +  (pseudo/K) · Σ_k log w_k ]

over w on the simplex: the mixture nearest in KL(target ‖ mixture), C contexts with A answers each. The objective is
concave, so the point found is certified: with gradient G, no w is better by more than gap = max_k G_k - Σ_k w_k·G_k
nats a context. With `pseudo` = 0 that is max_k G_k - 1. It is found by sequential quadratic programming: each step goes
to the best w ≥ 0 of the objective's second-order model less Σ_k w_k times λ = max G·w, which at the best w makes the
weights sum to one by itself. `pseudo` > 0 (a Dirichlet prior worth that many contexts) keeps every weight above zero.
Source: PSM.md section 2, Reweighting fit, Prior; Kim, Carbonetto, Stephens and Anitescu, Journal of
Computational and Graphical Statistics 29:261, 2020.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from personae.errors import BadInput
from personae.records.results import Floats
from personae.theory.predictive import poles
from personae.theory.simplex import divergence, normalised

RIDGE = 1e-9  # of each persona's own curvature: personas who answer alike share a weight
SHORTEST = 1e-10  # of a step


@dataclass(frozen=True)
class Fit:
    """Weights (K,); `kl` mean KL(target ‖ mixture) over contexts, nats; `gap` by how much the fit could yet improve."""

    weights: Floats
    kl: float
    gap: float
    iterations: int


def fit_weights(
    target: ArrayLike,
    components: ArrayLike,
    *,
    pseudo: float = 0.0,
    tolerance: float = 1e-7,
    max_iterations: int = 100,
) -> Fit:
    """The mixture of `components` (K, C, A) nearest to `target` (C, A); last axes are distributions."""
    goal, parts = _answers(target), _answers(components)
    if parts.ndim != 3 or parts.shape[1:] != goal.shape:
        raise BadInput(f"components of shape {parts.shape} cannot mix to answers of shape {goal.shape}")
    seen = goal > 0.0
    given = parts[:, seen]
    most = given.max(axis=0)
    if not (most > 0.0).all():
        raise BadInput("an answer that was given has no probability under any persona", remedy="smooth the components")
    problem = _Problem(goal[seen] / len(goal), given / most, pseudo / len(goal))
    w = np.full(len(parts), 1.0 / len(parts))
    count, gap = 0, problem.gap(w)
    while gap > tolerance and count < max_iterations:
        further = problem.step(w)
        if further is None:
            break
        w, count = further, count + 1
        gap = problem.gap(w)
    return Fit(w, float(divergence(goal, mixture(w, parts)).mean()), gap, count)


@dataclass(frozen=True)
class _Problem:
    """`target` (M,) shares of the answers seen; `parts` (K, M) each persona's probability of them over the largest.

    That scale moves the objective by a constant, and keeps the squares of what everybody finds unlikely above zero.
    `pseudo` is a context's.
    """

    target: Floats
    parts: Floats
    pseudo: float

    def objective(self, w: Floats) -> float:
        with np.errstate(divide="ignore"):  # an answer that nobody is left to give
            fit = float(self.target @ np.log(w @ self.parts))
        return fit + self.pseudo * float(np.log(w).mean()) if self.pseudo else fit

    def gradient(self, w: Floats) -> Floats:
        slopes: Floats = self.parts @ (self.target / (w @ self.parts))
        return slopes + self.pseudo / (len(w) * w) if self.pseudo else slopes

    def gap(self, w: Floats) -> float:
        slopes = self.gradient(w)
        return float(slopes.max() - w @ slopes)

    def step(self, w: Floats) -> Floats | None:
        """To the best weights of the second-order model, or as far that way as it ascends; None where it does not."""
        bend = (self.parts * (self.target / (w @ self.parts) ** 2)) @ self.parts.T
        bend += np.diag(self.pseudo / (len(w) * w**2)) if self.pseudo else 0.0
        rise = self.gradient(w) - (self.target.sum() + self.pseudo)
        unit = np.sqrt(np.diag(bend))  # each weight in its own, for one curvature may be a billion times another
        root = np.linalg.cholesky(bend / np.outer(unit, unit) + RIDGE * np.eye(len(w)))
        best = nnls(root.T, np.linalg.solve(root, (bend @ w + rise) / unit))[0] / unit
        if self.pseudo:
            best = np.maximum(best, 0.01 * w)
        here, length = self.objective(w), 1.0
        while length > SHORTEST:
            further: Floats = normalised(w + length * (best - w))
            if self.objective(further) > here:
                return further
            length /= 2.0
        return None


def mixture(weights: ArrayLike, components: ArrayLike) -> Floats:
    """Answer distributions (C, A) of the mixture `weights` (K,) of `components` (K, C, A)."""
    mixed: Floats = np.tensordot(normalised(weights), np.asarray(components, dtype=np.float64), axes=1)
    return mixed


def held_out_mixture(target: ArrayLike, components: ArrayLike, folds: ArrayLike, *, pseudo: float = 0.0) -> Floats:
    """(C, A): each context as the mixture that was fitted on the contexts of all other `folds` (C,) predicts it."""
    goal, parts, fold = _answers(target), _answers(components), np.asarray(folds)
    if len(np.unique(fold)) < 2:
        raise BadInput("contexts that the fit has not seen need at least two folds")
    mixed = np.empty_like(goal)
    for held in np.unique(fold):
        out = fold == held
        mixed[out] = mixture(fit_weights(goal[~out], parts[:, ~out], pseudo=pseudo).weights, parts[:, out])
    return mixed


def fit_prior(
    neutral: ArrayLike, levels: ArrayLike, *, neutral_share: float | None = None, pseudo: float | None = None
) -> Floats:
    """Who the Assistant is before any training: weights (K + 1,), neutral first, from its own behaviour.

    `neutral` (I,) the model's log-odds under the neutral context, `levels` (K, I) those under each persona's context.
    The persona weights are the mixture nearest to the neutral answers, each item a context with two answers. The
    neutral context would fit itself perfectly and take all the weight, so its share is fixed: `neutral_share`, by
    default 1/(K + 1), the weight of "this data says nothing about who". `pseudo` contexts, by default K (Laplace's
    rule: one a persona), keep every persona possible: a weight of zero is one that no evidence can raise.
    """
    table, own = np.asarray(levels, dtype=np.float64), np.asarray(neutral, dtype=np.float64)
    if table.ndim != 2 or own.shape != table.shape[1:]:
        raise BadInput(f"neutral levels {own.shape} do not match persona levels {table.shape}")
    share = 1.0 / (len(table) + 1) if neutral_share is None else neutral_share
    if not 0.0 <= share < 1.0:
        raise BadInput(f"a neutral share of {share} leaves nothing for the personas", remedy="choose one in [0, 1)")
    fit = fit_weights(poles(own), poles(table), pseudo=len(table) if pseudo is None else pseudo)
    return np.concatenate([[share], (1.0 - share) * fit.weights])


def _answers(values: ArrayLike) -> Floats:
    """`values` (..., C, A) as distributions over A answers; rounding (of single precision, say) is scaled away."""
    p = np.asarray(values, dtype=np.float64)
    if p.ndim < 2 or p.size == 0 or not np.isfinite(p).all() or (p < 0.0).any():
        raise BadInput(f"answer distributions of shape {p.shape} must be finite, not negative, (contexts, answers)")
    sums = p.sum(axis=-1, keepdims=True)
    if not np.allclose(sums, 1.0, rtol=0.0, atol=1e-4):
        raise BadInput(
            f"an answer distribution adds up to {float(sums.ravel()[np.argmax(np.abs(sums - 1.0))]):.6g}, not 1"
        )
    scaled: Floats = p / sums
    return scaled
