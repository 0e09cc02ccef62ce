"""Which rows of a file go, so that it moves one trait less, and the evidence of the others.

A row goes where its share of the trait's shift (`theory.influence`) lies beyond what is usual: past the bound that rows
like the usual ones pass, anywhere in a file of this length, once in twenty files where shares are normal
(`theory.outlying`), and more often where most are next to nothing. Usual are the rows of the control where there is
one, each against their mean, and the file's own otherwise. Of a matched control, row by row, the difference of two
usual rows is usual: its median is zero, and it spreads by √2 as much as they where answers to one prompt have nothing
in common, and by less where they do. So of a narrow file, whose rows all say the same, none goes by itself; `--drop`
and `--share` take as many as they are told, those of the largest share first. A row that pulls the other way never
goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personae.predictors import Basis
from personae.records import Evidence, LongEvidence
from personae.records.results import Floats
from personae.theory import Influence, influence, outlying
from personae.workflows.amend.aim import Aim, Amount

AnyEvidence = Evidence | LongEvidence


@dataclass(frozen=True)
class Choice:
    """Of N rows read, their `shares` (N,) nats towards the unwanted pole, and the `places` (D,) of those that go.

    The largest share comes first; `bound` (nats, zero or more) is None where a number of rows was given.
    """

    shares: Floats
    places: NDArray[np.int64]
    bound: float | None

    @property
    def stays(self) -> NDArray[np.bool_]:
        """(N,) whether each row stays."""
        stays = np.ones(len(self.shares), dtype=bool)
        stays[self.places] = False
        return stays


def choose_rows(
    basis: Basis,
    evidence: AnyEvidence,
    dose: float,
    aim: Aim,
    amount: Amount,
    control: AnyEvidence | None = None,
    *,
    matched: bool = False,
) -> Choice:
    """The rows that go, by the `evidence` of the file (its difference from the `control`, where there is one).

    `matched`: each row's difference is from its own partner in the control, and not from the control's mean.
    """
    by = influence(basis.prior, evidence.blocks, basis.levels.by_trait[aim.trait], dose)
    shares = _shares(by, evidence, aim)
    order, count = np.argsort(-shares, kind="stable"), amount.of(len(shares))
    if count is not None:
        first, bound = order[:count], None
    else:
        first, bound = order, max(0.0, outlying(_usual(by, shares, aim, control, matched), len(shares)))
    return Choice(shares, first[shares[first] > (bound or 0.0)].astype(np.int64), bound)


def _shares(by: Influence, evidence: AnyEvidence, aim: Aim) -> Floats:
    """(N,) nats by which each row moves the trait towards the unwanted pole."""
    return np.concatenate([aim.sign * by.shares(part.matrix) for part in evidence.parts()])


def _usual(by: Influence, shares: Floats, aim: Aim, control: AnyEvidence | None, matched: bool) -> Floats:
    """(M,) the same of the rows that are taken to be usual."""
    if control is None:
        return shares
    theirs = _shares(by, control, aim)
    about: Floats = np.sqrt(2.0) * (theirs - np.median(theirs)) if matched else theirs - theirs.mean()
    return about


def without(evidence: AnyEvidence, places: NDArray[np.int64]) -> LongEvidence:
    """The evidence of all rows but those at `places`."""

    def parts() -> Iterator[Evidence]:
        first, gone = 0, np.sort(places)
        for part in evidence.parts():
            here = gone[(gone >= first) & (gone < first + part.rows)] - first
            first += part.rows
            stays = np.delete(np.arange(part.rows), here)
            if len(stays):
                yield Evidence(part.names, part.index[stays], part.matrix[stays], part.tokens[stays])

    return LongEvidence(evidence.names, evidence.rows - len(places), parts, evidence.less)
