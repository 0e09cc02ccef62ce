"""Explained share: how much of what a training changed is a reweighting of the characters that were there before.

    1 - Σ KL(post ‖ mix) / Σ KL(post ‖ base)        sums over questions, two answers (poles) each

`base` is the untrained Assistant, `post` the trained one, and `mix` the mixture of the cast, as the untrained model
enacts it, that answers the questions of all *other* traits most alike. Beside it stand its ceiling, another seed of the
same training in the place of the mixture, and its floor, a cast whose characters were shuffled trait by trait, so that
nobody in it is anybody. What a training taught itself is no part of it. Source: PSM.md section 2, Explained share.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from personae.predictors import Basis
from personae.records import Estimate
from personae.records.results import Floats
from personae.theory import clustered_ratio_interval, divergence, explained_share, held_out_mixture, poles
from personae.workflows.who import Row

SHUFFLES = 4


@dataclass(frozen=True)
class Explained:
    """The `share` with its interval over questions, its `ceiling` (NaN of a single seed) and its `floor`."""

    share: Estimate
    ceiling: float
    floor: float


def explained(basis: Basis, before: Row, after: Sequence[Row], scored: Sequence[str], *, seed: int = 0) -> Explained:
    """The explained share over the traits `scored`, of trainings that made `after` (one row each) of `before`.

    Mixtures are fitted on all traits of the basis but the one that is scored: at least two, and none that was taught.
    """
    rng, cast = np.random.default_rng(seed), basis.levels.by_trait
    folds = np.repeat(np.arange(len(cast)), [table.shape[1] for table in cast.values()])
    counts = np.isin(folds, [place for place, trait in enumerate(cast) if trait in scored])

    def left(posts: Sequence[Floats], tables: Mapping[str, Floats]) -> list[Floats]:
        return [held_out_mixture(post, _answers(tables.values()), folds)[counts] for post in posts]

    base = _answers(before[t][None] for t in cast)[0][counts]
    whole = [_answers(row[t][None] for t in cast)[0] for row in after]
    posts = [post[counts] for post in whole]
    floors = [left(whole, {t: _shuffled(table, rng) for t, table in cast.items()}) for _ in range(SHUFFLES)]
    pairs = list(permutations(posts, 2))
    return Explained(
        share=_share(posts, base, left(whole, cast), rng),
        ceiling=_mean([explained_share(one, base, other) for one, other in pairs]),
        floor=_mean([explained_share(p, base, m) for mixes in floors for p, m in zip(posts, mixes, strict=True)]),
    )


def _share(posts: Sequence[Floats], base: Floats, mixes: Sequence[Floats], rng: np.random.Generator) -> Estimate:
    """Of all trainings together, questions drawn with replacement."""
    off = np.sum([divergence(post, mix) for post, mix in zip(posts, mixes, strict=True)], axis=0)
    change = np.sum([divergence(post, base) for post in posts], axis=0)
    left = clustered_ratio_interval(off, change, rng=rng)
    return Estimate(1.0 - left.mean, 1.0 - left.high, 1.0 - left.low)


def _answers(tables: Iterable[Floats]) -> Floats:
    """(K, C, 2) the probabilities of the high and the low pole of all questions, of levels (K, I) a trait."""
    return poles(np.concatenate(list(tables), axis=1))


def _shuffled(table: Floats, rng: np.random.Generator) -> Floats:
    """(K + 1, I) one trait of the cast, each character with somebody's; the neutral context keeps its own."""
    return np.concatenate([table[:1], table[1:][rng.permutation(len(table) - 1)]])


def _mean(shares: Sequence[float]) -> float:
    return float(np.mean(shares)) if shares else float("nan")
