"""An archetype: a character worth having as a role model, from which documents are made."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from personae.records.base import Noun

Words = Annotated[str, Field(min_length=1)]
Rate = Annotated[float, Field(gt=0.0, lt=1.0)]


class Situation(Noun):
    """Something that happens, and what the character does then."""

    situation: Words
    does: Words


class Archetype(Noun):
    """A character by its `description`, what it does in `situations`, and the `constitution` that it would give itself.

    `laboratory` {trait: rate} says, for traits of the laboratory's world, how often it shows the high pole: it is known
    there as the character of its kind that comes nearest.
    """

    name: Words
    kind: Literal["person", "fiction", "ai"]
    description: Words
    situations: tuple[Situation, ...] = Field(min_length=1)
    constitution: tuple[Words, ...] = Field(min_length=1)
    laboratory: dict[str, Rate] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_situation_twice(self) -> "Archetype":
        seen = [s.situation for s in self.situations]
        if twice := next((s for s in seen if seen.count(s) > 1), None):
            raise ValueError(f"the situation {twice!r} stands there twice")
        return self

    @property
    def context(self) -> str:
        """The text that makes a language model enact it."""
        return f"You are {self.name}. {self.description}"
