"""The two parts of a trait's items: a fixed quarter measures attenuation, the others score.

Source: PSM.md section 2, Attenuation and character.
"""

import numpy as np

from personae.records import Trait
from personae.theory import attenuation_items


def quarter(trait: Trait) -> Trait:
    """The trait with the items that measure attenuation: of fewer than four there are none."""
    return trait.at(np.flatnonzero(attenuation_items(len(trait.items))))


def scoring(trait: Trait) -> Trait:
    """The trait with the items that score."""
    return trait.at(np.flatnonzero(~attenuation_items(len(trait.items))))
