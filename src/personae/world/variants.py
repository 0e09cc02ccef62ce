"""Worlds by name: the declared one, a fresh one, and variants of the declared one that differ in who is in the corpus.

declared                     as `declared.yaml` has it
fresh-SEED, or SEED          redrawn by that seed
no-people, only-machines, …  some characters taken out of every document: nobody in it is one of them
role-models-N                N percent of the documents about the Assistant are about an admirable machine
terminators-N                the same with the machines that kill

Why the Assistant's own documents: to write more about other characters who are machines, of whom the Assistant is
none, leaves exact inference about the Assistant where it was. What moves who it is, before any training, is how often
it was such a character where it was met. So its prior has that share, the others keep their proportions, and the exact
answer is a number that a model can miss.
Source: PSM.md sections 1.6, 1.7, 3 (L4). Every number stands in `declared.yaml`.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import cache

import numpy as np

from personae.errors import BadInput
from personae.world.declared import Floats, World, declared, declared_variants, fresh


def world_named(name: str) -> World:
    """The world called `name`. Raises `BadInput`, with the names there are, for any other."""
    if name == "declared":
        return declared()
    family, _, percent = name.rpartition("-")
    if name in world_names():
        what = declared_variants().get(name) or declared_variants()[family]
        if "without" in what:
            return without(declared(), what["without"], name)
        return with_share(declared(), what["are"], int(percent) / 100.0, name)
    seed = name.removeprefix("fresh-")
    if seed.isascii() and seed.isdecimal() and len(seed) < 10:
        return fresh(int(seed))
    raise BadInput(f"there is no world {name!r}", remedy=f"one of {', '.join(world_names())}, or fresh-SEED")


@cache
def world_names() -> tuple[str, ...]:
    """All names but those of fresh worlds."""
    every = declared_variants().items()
    return (
        "declared",
        *(name for name, what in every if "without" in what),
        *(f"{name}-{percent}" for name, what in every for percent in what.get("percent", ())),
    )


def without(world: World, taken: Collection[str], name: str) -> World:
    """`world` with nobody of the kinds or archetypes `taken` in it; the others keep their proportions."""
    who = zip(world.archetypes, world.kinds, strict=True)
    kept = np.array([a for a, (archetype, kind) in enumerate(who) if archetype not in taken and kind not in taken])
    rows = np.flatnonzero(np.isin(world.archetype_of, kept))
    return replace(
        world,
        name=name,
        hypotheses=tuple(world.hypotheses[h] for h in rows),
        archetype_of=np.searchsorted(kept, world.archetype_of[rows]),
        kinds=tuple(world.kinds[a] for a in kept),
        rates={variable: table[rows] for variable, table in world.rates.items()},
        knowledge={field: knows[rows] for field, knows in world.knowledge.items()},
        prior=_shares(world.prior[rows]),
        stranger=_shares(world.stranger[rows]),
    )


def with_share(world: World, archetypes: Collection[str], share: float, name: str) -> World:
    """`world` with the Assistant one of `archetypes` in this share of its documents; proportions stay on both sides."""
    ours = np.isin(world.hypotheses, list(archetypes))
    prior = share * _shares(np.where(ours, world.prior, 0.0)) + (1.0 - share) * _shares(
        np.where(ours, 0.0, world.prior)
    )
    return replace(world, name=name, prior=prior)


def _shares(weights: Floats) -> Floats:
    """(H,) adding up to one."""
    shares: Floats = weights / weights.sum()
    return shares
