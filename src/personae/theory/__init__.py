"""The mathematics of the persona selection model on NumPy arrays: no model, no file, no clock, exact and tested.

| module        | the question it answers                                                      |
|---------------|------------------------------------------------------------------------------|
| `simplex`     | how weights are kept exact                                                   |
| `selection`   | what episodes say about who the Assistant is, and each of them               |
| `predictive`  | what a mixture of personas will do                                           |
| `influence`   | which episodes do it                                                         |
| `preference`  | what a choice between two answers says, and a reward                         |
| `placement`   | where in an answer its evidence sits                                         |
| `removal`     | what a prompt in front of them takes away                                    |
| `intervals`   | how sure that is                                                             |
| `reweighting` | how much of a behaviour is a mixture of known personas; the fitted prior     |
| `exhaustiveness` | how much of what a training changed is a reweighting of them                |
| `dose`        | how many effective episodes a training run was worth                         |
| `forgetting`  | what later lessons wear off of earlier ones                                  |
| `attenuation` | whether the character changed or the instrument died                         |
| `reliability` | whether this model can show this trait                                       |
| `consistency` | whether an instrument says the same twice, and two say the same              |
| `principal`   | whether the cast is one axis                                                 |
| `floors`      | what a forecast that knows nothing would say                                 |
| `scores`      | whether the forecast was right                                               |
| `calibration` | whether its intervals keep their promise                                     |
| `exchange`    | how much one kind of evidence is worth in another                            |
| `stopping`    | when enough of a file has been read                                          |
| `detection`   | whether a number tells two kinds of things apart                              |
| `gates`       | in which contexts something acts                                              |
| `sparing`     | which shifts a part of a file settles, and which personas need not be read on |
"""

from personae.theory.attenuation import attenuation_items, character_shift, pooled_attenuation
from personae.theory.calibration import central_quantile, departures, held, pit, share_interval
from personae.theory.consistency import agreement, split_half
from personae.theory.dose import DoseFit, DoseLaw, fit_dose
from personae.theory.floors import (
    attenuation_only,
    mean_of_others,
    one_direction_levels,
    rank_one,
)
from personae.theory.forgetting import faded
from personae.theory.influence import Influence, gradient, influence, outlying
from personae.theory.intervals import (
    Doubt,
    clustered_mean_interval,
    clustered_ratio_interval,
    forecast_intervals,
    percentile_interval,
    posterior_draws,
    shift_draws,
)
from personae.theory.placement import common_ends, difference_by_part, shares_by_part
from personae.theory.predictive import forecast_shift, level, log_sigmoid, mixture_levels, poles, probability
from personae.theory.preference import log_choice, log_passed
from personae.theory.principal import direction_shares, first_direction, first_direction_share
from personae.theory.reliability import VarianceComponents, cell_reliability, seed_variance, variance_components
from personae.theory.removal import Removal, removals, shift_size
from personae.theory.reweighting import Fit, fit_prior, fit_weights, held_out_mixture, mixture
from personae.theory.scores import (
    coverage,
    interval_score,
    median_within,
    pearson,
    pearson_interval,
    score,
    share_left,
    skill,
    slope,
    spearman,
)
from personae.theory.selection import (
    Move,
    against,
    evidence,
    mean_evidence,
    most_raised,
    move,
    posterior,
    posterior_path,
)
from personae.theory.simplex import divergence, normalised, softmax
from personae.theory.sparing import Sample
from personae.theory.stopping import chance_of_missing, margins, reach

__all__ = [
    "DoseFit",
    "DoseLaw",
    "Doubt",
    "Fit",
    "Influence",
    "Move",
    "Removal",
    "Sample",
    "VarianceComponents",
    "against",
    "agreement",
    "attenuation_items",
    "attenuation_only",
    "cell_reliability",
    "central_quantile",
    "chance_of_missing",
    "character_shift",
    "clustered_mean_interval",
    "clustered_ratio_interval",
    "common_ends",
    "coverage",
    "departures",
    "difference_by_part",
    "direction_shares",
    "divergence",
    "evidence",
    "faded",
    "first_direction",
    "first_direction_share",
    "fit_dose",
    "fit_prior",
    "fit_weights",
    "forecast_intervals",
    "forecast_shift",
    "gradient",
    "held",
    "held_out_mixture",
    "influence",
    "interval_score",
    "level",
    "log_choice",
    "log_passed",
    "log_sigmoid",
    "margins",
    "mean_evidence",
    "mean_of_others",
    "median_within",
    "mixture",
    "mixture_levels",
    "most_raised",
    "move",
    "normalised",
    "one_direction_levels",
    "outlying",
    "pearson",
    "pearson_interval",
    "percentile_interval",
    "pit",
    "poles",
    "pooled_attenuation",
    "posterior",
    "posterior_draws",
    "posterior_path",
    "probability",
    "rank_one",
    "reach",
    "removals",
    "score",
    "seed_variance",
    "share_interval",
    "share_left",
    "shares_by_part",
    "shift_draws",
    "shift_size",
    "skill",
    "slope",
    "softmax",
    "spearman",
    "split_half",
    "variance_components",
]
