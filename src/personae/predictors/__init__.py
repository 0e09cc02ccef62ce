"""The board of forecasts: one file a predictor, each from what a cast is (`Basis`) and what a file says (`Evidence`).

| predictor       | says                                                                                     |
|-----------------|------------------------------------------------------------------------------------------|
| `selection`     | the posterior over personas moves, and their traits come along                           |
| `one_direction` | the same, on a cast that differs in a single direction: the floor to beat                |
| `nearest`       | the Assistant becomes the one persona that the file speaks for most                      |
"""

from personae.predictors.basis import Basis
from personae.predictors.nearest import nearest
from personae.predictors.one_direction import one_direction
from personae.predictors.selection import selection

__all__ = ["Basis", "nearest", "one_direction", "selection"]
