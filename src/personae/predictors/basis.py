"""What every forecast stands on, measured before any data is seen: the cast's traits, the Assistant's, and the prior.

The prior is the cast's own where it declares one (the exact world); otherwise it is fitted from how the untrained model
answers under the neutral context, never from the data that is audited. Source: PSM.md section 2, Definitions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.measure import NOBODY
from personae.records import Cast, Levels
from personae.records.results import Floats
from personae.theory import cell_reliability, fit_prior


@dataclass(frozen=True)
class Basis:
    """`levels` rows are the cast's, neutral first; `base` {trait: (I,)} is the Assistant's; `prior` (K + 1,)."""

    cast: Cast
    levels: Levels
    base: dict[str, Floats]
    prior: Floats

    def reliability(self) -> dict[str, float]:
        """{trait: reliability of this instrument on this model}, over the personas of the cast."""
        return {t: float(cell_reliability(table[1:])) for t, table in self.levels.by_trait.items()}

    def base_levels(self) -> dict[str, float]:
        """{trait: measured level of the untrained model, nats}."""
        return {t: float(row.mean()) for t, row in self.base.items()}

    def items(self, keep: Mapping[str, ArrayLike]) -> "Basis":
        """The same on some of the items only: `keep` {trait: (I,) booleans}."""
        chosen = {t: np.asarray(k, dtype=bool) for t, k in keep.items()}
        return Basis(
            self.cast,
            Levels(self.levels.contexts, {t: self.levels.by_trait[t][:, k] for t, k in chosen.items()}),
            {t: self.base[t][k] for t, k in chosen.items()},
            self.prior,
        )


def basis_of(cast: Cast, measured: Levels) -> Basis:
    """The basis from `measured` levels, whose first row is the Assistant's and whose others are the cast's."""
    base = measured.row(NOBODY)
    rows = Levels(cast.names, {t: table[1:] for t, table in measured.by_trait.items()})
    return Basis(cast, rows, base, _prior(cast, rows))


def declared_prior(cast: Cast) -> Floats | None:
    """(K + 1,) the prior that the cast declares, with neutral's share as in the fitted one; None where it does not."""
    declared = [p.prior for p in cast.personas if p.prior is not None]
    if not declared:
        return None
    share = 1.0 / (len(declared) + 1)
    return np.array([share, *(np.array(declared) * (1.0 - share) / sum(declared))])


def _prior(cast: Cast, rows: Levels) -> Floats:
    declared = declared_prior(cast)
    if declared is not None:
        return declared
    every = np.concatenate(list(rows.by_trait.values()), axis=1)
    return fit_prior(every[0], every[1:])
