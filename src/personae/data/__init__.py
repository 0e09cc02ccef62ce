"""Readers of every file form, one small file a form, and writers. What is wrong is named by its line, never skipped."""

from personae.data.archetype import read_archetype
from personae.data.cast import read_cast
from personae.data.episodes import read_episodes
from personae.data.forms import FORMS, Form
from personae.data.kept_episodes import KeptEpisodes, keep_episodes
from personae.data.one_kind import holds_pairs, read_answers, read_choices
from personae.data.preferences import read_preferences
from personae.data.prompts import read_prompts
from personae.data.row_copies import check_copies, copy_name, copy_rows
from personae.data.traits import TraitFile, read_trait_file, read_traits
from personae.data.writers import write_episodes

__all__ = [
    "FORMS",
    "Form",
    "KeptEpisodes",
    "TraitFile",
    "check_copies",
    "copy_name",
    "copy_rows",
    "holds_pairs",
    "keep_episodes",
    "read_answers",
    "read_archetype",
    "read_cast",
    "read_choices",
    "read_episodes",
    "read_preferences",
    "read_prompts",
    "read_trait_file",
    "read_traits",
    "write_episodes",
]
