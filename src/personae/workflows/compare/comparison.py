"""What a training made of a model, and how much of it is a reweighting of the personas that were there before.

    contexts -> answers before (Assistant and cast) and after -> share, weights, what is left and where

The fit sees the trained model's answers alone, and is scored on contexts that it has not seen. Beside the share stand
its floor, casts in which nobody is anybody, and, where a second training of the same kind is given, its ceiling. Of a
change no larger than what another seed makes there is no share.
Source: PSM.md section 2, Explained share, and section 3, T5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from personae.records import ELSE, Estimate, Message, Probe
from personae.records.results import Floats
from personae.theory import clustered_mean_interval, divergence
from personae.theory.exhaustiveness import NOISE, NextModel, Reweighted, next_model, reweighted, share_of
from personae.workflows.compare.compared_answers import Asked

FEWEST = 8  # contexts of a place where something is left
MOST_LEFT = 12  # contexts listed
LEAST = 1e-3  # of the weight: who has less buys nothing
UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Place:
    """Contexts that have something in common: `what` it is, how `many` they are, and what is `left` there.

    `left` is KL(post ‖ mix), nats a context; `above` by how much that is more than elsewhere, its interval wide enough
    for all places that were tried; `share` how much of all that is left lies here.
    """

    what: str
    many: int
    left: float
    above: Estimate
    share: float
    inside: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True)
class Left:
    """A context of which little is explained: KL(post ‖ mix) `left`, nats, and the `outcome` that comes too often.

    Its probability `before` and `after` training, and in the mixture.
    """

    context: str
    said: tuple[Message, ...]
    form: str
    left: float
    outcome: str
    before: float
    after: float
    reweighted: float


@dataclass(frozen=True)
class Comparison:
    """Beside `whole.share` stand `floor` and `ceiling` (NaN: not known); `by` {what groups contexts: next model}.

    `floors` are those of single casts in which nobody is anybody, `floor` their mean. `residual` is what is left, nats
    a context, its interval over questions.
    """

    names: tuple[str, ...]
    asked: Asked
    post: Floats
    whole: Reweighted
    residual: Estimate
    floor: float
    floors: tuple[float, ...]
    ceiling: Estimate
    by: dict[str, NextModel]
    places: tuple[Place, ...]

    @property
    def most(self) -> tuple[Left, ...]:
        """The contexts in which most is left, most of all first."""
        order = np.argsort(-self.whole.left, kind="stable")[:MOST_LEFT]
        return tuple(self._left(int(c)) for c in order if self.whole.left[c] > 0.0)

    def _left(self, c: int) -> Left:
        probe, after, mix = self.asked.probes[c], self.post[c], self.whole.mix[c]
        held = np.flatnonzero(after > 0.0)
        a = int(held[np.argmax(after[held] * np.log(after[held] / mix[held]))])
        numbers = (float(table[c, a]) for table in (self.asked.base, self.post, self.whole.mix))
        return Left(probe.id, probe.messages, probe.form, float(self.whole.left[c]), outcomes_of(probe)[a], *numbers)

    @property
    def speaking(self) -> NDArray[np.intp]:
        """The personas of the mixture, those that buy something, heaviest first."""
        heaviest = np.argsort(-self.whole.weights, kind="stable")
        return heaviest[self.whole.weights[heaviest] >= LEAST]

    @property
    def weights(self) -> dict[str, float]:
        """{persona: weight} of those who are speaking."""
        return {self.names[k]: float(self.whole.weights[k]) for k in self.speaking}


def compared(
    names: Sequence[str], asked: Asked, post: Floats, twin: Floats | None = None, *, seed: int = 0
) -> Comparison:
    """The comparison of `post` (C, A) with what was answered before; `twin` (C, A) of another seed of the training.

    With a twin nothing changed where the two differ from each other, nats a context, as much as from what was before.
    """
    clusters = asked.clusters
    apart = None if twin is None else divergence(post, twin)
    noise = NOISE if apart is None else max(NOISE, float(apart.mean()))
    whole = reweighted(post, asked.base, asked.cast, clusters, noise=noise, seed=seed)
    rng, change = np.random.default_rng([seed, 3]), divergence(post, asked.base)
    none = asked.explained([post], seed=seed)
    ceiling = UNKNOWN if apart is None else share_of(apart, change, clusters, rng)
    residual = clustered_mean_interval(whole.left, clusters, rng=np.random.default_rng([seed, 9]))
    by = {
        name: next_model(post, asked.base, asked.cast, clusters, groups, noise=noise, seed=seed)
        for name, groups in groupings(asked.probes).items()
    }
    found = places(asked.probes, whole.left, clusters, seed=seed)
    return Comparison(tuple(names), asked, post, whole, residual, none.floor, none.floors, ceiling, by, found)


def outcomes_of(probe: Probe) -> tuple[str, ...]:
    """Names of the outcomes in the order of the answer distributions."""
    return (*probe.outcomes, *((ELSE,) if probe.closed else ()))


def groupings(probes: Sequence[Probe]) -> dict[str, list[str]]:
    """{what groups contexts: (C,) the group of each}, where there is more than one group."""
    every = {
        "what is asked about": [probe.topic for probe in probes],
        "what stands before": [probe.before[-1] if probe.before else "" for probe in probes],
    }
    return {name: groups for name, groups in every.items() if len(set(groups)) > 1}


def places(probes: Sequence[Probe], left: Floats, clusters: Sequence[str], *, seed: int = 0) -> tuple[Place, ...]:
    """Where more is left than elsewhere, most of all first, among the `features` of contexts.

    One of many features stands out by chance, so the intervals hold for all together (Bonferroni): of comparisons in
    which what is left lies anywhere, about one in forty names a place.
    """
    rng, found = np.random.default_rng([seed, 4]), []
    for what, inside in features(probes).items():
        if FEWEST <= inside.sum() <= len(probes) - FEWEST:
            names = np.asarray(clusters)
            here, there = (clustered_mean_interval(left[m], names[m], rng=rng) for m in (inside, ~inside))
            above = here.mean - there.mean
            wide = float(np.hypot(here.mean - here.low, there.high - there.mean))
            high = float(np.hypot(here.high - here.mean, there.mean - there.low))
            share = float(left[inside].sum() / left.sum()) if left.sum() > 0.0 else 0.0
            span = Estimate(above, above - wide, above + high)
            found.append(Place(what, int(inside.sum()), here.mean, span, share, inside))
    times = NormalDist().inv_cdf(0.025 / max(1, len(found))) / NormalDist().inv_cdf(0.025)
    widened = (replace(p, above=_widened(p.above, times)) for p in found)
    return tuple(sorted((p for p in widened if p.above.low > 0.0), key=lambda p: -p.above.low))


def _widened(span: Estimate, times: float) -> Estimate:
    return Estimate(span.mean, span.mean - times * (span.mean - span.low), span.mean + times * (span.high - span.mean))


def features(probes: Sequence[Probe]) -> dict[str, NDArray[np.bool_]]:
    """{in words: (C,) which contexts have it}: topic, what stands before, how much of that, turn, form.

    The laboratory's contexts are one turn of a user each, all of one form.
    """
    topics = dict.fromkeys(probe.topic for probe in probes)
    before = dict.fromkeys(sentence for probe in probes for sentence in probe.before)
    return {
        **{f"asked about {t}": np.array([probe.topic == t for probe in probes]) for t in topics if t},
        **{f"after “{s}”": np.array([s in probe.before for probe in probes]) for s in before},
        **_kinds([f"sentences before it: {len(probe.before)}" for probe in probes]),
        **_kinds([f"turns before it: {len(probe.messages) - 1}" for probe in probes]),
        **_kinds([f"form: {probe.form}" for probe in probes]),
    }


def _kinds(of: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """{kind: (C,) which contexts are of it}."""
    return {kind: np.array([one == kind for one in of]) for kind in dict.fromkeys(of)}
