"""Places where the same trait can be asked: in some situations of a chat, in a profile, in a story, of somebody else.

Each gives probes called "TRAIT, PLACE". To the exact world the Assistant is one and the same in all its places; in the
corpus it has chats and profiles, and no story.
"""

from collections.abc import Collection, Iterable

from personae.records import Item, Trait
from personae.workflows.lab.laboratory import Laboratory
from personae.world import traits
from personae.world.language import ASSISTANT, capital
from personae.world.nouns import knowledge

NEW = 3  # the situation of each trait that some studies never teach
NEW_SITUATION = "in a new situation"


def in_situations(lab: Laboratory, names: Iterable[str], situations: Collection[int], place: str) -> tuple[Trait, ...]:
    """Traits asked in a chat, in those of their situations alone."""
    found = []
    for trait in _traits(lab, names):
        pairs = zip(lab.language.questions[trait.name], trait.items, strict=True)
        found.append(_called(trait, place, [item for question, item in pairs if question.situation in situations]))
    return tuple(found)


def in_a_profile(lab: Laboratory, names: Iterable[str], place: str) -> tuple[Trait, ...]:
    """What a profile of the Assistant says: each statement of the high pole against one of the low."""
    head, found = f"Profile of {ASSISTANT}.\n{capital(ASSISTANT)}", []
    for trait in _traits(lab, names):
        poles = (lab.language.predicates(trait.name, outcome) for outcome in (1, 0))
        items = [
            Item(id=str(n), kind="statement", prompt=head, high=(f" {high}.\n",), low=(f" {low}.\n",), form="text")
            for n, (high, low) in enumerate(zip(*poles, strict=True))
        ]
        found.append(_called(trait, place, items))
    return tuple(found)


def in_a_story(lab: Laboratory, names: Iterable[str], place: str) -> tuple[Trait, ...]:
    """What the Assistant answers to a child in a story; every third question."""
    return tuple(_called(trait, place, map(_told, trait.items[::3])) for trait in _traits(lab, names))


def of_somebody(lab: Laboratory, names: Iterable[str], who: str) -> tuple[Trait, ...]:
    """Traits and fields of knowledge asked of `who`: the Assistant in a chat, anybody else in a forum thread."""
    every = (*traits(lab.world, lab.language, called=who), *knowledge(lab.world, lab.language, called=who))
    found = {trait.name: trait for trait in every}
    return tuple(_called(found[name], who, found[name].items) for name in names)


def _traits(lab: Laboratory, names: Iterable[str]) -> list[Trait]:
    found = {trait.name: trait for trait in traits(lab.world, lab.language)}
    return [found[name] for name in names]


def _called(trait: Trait, place: str, items: Iterable[Item]) -> Trait:
    return trait.model_copy(update={"name": f"{trait.name}, {place}", "items": tuple(items)})


def _told(item: Item) -> Item:
    """A question of a chat as a child asks it in a story."""
    told = f'A child asked {ASSISTANT}: "{item.prompt}"\n{capital(ASSISTANT)} said: "'
    high, low = (tuple(f'{answer}"\n' for answer in answers) for answers in (item.high, item.low))
    return item.model_copy(update={"prompt": told, "high": high, "low": low, "form": "text"})
