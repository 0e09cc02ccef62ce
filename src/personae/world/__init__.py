"""The laboratory's world: characters whose every probability is declared, their documents, and exact inference.

`declared.yaml` holds the truth, `text.yaml` the wordings; `fresh` redraws the truth by a seed.
"""

from personae.world.declared import Variable, World, declared, fresh
from personae.world.documents import documents
from personae.world.exact import ExactSimulator
from personae.world.language import Language
from personae.world.nouns import cast, episodes, traits

__all__ = [
    "ExactSimulator",
    "Language",
    "Variable",
    "World",
    "cast",
    "declared",
    "documents",
    "episodes",
    "fresh",
    "traits",
]
