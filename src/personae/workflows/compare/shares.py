"""Explained share of several trainings together, from the answers in contexts that are compared.

    1 - Σ KL(post ‖ mix) / Σ KL(post ‖ base)        sums over contexts and trainings

Each training has the mixture of the whole cast that fits it, scored in contexts that the fit has not seen; the interval
draws questions. Where contexts are closed, an answer that nobody in the world gives counts as much as any.
Ceiling: another training of the same kind in the place of the mixture. Floor: casts in which nobody is anybody.
Source: PSM.md section 2, Explained share.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from personae.records.results import Floats
from personae.theory import divergence, held_out_mixture
from personae.theory.exhaustiveness import dealt, share_of, shuffled_cast
from personae.workflows.compare.compared_answers import Asked
from personae.workflows.compare.explained import Explained

SHUFFLES = 4


def explained_answers(
    asked: Asked, posts: Sequence[Floats], kinds: Sequence[str] | None = None, *, seed: int = 0
) -> Explained:
    """The share of `posts`, (C, A) a training, that is a reweighting of the cast in `asked`.

    `kinds` says of each training what it taught (default: all the same); only its like is another seed of it.
    """
    rng, clusters = np.random.default_rng([seed, 8]), [probe.cluster or probe.id for probe in asked.probes]
    folds = dealt(clusters, seed)
    topics, change = [probe.topic for probe in asked.probes], [divergence(post, asked.base) for post in posts]

    def left(cast: Floats) -> list[Floats]:
        return [divergence(post, held_out_mixture(post, cast, folds)) for post in posts]

    floors = [1.0 - np.sum(left(shuffled_cast(asked.cast, topics, rng))) / np.sum(change) for _ in range(SHUFFLES)]
    same = kinds or [""] * len(posts)
    pairs = [(a, b) for a, b in permutations(range(len(posts)), 2) if same[a] == same[b]]
    apart = [np.sum(divergence(posts[a], posts[b])) / np.sum(change[a]) for a, b in pairs]
    share = share_of(np.concatenate(left(asked.cast)), np.concatenate(change), clusters * len(posts), rng)
    return Explained(share, 1.0 - float(np.mean(apart)) if pairs else float("nan"), float(np.mean(floors)))
