"""The forecast of the theory: the file moves the posterior over personas, and their other traits come along.

    shift[t] = mean over items of [ logit Σ_k π'_k p_k(high) - logit Σ_k π_k p_k(high) ]          nats

added to the measured level of the untrained model. The 95 % interval comes from resampling episodes, from the doubt
about the cast (reweighted personas) and from resampling items. Source: PSM.md section 2, Forecast.
"""

import numpy as np

from personae.predictors.basis import Basis
from personae.records import Evidence, Forecast, TraitForecast
from personae.theory import forecast_intervals


def selection(basis: Basis, evidence: Evidence, dose: float, *, seed: int = 0, name: str = "selection") -> Forecast:
    """The forecast of every trait at `dose` effective episodes."""
    shifts = forecast_intervals(
        basis.prior, evidence.matrix, basis.levels.by_trait, dose, rng=np.random.default_rng(seed)
    )
    base = basis.base_levels()
    return Forecast(
        predictor=name,
        dose=dose,
        traits={
            t: TraitForecast(base[t], base[t] + s.mean, base[t] + s.low, base[t] + s.high) for t, s in shifts.items()
        },
    )
