"""The laboratory's world: characters whose every probability is declared, their documents, and exact inference.

`declared.yaml` holds the truth, `text.yaml` the wordings; `fresh` redraws the truth by a seed;
`world_named` knows these and the variants of the declared world.
"""

from personae.world.declared import Variable, World, declared, fresh
from personae.world.documents import documents
from personae.world.exact import ExactSimulator
from personae.world.language import Language
from personae.world.nouns import cast, episodes, traits
from personae.world.variants import world_named, world_names

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
    "world_named",
    "world_names",
]
