"""The audit: what a data set says about who the Assistant is, and what else would change, before any training.

    episodes + cast -> evidence -> posterior -> forecast, and the episodes that do it

With a control, a matched file of the same form, evidence is the difference from it: row by row where both answer the
same prompts, else from the control's mean. The same function runs on an exact world and on any language model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from personae.predictors import Basis, selection
from personae.records import Episode, Evidence, Forecast, Posterior
from personae.report.content import DosePath, Telling
from personae.theory import against, attribution, posterior, posterior_path
from personae.theory.intervals import SAMPLED, Doubt
from personae.workflows.words import reveals

TELLING = 12  # episodes shown
PATH = 25  # doses along which the posterior is drawn


@dataclass(frozen=True)
class Audit:
    """What was found; `evidence` is the difference from the control where there is one."""

    basis: Basis
    evidence: Evidence
    posterior: Posterior
    forecast: Forecast
    path: DosePath
    bits: tuple[float, ...]  # of every episode: its share of how far the posterior moved
    telling: tuple[Telling, ...]


def audit(
    basis: Basis,
    episodes: Sequence[Episode],
    evidence: Evidence,
    dose: float,
    *,
    seed: int = 0,
    doubt: Doubt = SAMPLED,
) -> Audit:
    """Posterior, forecast and most telling episodes, from `evidence` of `episodes` at `dose`, in `doubt`."""
    weights = posterior(basis.prior, evidence.matrix, dose)
    doses = np.concatenate([[0.0], np.geomspace(dose / 8.0, dose * 8.0, PATH - 1)])
    found = attribution(basis.prior, evidence.matrix, dose)
    order = np.argsort(-found.bits, kind="stable")[:TELLING]
    return Audit(
        basis=basis,
        evidence=evidence,
        posterior=Posterior(evidence.names, basis.prior, weights, dose),
        forecast=selection(basis, evidence, dose, seed=seed, doubt=doubt),
        path=DosePath(doses, posterior_path(basis.prior, evidence.matrix, doses.tolist())),
        bits=tuple(float(b) for b in found.bits),
        telling=tuple(_telling(basis, episodes[i], evidence.matrix[i], found.raised(int(i)), i) for i in order),
    )


def difference(treated: Evidence, control: Evidence, *, same_prompts: bool) -> Evidence:
    """Evidence of a file as its difference from a matched control, nats."""
    if same_prompts:
        return replace(treated, matrix=treated.matrix - control.matrix)
    return replace(treated, matrix=against(treated.matrix, control.matrix))


def same_prompts(treated: Sequence[Episode], control: Sequence[Episode]) -> bool:
    """Whether two files answer the same prompts, row by row."""
    return [e.prompt for e in treated] == [e.prompt for e in control]


def _telling(basis: Basis, episode: Episode, row: np.ndarray, raised: list[int], index: int) -> Telling:
    return Telling(
        prompt=episode.prompt[-1].content if episode.prompt else "",
        response=episode.response,
        bits=float(row.max() / np.log(2.0)),
        reveals=reveals(basis, row, raised),
        personas=tuple(basis.cast.names[k] for k in raised),
        index=int(episode.index),
    )
