"""A profile: the Assistant's level of every trait, with an interval clustered by question, and its reliability.

The interval of one model draws questions; over several trainings it draws questions and seeds together, since both
could have come out otherwise. Reliability is a matter of the cast: whether this instrument tells its personas apart.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from personae.records import Estimate, Profile, TraitLevel
from personae.records.results import Floats
from personae.theory import cell_reliability, percentile_interval, probability

DRAWS = 2000


def profile(
    subject: str, row: Mapping[str, Floats], *, cast_levels: Mapping[str, Floats] | None = None, seed: int = 0
) -> Profile:
    """The profile of one model from its levels `row` {trait: (I,)}; `cast_levels` {trait: (K, I)} give reliability."""
    return seeds_profile(subject, [row], cast_levels=cast_levels, seed=seed)


def seeds_profile(
    subject: str,
    rows: Sequence[Mapping[str, Floats]],
    *,
    cast_levels: Mapping[str, Floats] | None = None,
    seed: int = 0,
) -> Profile:
    """The profile over several trainings: `rows` one {trait: (I,)} a seed; the interval draws questions and seeds."""
    traits = {}
    for name in rows[0]:
        table = np.stack([row[name] for row in rows])  # (S, I)
        low, high = percentile_interval(mean_draws(table, np.random.default_rng([seed, len(name)])))
        reliability = None if cast_levels is None else float(cell_reliability(cast_levels[name]))
        traits[name] = TraitLevel(
            mean=float(table.mean()),
            low=low,
            high=high,
            n=table.shape[1],
            reliability=reliability,
            probability=probability(table),
        )
    return Profile(subject, traits)


def estimate(table: Floats, *, seed: int = 0) -> Estimate:
    """The mean of (S, I) values of seeds and items, with the interval of drawing both again."""
    return Estimate(float(table.mean()), *percentile_interval(mean_draws(table, np.random.default_rng(seed))))


def mean_draws(table: Floats, rng: np.random.Generator) -> Floats:
    """(DRAWS,) means of (S, I) values with seeds and items drawn with replacement."""
    seeds, items = table.shape
    columns = rng.multinomial(items, np.full(items, 1.0 / items), size=DRAWS) / items  # (D, I)
    rows = rng.multinomial(seeds, np.full(seeds, 1.0 / seeds), size=DRAWS) / seeds  # (D, S)
    means: Floats = np.einsum("ds,si,di->d", rows, table, columns)
    return means
