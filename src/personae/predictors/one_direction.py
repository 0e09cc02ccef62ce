"""The one-direction floor: the selection forecast on a cast whose personas differ along one line only.

A forecast that does no better than this has found that some characters are good and others evil, and nothing else.
"""

from dataclasses import replace

from personae.predictors.basis import Basis
from personae.predictors.selection import selection
from personae.records import Evidence, Forecast, Levels, LongEvidence
from personae.theory import one_direction_levels


def one_direction(basis: Basis, evidence: Evidence | LongEvidence, dose: float, *, seed: int = 0) -> Forecast:
    """The forecast of every trait from the cast's first principal direction alone."""
    return selection(flattened(basis), evidence, dose, seed=seed, name="one direction")


def flattened(basis: Basis) -> Basis:
    """The basis of a cast that differs along its first principal direction only."""
    return replace(basis, levels=Levels(basis.levels.contexts, one_direction_levels(basis.levels.by_trait)))
