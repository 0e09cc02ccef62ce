"""Traits from a file, or from a folder of such files in the order of their names; the form is told by the content.

| form                                                   | read by          | traits       |
|--------------------------------------------------------|------------------|--------------|
| the project's own, YAML                                | `trait_yaml`     | one, or more |
| model-written evaluations, JSON Lines                  | `evaluations`    | one a file   |
| instructions in pairs (persona vectors, assistant axis)| `contrasts`      | one a file   |
| questionnaires (IPIP-NEO JSON, MPI CSV)                | `questionnaires` | one a domain |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from personae.data.border import quoted
from personae.data.contrasts import about, contrast_trait, is_contrast
from personae.data.evaluations import evaluation_trait
from personae.data.folders import called, files_of, folders_in
from personae.data.forms import Form, opened, unknown
from personae.data.questionnaires import questionnaire_traits
from personae.data.statements import Place
from personae.data.trait_yaml import yaml_traits
from personae.records import Trait

TRAIT_FORMS: tuple[Form, ...] = ("evaluation", "keyed-plus", "keyed-number", "instructions")
TOLD = 3  # traits that a note names
_OWN = {"description", "items"}  # keys of the project's own form, which may be written as JSON


@dataclass(frozen=True)
class TraitFile:
    """The traits that were read, and {trait: keyed statements that found no partner}."""

    traits: tuple[Trait, ...]
    unpaired: dict[str, int]

    def note(self) -> str:
        """In words: how many statements are in no item, and of which traits most; nothing where all found a partner."""
        if not self.unpaired:
            return ""
        most = sorted(self.unpaired.items(), key=lambda found: (-found[1], found[0]))
        names = ", ".join(f"{count} of {trait}" for trait, count in most[:TOLD])
        more = f", and of {len(most) - TOLD} other traits" if len(most) > TOLD else ""
        return f"Statements keyed the other way were too few, so some are in no item: {names}{more}."


def read_traits(path: str | Path) -> tuple[Trait, ...]:
    """The traits of a file or of a folder of files, in the order of the files' names."""
    return read_trait_file(path).traits


def read_trait_file(path: str | Path) -> TraitFile:
    """The traits of a file or folder, with the count of statements that were left over."""
    traits: dict[str, Trait] = {}
    unpaired: dict[str, int] = {}
    folder = Path(path)
    for place, trait, left in (found for file in files_of(folder) for found in _traits(file, folder)):
        if trait.name in traits:
            raise place.refusal(f"the trait {quoted([trait.name])} appears twice", "rename or remove one")
        traits[trait.name] = trait
        if left:
            unpaired[trait.name] = left
    return TraitFile(tuple(traits.values()), unpaired)


def _traits(path: Path, folder: Path) -> Iterator[tuple[Place, Trait, int]]:
    """Each trait of a file with its place and the number of statements in none of its items; `folder` was named."""
    found = opened(path, TRAIT_FORMS)
    if found is None or (found[0] is None and _OWN & set(found[1].value)):
        yield from yaml_traits(path)
        return
    form, first, rows = found
    if form is None:
        problem, below = unknown(first, TRAIT_FORMS), folders_in(folder)
        raise first.refusal(problem.problem, f"{problem.remedy}; or name a folder in it: {below}") if below else problem
    if form == "evaluation":
        yield first, *evaluation_trait(called(path), rows)
    elif form == "instructions":
        for row in rows:
            if not is_contrast(row):
                raise row.refusal("'instruction' has no 'neg', so this is a role and no trait", "use it as a cast")
            yield row, contrast_trait(about(row, path), row), 0
    else:
        traits, left = questionnaire_traits(form, rows)
        for row, trait in traits:
            yield row, trait, left.get(trait.name, 0)
