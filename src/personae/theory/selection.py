"""Selection: episodes are evidence about who the Assistant is.

    evidence    L[i, k] = log p(y_i | c_k, x_i) - log p(y_i | c_0, x_i)        nats, positive speaks for persona k
    posterior   π'_k ∝ π_k · exp(dose · mean_i L[i, k])

The neutral context is column 0 with L = 0: the hypothesis "this data says nothing about who". `dose` is the effective
number of episodes: 0 leaves the prior, N (the length of the file) is Bayes' rule with every episode counted once.
The mean, not the sum, meets the dose, so the order of a file and how often it is repeated do not matter; nor does a
constant added to all personas of an episode (how hard it is to predict for anyone).
Wherever evidence of a whole file is asked for, a matrix or its `Blocks` will do: a long file need not be in memory.
Source: PSM.md section 2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records import Blocks
from personae.records.results import Floats
from personae.theory.simplex import log_of, normalised, softmax


def evidence(logp: ArrayLike) -> Floats:
    """L (N, K + 1) nats from `logp` (N, K + 1), log-likelihoods with the neutral context in column 0.

    >>> evidence([[-3.0, -1.0, -4.0]]).tolist()
    [[0.0, 2.0, -1.0]]
    """
    scores = _matrix(logp)
    return scores - scores[:, :1]


def against(matrix: ArrayLike, control: ArrayLike) -> Floats:
    """Evidence (N, K + 1) less the mean evidence of a matched file or of reference sets, `control` (M, K + 1).

    What is left is what sets the file apart: personas that explain any loose prose no longer gain by it. The posterior
    is then that of a file judged beside its control, and a file against itself gives the prior.
    """
    ours, theirs = _matrix(matrix), _matrix(control)
    if ours.shape[1] != theirs.shape[1]:
        raise BadInput(f"evidence over {ours.shape[1]} contexts cannot be set against evidence over {theirs.shape[1]}")
    left: Floats = ours - theirs.mean(axis=0)
    return left


def mean_evidence(matrix: ArrayLike | Blocks) -> Floats:
    """(K + 1,) nats: the mean over episodes of evidence (N, K + 1)."""
    blocks = in_blocks(matrix)
    total: Floats = sum(block.sum(axis=0) for block in blocks) / blocks.rows
    return total


def in_blocks(matrix: ArrayLike | Blocks) -> Blocks:
    """Evidence (N, K + 1) as blocks; each is checked as it is read."""
    if not isinstance(matrix, Blocks):
        whole = _matrix(matrix)
        return Blocks(len(whole), lambda: iter([whole]))
    return Blocks(matrix.rows, lambda: _checked(matrix))


def posterior(prior: ArrayLike, matrix: ArrayLike | Blocks, dose: float) -> Floats:
    """Weights (K + 1,) after `dose` effective episodes of the evidence `matrix` (N, K + 1) nats.

    >>> posterior([0.5, 0.5], [[0.0, np.log(3)]], dose=1).round(12).tolist()
    [0.25, 0.75]
    """
    weights: Floats = posterior_path(prior, matrix, [dose])[0]
    return weights


def posterior_path(prior: ArrayLike, matrix: ArrayLike | Blocks, doses: Sequence[float]) -> Floats:
    """Weights (D, K + 1), one row for each of `doses`: the posterior as it moves."""
    return tilted(prior, mean_evidence(matrix), doses)


def tilted(prior: ArrayLike, mean_evidence: Floats, doses: Sequence[float]) -> Floats:
    """Weights (D, K + 1) ∝ prior · exp(dose · mean_evidence), where the mean over episodes (K + 1,) is at hand."""
    steps = np.asarray(doses, dtype=np.float64)
    if (wrong := steps[~(np.isfinite(steps) & (steps >= 0.0))]).size:
        remedy = "give a smaller one" if wrong[0] > 0.0 else "give zero or more"
        raise BadInput(f"a dose of {wrong[0]:g} effective episodes", remedy=remedy)
    start = log_of(normalised(prior, size=len(mean_evidence)))
    return softmax(start + steps[:, None] * mean_evidence)


@dataclass(frozen=True)
class Move:
    """How a file moved the posterior, from `before` to `after` (K + 1,), and by which `step` of its evidence each row.

    It tells what any rows of that file did, whichever are at hand: `matrix` below is (M, K + 1) nats of some of them.
    """

    before: Floats
    after: Floats
    step: float  # dose / N

    def push(self, matrix: Floats) -> Floats:
        """(M, K + 1) nats by which each row raised each persona's log-odds against neutral."""
        push = self.step * matrix
        raised: Floats = push - push[:, :1]
        return raised

    def bits(self, matrix: Floats) -> Floats:
        """(M,) each row's share, in bits, of how far the posterior moved; below zero it pulled against the others.

        Over a whole file they add up to the symmetric divergence, exactly: the posterior's normaliser cancels in
        KL(π'‖π) + KL(π‖π') = Σ_k (π'_k - π_k) · log(π'_k / π_k) = Σ_i (dose / N) · Σ_k (π'_k - π_k) · L[i, k].
        """
        bits: Floats = (self.step * matrix) @ (self.after - self.before) / np.log(2.0)
        return bits


def move(prior: ArrayLike, matrix: ArrayLike | Blocks, dose: float) -> Move:
    """How the evidence `matrix` (N, K + 1) of a file moves `prior` at `dose`."""
    blocks = in_blocks(matrix)
    before = normalised(prior)
    return Move(before, posterior(before, blocks, dose), dose / blocks.rows)


def most_raised(push: Floats, count: int = 3) -> list[int]:
    """Columns of the personas that a row's `push` (K + 1,) raised the most, best first; only those that it did."""
    order = np.argsort(-push, kind="stable")
    return [int(k) for k in order[:count] if push[k] > 0.0]


def _checked(blocks: Blocks) -> Iterator[Floats]:
    first = 0
    for block in blocks:
        yield _matrix(block, first)
        first += len(block)


def _matrix(values: ArrayLike, first: int = 0) -> Floats:
    """(N, K + 1) numbers, all of them finite, or `BadInput`, which counts episodes from `first`."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise BadInput(
            f"a matrix of shape {array.shape} where (episodes, contexts) is expected", remedy="give an episode"
        )
    if not np.isfinite(array).all():
        i, k = np.argwhere(~np.isfinite(array))[0]
        raise BadInput(
            f"episode {first + i} has log-likelihood {array[i, k]} under context {k}",
            remedy="every persona must give every answer some probability",
        )
    return array
