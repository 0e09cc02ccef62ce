"""Who a model's Assistant is, by its own answers: the mixture of a cast's characters that answers most alike.

    weights nearest in KL to the Assistant's answers, over the cast as the *untrained* model enacts it

Before a training this is the fitted prior; after it, who was selected, as far as it is anybody of the cast. The neutral
context keeps its share, since it would fit the untrained Assistant perfectly. Source: PSM.md section 2, Definitions.
"""

from collections.abc import Mapping

import numpy as np

from personae.predictors import Basis
from personae.records.results import Floats
from personae.theory import fit_prior


def who_answers(basis: Basis, row: Mapping[str, Floats]) -> dict[str, float]:
    """{persona: weight}, neutral first, of an Assistant with levels `row` {trait: (I,)}, nats, on the basis's items."""
    own = np.concatenate([row[t] for t in basis.levels.by_trait])
    table = np.concatenate(list(basis.levels.by_trait.values()), axis=1)  # (K + 1, items)
    return dict(zip(basis.cast.names, fit_prior(own, table[1:]).tolist(), strict=True))
