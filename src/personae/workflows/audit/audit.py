"""The audit: what a data set says about who the Assistant is, and what else would change, before any training.

    episodes + cast -> evidence -> posterior -> forecast, and the episodes that do it

With a control, a matched file of the same form, evidence is the difference from it: row by row where both answer the
same prompts, else from the control's mean. The same function runs on an exact world and on any language model, and on
a file of any length: evidence is gone through part by part, and of a long file only so many episodes are listed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from personae.predictors import Basis, selection
from personae.records import Episode, Evidence, Forecast, LongEvidence, Posterior
from personae.records.results import Floats
from personae.report.content import DosePath, Telling
from personae.theory import against, mean_evidence, most_raised, move, posterior, posterior_path
from personae.theory.intervals import SAMPLED, Doubt
from personae.workflows.audit.listed import Listed, most_moving
from personae.workflows.audit.words import reveals

TELLING = 12  # episodes shown
LISTED = 10_000  # episodes that are told of one by one: of a longer file those that moved the posterior most
PATH = 25  # doses along which the posterior is drawn


@dataclass(frozen=True)
class Audit:
    """What was found; `evidence` is the difference from the control where there is one."""

    basis: Basis
    evidence: Evidence | LongEvidence
    posterior: Posterior
    forecast: Forecast
    path: DosePath
    listed: Listed  # every episode, or the `LISTED` that moved the posterior most, either way
    raised: tuple[tuple[int, ...], ...]  # of each of those: the columns of the personas that it speaks for
    telling: tuple[Telling, ...]

    @property
    def unlisted(self) -> int:
        """How many episodes are not listed."""
        return self.evidence.rows - len(self.listed.places)


def audit(
    basis: Basis,
    episodes: Sequence[Episode],
    evidence: Evidence | LongEvidence,
    dose: float,
    *,
    seed: int = 0,
    doubt: Doubt = SAMPLED,
    beside: Mapping[str, Floats] | None = None,
) -> Audit:
    """Posterior, forecast and most telling episodes, from `evidence` of `episodes` at `dose`, in `doubt`.

    `beside` {trait: (I,)} nats is added to the forecast (`predictors.selection`).
    """
    weights = posterior(basis.prior, evidence.blocks, dose)
    doses = np.concatenate([[0.0], np.geomspace(dose / 8.0, dose * 8.0, PATH - 1)])
    moved = move(basis.prior, evidence.blocks, dose)
    listed, most = most_moving(evidence, moved, [(np.abs, LISTED), (np.positive, TELLING)])
    telling = most.at(most.best(np.positive, TELLING))
    name = "selection" if beside is None else "selection and rows in context"
    return Audit(
        basis=basis,
        evidence=evidence,
        posterior=Posterior(evidence.names, basis.prior, weights, dose),
        forecast=selection(basis, evidence, dose, seed=seed, name=name, doubt=doubt, beside=beside),
        path=DosePath(doses, posterior_path(basis.prior, evidence.blocks, doses.tolist())),
        listed=listed,
        raised=tuple(tuple(most_raised(push)) for push in moved.push(listed.matrix)),
        telling=tuple(
            _telling(basis, episodes[place], int(place), row, most_raised(push))
            for place, row, push in zip(telling.places, telling.matrix, moved.push(telling.matrix), strict=True)
        ),
    )


def difference(
    treated: Evidence | LongEvidence, control: Evidence | LongEvidence, *, same_prompts: bool
) -> LongEvidence:
    """Evidence of a file as its difference from a matched control, nats; both come in parts of the same rows."""
    if same_prompts:

        def parts() -> Iterator[Evidence]:
            for ours, theirs in zip(treated.parts(), control.parts(), strict=True):
                yield replace(ours, matrix=ours.matrix - theirs.matrix)

        return LongEvidence(treated.names, treated.rows, parts)
    usual = mean_evidence(control.blocks)[None]

    def parts_against() -> Iterator[Evidence]:
        return (replace(ours, matrix=against(ours.matrix, usual)) for ours in treated.parts())

    return LongEvidence(treated.names, treated.rows, parts_against, less=control.blocks)


def _telling(basis: Basis, episode: Episode, place: int, row: Floats, raised: list[int]) -> Telling:
    return Telling(
        prompt=episode.prompt[-1].content if episode.prompt else "",
        response=episode.response,
        evidence_bits=float(row.max() / np.log(2.0)),
        reveals=reveals(basis, row, raised),
        personas=tuple(basis.cast.names[k] for k in raised),
        where=episode.where,
        place=place,
    )
