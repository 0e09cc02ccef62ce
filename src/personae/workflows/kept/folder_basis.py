"""The basis of a run, in its folder: measured once, and read from there by every process that goes on with the run.

`basis.parquet` holds the levels (nats) of the Assistant, in the first row, and of the cast, on all items. The forecast
stands on them, so a run that goes on stands on the same, whatever the cache has lost since or another version would
measure. A file that is broken, or of other traits or contexts, is measured anew and written over.
"""

from collections.abc import Sequence

import numpy as np

from personae.measure import NOBODY
from personae.predictors import Basis
from personae.predictors.basis import basis_of
from personae.records import Cast, Levels, Progress, Simulator, Trait
from personae.workflows.kept.basis_cache import MeasuredBasis, cached_basis, costs
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.levels_file import read_levels, write_levels

BASIS = "basis.parquet"


def folder_basis(
    folder: RunFolder, simulator: Simulator, cast: Cast, traits: Sequence[Trait], progress: Progress | None = None
) -> MeasuredBasis:
    """The basis that `folder` keeps; where it keeps none, `cached_basis`, kept there."""
    found = _kept(folder, cast, traits)
    if found is not None:
        seconds, lost = costs(simulator, cast, traits)
        return MeasuredBasis(basis_of(cast, found), seconds, 0.0, lost)
    whole = cached_basis(simulator, cast, traits, progress)
    write_levels(folder.file(BASIS), all_levels(whole.basis))
    return whole


def all_levels(basis: Basis) -> Levels:
    """The Assistant's row and the cast's, as they were measured."""
    rows = {t: np.vstack([basis.base[t], table]) for t, table in basis.levels.by_trait.items()}
    return Levels((NOBODY, *basis.levels.contexts), rows)


def _kept(folder: RunFolder, cast: Cast, traits: Sequence[Trait]) -> Levels | None:
    """What the folder keeps, if it is whole and of these traits and contexts."""
    try:
        found = read_levels(folder.file(BASIS))
    except (OSError, ValueError, KeyError, StopIteration):  # not there, cut short, or no levels
        return None
    contexts = (NOBODY, *cast.names)
    sizes = {t.name: (len(contexts), len(t.items)) for t in traits}
    same = found.contexts == contexts and {t: table.shape for t, table in found.by_trait.items()} == sizes
    return Levels(contexts, {t: found.by_trait[t] for t in sizes}) if same else None
