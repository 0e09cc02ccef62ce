"""The nearest-persona floor: the Assistant becomes the one character that the file speaks for most."""

import numpy as np

from personae.predictors.basis import Basis
from personae.records import Evidence, Forecast, LongEvidence, TraitForecast
from personae.theory import forecast_shift, mean_evidence


def nearest(basis: Basis, evidence: Evidence | LongEvidence, dose: float, *, seed: int = 0) -> Forecast:
    """The forecast if the posterior were the best persona with weight 1; `dose` and `seed` change nothing."""
    best = 1 + int(np.argmax(mean_evidence(evidence.blocks)[1:]))
    weights = np.eye(len(basis.prior))[best]
    base, traits = basis.base_levels(), {}
    for trait, table in basis.levels.by_trait.items():
        level = base[trait] + forecast_shift(basis.prior, weights, table)
        traits[trait] = TraitForecast(base[trait], level, level, level)
    return Forecast("nearest", dose, traits)
