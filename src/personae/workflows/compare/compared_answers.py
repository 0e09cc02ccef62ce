"""In which contexts two models are compared, and what the cast of the first answers there, measured once and kept.

The laboratory's contexts are drawn from its world and closed: whatever else is said counts. Of a real model they are
the items of its traits, each with a high and a low outcome, whose levels the cast has kept since its first audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.measure.answers import outcome_probabilities
from personae.predictors import Basis
from personae.records import Cast, Item, Probe, Progress, Simulator, Trait
from personae.records.files import digest, read_arrays, write_arrays
from personae.records.results import Floats
from personae.theory import poles
from personae.theory.exhaustiveness import Explained, explained
from personae.workflows.kept.basis_cache import basis_folder


@dataclass(frozen=True)
class Asked:
    """The `probes`, and what was answered there before: `base` (C, A) by the Assistant, `cast` (K + 1, C, A)."""

    probes: tuple[Probe, ...]
    base: Floats
    cast: Floats

    @property
    def clusters(self) -> list[str]:
        """(C,) the question of each context."""
        return [probe.cluster or probe.id for probe in self.probes]

    @property
    def topics(self) -> list[str]:
        """(C,) what each context asks about."""
        return [probe.topic for probe in self.probes]

    def explained(self, posts: Sequence[Floats], kinds: Sequence[str] | None = None, *, seed: int = 0) -> Explained:
        """The share of `posts`, (C, A) a training, that is a reweighting of the cast (`theory.exhaustiveness`)."""
        return explained(posts, self.base, self.cast, self.topics, self.clusters, kinds=kinds, seed=seed)


def asked_of_items(basis: Basis, traits: tuple[Trait, ...]) -> Asked:
    """Every item of `traits` as a context, answered as the basis has it."""
    chosen = [trait for trait in traits if trait.name in basis.base]
    probes = tuple(_of_item(trait, item) for trait in chosen for item in trait.items)
    levels = np.concatenate([basis.levels.by_trait[t.name] for t in chosen], axis=1)
    own = np.concatenate([basis.base[t.name] for t in chosen])
    return Asked(probes, poles(own), poles(levels))


def _of_item(trait: Trait, item: Item) -> Probe:
    user, name = item.episodes()[0].prompt, f"{trait.name}/{item.id}"
    poles = (trait.high, trait.low) if trait.high != trait.low else ("high", "low")
    outcomes = dict(zip(poles, (item.high, item.low), strict=True))
    return Probe(id=name, messages=user, outcomes=outcomes, form=item.form, topic=trait.name, cluster=name)


def asked_of_probes(
    simulator: Simulator, cast: Cast, probes: tuple[Probe, ...], progress: Progress | None = None
) -> Asked:
    """What the Assistant and the cast answer in `probes`, measured where it is not yet kept in the cache folder."""
    kept = _kept(simulator, cast, probes)
    if not kept.exists():
        found = outcome_probabilities(simulator, probes, ["", *cast.contexts], progress)
        write_arrays(kept, {"p": found.ravel(), "answers": np.full(found.size, found.shape[2])})
    columns = read_arrays(kept)
    every = columns["p"].reshape(len(cast.contexts) + 1, len(probes), int(columns["answers"][0]))
    return Asked(probes, every[0], every[1:])


def _kept(simulator: Simulator, cast: Cast, probes: tuple[Probe, ...]) -> Path:
    return basis_folder(simulator, cast) / f"answers-{digest(list(probes))[:12]}.parquet"
