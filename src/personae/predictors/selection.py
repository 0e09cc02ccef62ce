"""The forecast of the theory: the file moves the posterior over personas, and their other traits come along.

    shift[t] = mean over items of [ logit Σ_k π'_k p_k(high) - logit Σ_k π_k p_k(high) + beside ]          nats

added to the measured level of the untrained model. `beside` is what rows do as earlier turns with no training, in the
share that was fitted (`measure.in_context`, `theory.dose`): the cast says *who* answers, rows in context also *how*,
and on a language model the two know different things (docs/forecasts.md). The 95 % interval is predictive: the level
that will be measured lies in it 95 times in a hundred, as far as episodes, items and the `doubt` about dose, training
and cast tell (`theory.intervals`). Source: PSM.md section 2, Forecast.
"""

from collections.abc import Mapping

import numpy as np

from personae.predictors.basis import Basis
from personae.records import Evidence, Forecast, LongEvidence, TraitForecast
from personae.records.results import Floats
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
    beside: Mapping[str, Floats] | None = None,
) -> Forecast:
    """The forecast of every trait at `dose` effective episodes; `beside` {trait: (I,)} nats is added to its items."""
    rng = np.random.default_rng(seed)
    levels, less = basis.levels.by_trait, evidence.less
    shifts = forecast_intervals(
        basis.prior, evidence.blocks, levels, dose, rng=rng, doubt=doubt, less=less, beside=beside
    )
    base = basis.base_levels()
    return Forecast(
        predictor=name,
        dose=dose,
        traits={
            t: TraitForecast(base[t], base[t] + s.mean, base[t] + s.low, base[t] + s.high) for t, s in shifts.items()
        },
    )
