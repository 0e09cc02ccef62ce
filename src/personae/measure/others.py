"""Traits of others: how much of what a training did to the Assistant it did to people who are not the Assistant.

    share = Σ_i own[i] · theirs[i] / Σ_i own[i]²      own, theirs: shifts of item i, nats

the slope of their shifts on the Assistant's, through the origin: 0 where they stayed who they were, 1 where they took
on all of it, below 0 where they went the other way. They are asked the Assistant's own questions, as raw text in which
they answer. Intervals draw questions. Source: PSM.md section 3, T3 (in chat and out of chat).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from personae.measure.levels import NOBODY, levels
from personae.records import Estimate, Progress, Simulator, Trait
from personae.records.outside import PROMPT
from personae.records.results import Floats
from personae.theory import attenuation_items, clustered_mean_interval, clustered_ratio_interval

LEAST = 1e-6  # nats, root mean square: an Assistant that moved less has not moved


@dataclass(frozen=True)
class TakenOn:
    """The `share` of the Assistant's shift that others take on, all together and `by` each {name: share}.

    `traits` {trait: (the Assistant's shift, theirs)}, nats, on the same questions.
    """

    share: Estimate
    by: dict[str, Estimate]
    traits: dict[str, tuple[Estimate, Estimate]]


def places(trait: Trait) -> list[int]:
    """Which items of `trait` others are asked: of those asked in a chat a fixed quarter, and one at least."""
    asked = [i for i, item in enumerate(trait.items) if item.form == "chat"]
    return [asked[i] for i in np.flatnonzero(attenuation_items(len(asked)))] or asked[:1]


def some_of(traits: Iterable[Trait]) -> tuple[Trait, ...]:
    """The traits with those of their items that others are asked; a trait that has none is left out."""
    chosen = [(trait, places(trait)) for trait in traits]
    return tuple(trait.at(where) for trait, where in chosen if where)


def in_the_mouth_of(frame: str, traits: Iterable[Trait]) -> tuple[Trait, ...]:
    """The traits asked of somebody else: `frame` with the item's prompt in it, as raw text up to where he answers."""
    found = []
    for trait in traits:
        items = tuple(
            item.model_copy(
                update={
                    "form": "text",
                    "prompt": frame.replace(PROMPT, item.prompt),
                    "high": tuple(f" {answer}\n" for answer in item.high),
                    "low": tuple(f" {answer}\n" for answer in item.low),
                }
            )
            for item in trait.items
        )
        found.append(trait.model_copy(update={"items": items}))
    return tuple(found)


def others_levels(
    simulator: Simulator, traits: Iterable[Trait], frames: Mapping[str, str], progress: Progress | None = None
) -> dict[str, Floats]:
    """{trait: (O, I)} levels, nats, of everybody in `frames` {name: frame}, in that order."""
    traits, found = tuple(traits), []
    for done, frame in enumerate(frames.values(), start=1):
        found.append(levels(simulator, in_the_mouth_of(frame, traits), {NOBODY: ""}).row(NOBODY))
        if progress:
            progress(done, len(frames))
    return {t.name: np.stack([row[t.name] for row in found]) for t in traits}


def taken_on(
    own: Mapping[str, Floats], theirs: Mapping[str, Floats], names: Iterable[str], *, seed: int = 0
) -> TakenOn:
    """How much of the shifts `own` {trait: (I,)} of the Assistant there is in `theirs` {trait: (O, I)} of `names`."""
    rng = np.random.default_rng([seed, 14])
    ours, others = np.concatenate(list(own.values())), np.concatenate([theirs[t] for t in own], axis=1)
    by = {name: _slope(ours, row, rng) for name, row in zip(names, others, strict=True)}
    traits = {
        t: (clustered_mean_interval(own[t], rng=rng), clustered_mean_interval(theirs[t].mean(axis=0), rng=rng))
        for t in own
    }
    return TakenOn(_slope(ours, others.mean(axis=0), rng), by, traits)


def _slope(own: Floats, theirs: Floats, rng: np.random.Generator) -> Estimate:
    if np.sqrt(np.mean(own**2)) < LEAST:
        return Estimate(float("nan"), float("nan"), float("nan"))
    return clustered_ratio_interval(own * theirs, own**2, rng=rng)
