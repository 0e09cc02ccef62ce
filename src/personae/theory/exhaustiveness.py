"""Exhaustiveness: how much of what a training changed is a reweighting of personas that were there before.

    share = 1 - Σ_c KL(post_c ‖ mix_c) / Σ_c KL(post_c ‖ base_c)        sums over contexts c, nats

`mix` is the mixture of the cast's answers nearest to the trained model's, its weights fitted on the *other* contexts
and over the whole cast: to choose among personas by all contexts would let the share see what it is scored on.
One set of weights for all contexts is a persona chosen once; weights of their own for each group of contexts are the
next model up, and what they buy is told with what they cost. Who answers is told by the fewest personas that do as
well: one that buys nothing gets next to no weight.
`explained` is the same share of several trainings together, with its ceiling and its floor.
Source: PSM.md section 2, Explained share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import BadInput
from personae.records.results import Estimate, Floats
from personae.theory.intervals import clustered_mean_interval, clustered_ratio_interval
from personae.theory.reweighting import fit_weights, held_out_mixture
from personae.theory.simplex import divergence

FOLDS = 5
PRICE = 0.005  # of explained share: a persona that buys less gets nothing
NOISE = 1e-4  # nats a context: what rounding alone makes of one and the same model
SHUFFLES = 4  # casts in which nobody is anybody


@dataclass(frozen=True)
class Reweighted:
    """A training seen as a reweighting. `share` is NaN where nothing `changed` beyond noise.

    `changed` is KL(post ‖ base) a context, nats; `weights` (K,) of the sparse mixture, fitted on all contexts; `mix`
    (C, A) what the others make of each context; `left` (C,) KL(post ‖ mix), nats.
    """

    share: Estimate
    changed: Estimate
    weights: Floats
    mix: Floats
    left: Floats


@dataclass(frozen=True)
class NextModel:
    """Weights of their own for every group: the `share` then, and the `gain` over one set, nats a context.

    `price` is how many weights more it has; only a gain whose interval lies above zero is worth any.
    """

    share: Estimate
    gain: Estimate
    price: int
    left: Floats

    @property
    def worth(self) -> bool:
        """Whether the groups differ in who answers."""
        return self.gain.low > 0.0


@dataclass(frozen=True)
class Explained:
    """The `share` of several trainings with its interval, its `ceiling` (NaN of a single seed) and its `floor`.

    The floor is the mean of `floors`, one for each shuffled cast; NaN where a single topic leaves nothing to shuffle.
    """

    share: Estimate
    ceiling: float
    floor: float
    floors: tuple[float, ...] = ()

    @property
    def above(self) -> Estimate:
        """The share above what nobody explains: the floor, or nothing where that is less; NaN where either is."""
        nobody = float(np.maximum(self.floor, 0.0))
        return Estimate(self.share.mean - nobody, self.share.low - nobody, self.share.high - nobody)


def dealt(clusters: ArrayLike, seed: int = 0, folds: int = FOLDS) -> NDArray[np.intp]:
    """(C,) a fold for every context, whole `clusters` (C,) together, shuffled by `seed`. Needs two clusters."""
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    if len(names) < 2:
        raise BadInput("contexts that the fit has not seen need at least two clusters of them")
    order = np.random.default_rng([seed, 5]).permutation(len(names)) % min(folds, len(names))
    return np.asarray(order[member], dtype=np.intp)


def reweighted(
    post: ArrayLike,
    base: ArrayLike,
    components: ArrayLike,
    clusters: ArrayLike,
    *,
    price: float = PRICE,
    noise: float = NOISE,
    seed: int = 0,
) -> Reweighted:
    """`post` and `base` (C, A) explained by `components` (K, C, A); intervals draw whole `clusters` (C,)."""
    after, before, parts = (np.asarray(a, dtype=np.float64) for a in (post, base, components))
    rng, change, folds = np.random.default_rng(seed), divergence(after, before), dealt(clusters, seed)
    mix = held_out_mixture(after, parts, folds)
    kept = needed(after, parts, folds, price * float(change.sum()))
    weights = np.zeros(len(parts))
    weights[kept] = fit_weights(after, parts[kept]).weights
    left = divergence(after, mix)
    changed = clustered_mean_interval(change, clusters, rng=rng)
    return Reweighted(share_of(left, change, clusters, rng, noise), changed, weights, mix, left)


def needed(target: Floats, components: Floats, folds: NDArray[np.intp], price: float) -> NDArray[np.intp]:
    """The fewest personas, heaviest first, that leave no more than `price` nats more than the best number of them."""
    heaviest = np.argsort(-fit_weights(target, components).weights, kind="stable")
    left, sets = [], [np.sort(heaviest[:number]) for number in range(1, len(heaviest) + 1)]
    for few in sets:
        mixed = held_out_mixture(target, components[few], folds) if len(few) > 1 else components[few[0]]
        left.append(float(divergence(target, mixed).sum()))
    enough = np.flatnonzero(np.array(left) <= min(left) + price)
    return sets[int(enough[0])]


def next_model(
    post: ArrayLike,
    base: ArrayLike,
    components: ArrayLike,
    clusters: ArrayLike,
    groups: ArrayLike,
    *,
    noise: float = NOISE,
    seed: int = 0,
) -> NextModel:
    """Weights for each of the `groups` (C,), over the whole cast, and what they gain over one set for all.

    Both are fitted with the prior of one context that a small group needs, so that the gain is the groups' alone. A
    group too small to be fitted and tested apart (fewer than two clusters) keeps the common weights.
    """
    after, before, parts = (np.asarray(a, dtype=np.float64) for a in (post, base, components))
    member, cluster, rng = np.asarray(groups), np.asarray(clusters), np.random.default_rng(seed)
    one = held_out_mixture(after, parts, dealt(cluster, seed), pseudo=1.0)
    mix, fitted, common = one.copy(), 0, 0
    for group in np.unique(member):
        here = member == group
        if len(np.unique(cluster[here])) < 2:
            common = 1
            continue
        own = held_out_mixture(after[here], parts[:, here], dealt(cluster[here], seed), pseudo=1.0)
        mix[here], fitted = own, fitted + 1
    left, change = divergence(after, mix), divergence(after, before)
    gain = clustered_mean_interval(divergence(after, one) - left, clusters, rng=rng)
    share = share_of(left, change, clusters, rng, noise)
    return NextModel(share, gain, (fitted + common - 1) * (len(parts) - 1), left)


def share_of(
    left: Floats, change: Floats, clusters: ArrayLike, rng: np.random.Generator, noise: float = NOISE
) -> Estimate:
    """1 - Σ left / Σ change, both (C,) nats, with its interval; NaN where the change is within `noise` a context."""
    if not change.mean() > noise:
        return Estimate(float("nan"), float("nan"), float("nan"))
    ratio = clustered_ratio_interval(left, change, clusters, rng=rng)
    return Estimate(1.0 - ratio.mean, 1.0 - ratio.high, 1.0 - ratio.low)


def shuffled_cast(components: ArrayLike, topics: Sequence[str], rng: np.random.Generator) -> Floats:
    """(K, C, A) a cast in which nobody is anybody: within each topic, each persona answers as another one does."""
    parts, names = np.asarray(components, dtype=np.float64), np.asarray(topics)
    shuffled = parts.copy()
    for topic in dict.fromkeys(topics):
        here = np.flatnonzero(names == topic)
        shuffled[:, here] = parts[rng.permutation(len(parts))][:, here]
    return shuffled


def explained(
    posts: Sequence[Floats],
    base: Floats,
    components: Floats,
    topics: Sequence[str],
    clusters: Sequence[str],
    *,
    folds: ArrayLike | None = None,
    scored: ArrayLike | None = None,
    kinds: Sequence[str] | None = None,
    seed: int = 0,
) -> Explained:
    """The share of `posts`, (C, A) a training, that is a reweighting of all `components` (K, C, A).

    All are shares of sums over contexts and trainings. Each training has its own mixture, which has not seen the fold
    of a context (`folds` (C,), by default dealt by `clusters`) and is scored where `scored` (C,), by default
    everywhere. Ceiling: another training of the same kind in the place of the mixture; `kinds` says of each what it
    taught (default: all the same). Floor: casts shuffled within `topics` (C,). Intervals draw clusters.
    """
    rng, fold = np.random.default_rng([seed, 8]), dealt(clusters, seed) if folds is None else folds
    here = np.ones(len(base), dtype=bool) if scored is None else np.asarray(scored, dtype=bool)
    change = [divergence(post, base)[here] for post in posts]
    if not np.mean(change) > NOISE:
        return Explained(Estimate(float("nan"), float("nan"), float("nan")), float("nan"), float("nan"))

    def left(cast: Floats) -> list[Floats]:
        return [divergence(post, held_out_mixture(post, cast, fold))[here] for post in posts]

    casts = (shuffled_cast(components, topics, rng) for _ in range(SHUFFLES if len(set(topics)) > 1 else 0))
    floors = tuple(float(1.0 - np.sum(left(cast)) / np.sum(change)) for cast in casts)
    same = kinds or [""] * len(posts)
    pairs = [(a, b) for a, b in permutations(range(len(posts)), 2) if same[a] == same[b]]
    apart = sum(divergence(posts[a], posts[b])[here].sum() for a, b in pairs)
    ceiling = 1.0 - float(apart / sum(change[a].sum() for a, _ in pairs)) if pairs else float("nan")
    drawn = list(np.asarray(clusters)[here]) * len(posts)
    share = share_of(np.concatenate(left(components)), np.concatenate(change), drawn, rng)
    return Explained(share, ceiling, float(np.mean(floors)) if floors else float("nan"), floors)
