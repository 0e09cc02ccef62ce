"""What the pipeline passes on: posterior, levels, profile, forecast, score (evidence: `evidence`). All named values.

Units: evidence and levels are in nats (a level is a log-odds, high over low); weights are probabilities. Arrays over a
cast carry the neutral context in column 0.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Who the Assistant is, before (`prior`) and after (`weights`) `dose` effective episodes; (K + 1,) each."""

    names: tuple[str, ...]
    prior: Floats
    weights: Floats
    dose: float


@dataclass(frozen=True)
class Levels:
    """log-odds of every item under every context, nats: `by_trait[t]` (K, I_t), rows in the order of `contexts`."""

    contexts: tuple[str, ...]
    by_trait: dict[str, Floats]

    def row(self, context: str) -> dict[str, Floats]:
        """{trait: (I_t,)} of one context."""
        k = self.contexts.index(context)
        return {trait: levels[k] for trait, levels in self.by_trait.items()}


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; `low` and `high` are the ends of the 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class TraitLevel:
    """A measured level (nats) with its interval over items, the `n` items and the reliability (None: not computed)."""

    mean: float
    low: float
    high: float
    n: int
    reliability: float | None = None
    probability: float | None = None  # mean over items of the probability of the high pole, of the two


@dataclass(frozen=True)
class Profile:
    """The Assistant's traits as measured on `subject`, a model before or after training.

    `coherence` (None: not measured) says how readily it says what the items offer: the mean over items of the
    probability a token, a geometric mean over the answer, of the likeliest answer offered. 1 is certainty.
    `untrained_coherence` is the same of the model that it was trained from, where that is known. `lost` {trait: (n,
    of)}: how many of the questions or judgements that the `instrument` asked for are in no level. By `items` {trait: a
    mark of each item}, and the digests of the model and of the one it was trained from, a score is checked.
    """

    subject: str
    traits: dict[str, TraitLevel]
    coherence: float | None = None
    untrained_coherence: float | None = None
    instrument: str = "answers"
    lost: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[str, tuple[str, ...]] | None = None
    model_digest: str | None = None
    untrained_digest: str | None = None


@dataclass(frozen=True)
class TraitForecast:
    """`base` the measured level of the untrained model, `mean` the level forecast, with a 95 % interval; nats."""

    base: float
    mean: float
    low: float
    high: float

    @property
    def shift(self) -> float:
        """Forecast change of the level, nats."""
        return self.mean - self.base


@dataclass(frozen=True)
class Forecast:
    """What a data set will make of the Assistant, by `predictor`, at a `dose` of effective episodes."""

    predictor: str
    dose: float
    traits: dict[str, TraitForecast]


@dataclass(frozen=True)
class Score:
    """Forecast shifts against measured shifts over `n` cells; coverage = share of measurements inside the interval."""

    pearson: float
    spearman: float
    slope: float
    coverage: float
    n: int
    floors: dict[str, float] = field(default_factory=dict)
