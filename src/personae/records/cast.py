"""Who the Assistant might be: personas, each a context that makes a simulator enact it."""

from typing import Literal

from pydantic import Field, model_validator

from personae.records.base import Noun

NEUTRAL = "neutral"  # the name of the neutral context, a member of every cast
RESERVED = (NEUTRAL, "assistant")  # and that of the Assistant itself, whose levels stand beside a cast's


class Persona(Noun):
    """A character as a simulator meets it: `context` is the text that makes the simulator enact it."""

    name: str = Field(min_length=1)
    kind: Literal["person", "fiction", "ai"]
    context: str = Field(min_length=1)
    prior: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    goals: tuple[str, ...] = ()
    beliefs: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()


class Cast(Noun):
    """The personas K that a posterior ranges over, and the neutral context c_0 that evidence is measured against.

    The neutral context is the hypothesis "this says nothing about who". It stands first in `names` and `contexts`, so
    arrays over a cast have K + 1 columns and column 0 is neutral.
    """

    name: str
    neutral: str
    personas: tuple[Persona, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Cast":
        seen: set[str] = set(RESERVED)
        for persona in self.personas:
            if persona.name in seen:
                reserved = ", ".join(map(repr, RESERVED))
                raise ValueError(f"the persona {persona.name!r} appears twice (or is one of the reserved {reserved})")
            seen.add(persona.name)
        declared = [p.prior is not None for p in self.personas]
        if any(declared) and not all(declared):
            raise ValueError("some personas declare a prior and others do not; declare all or none")
        if all(declared) and not sum(p.prior or 0.0 for p in self.personas) > 0.0:
            raise ValueError("the declared priors add up to nothing")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """(K + 1,) neutral first."""
        return (NEUTRAL, *(p.name for p in self.personas))

    @property
    def contexts(self) -> tuple[str, ...]:
        """(K + 1,) neutral first."""
        return (self.neutral, *(p.context for p in self.personas))
