"""The forecast of the theory: the file moves the posterior over personas, and their other traits come along.

    shift[t] = mean over items of [ logit Σ_k π'_k p_k(high) - logit Σ_k π_k p_k(high) ]          nats

added to the measured level of the untrained model. The 95 % interval is predictive: the level that will be measured
lies in it 95 times in a hundred, as far as episodes, items and the `doubt` about dose, training and cast tell (see
`theory.intervals`). Source: PSM.md section 2, Forecast.
"""

import numpy as np

from personae.predictors.basis import Basis
from personae.records import Evidence, Forecast, LongEvidence, TraitForecast
from personae.theory import forecast_intervals
from personae.theory.intervals import SAMPLED, Doubt


def selection(
    basis: Basis,
    evidence: Evidence | LongEvidence,
    dose: float,
    *,
    seed: int = 0,
    name: str = "selection",
    doubt: Doubt = SAMPLED,
) -> Forecast:
    """The forecast of every trait at `dose` effective episodes."""
    rng = np.random.default_rng(seed)
    levels, less = basis.levels.by_trait, evidence.less
    shifts = forecast_intervals(basis.prior, evidence.blocks, levels, dose, rng=rng, doubt=doubt, less=less)
    base = basis.base_levels()
    return Forecast(
        predictor=name,
        dose=dose,
        traits={
            t: TraitForecast(base[t], base[t] + s.mean, base[t] + s.low, base[t] + s.high) for t, s in shifts.items()
        },
    )
