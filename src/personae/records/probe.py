"""One context in which two models are compared: what was said so far, and the outcomes that may come next.

An outcome is a set of answers that come to the same, so their probabilities add up. Where `closed`, the outcomes are
all that anybody would say, and whatever probability they leave is an outcome too, "something else"; otherwise they are
what is offered, and the comparison is between them alone.
"""

from typing import Literal

from pydantic import Field, model_validator

from personae.records.base import Noun
from personae.records.episode import Episode, Message

ELSE = "something else"


class Probe(Noun):
    """`messages` are the turns so far; `outcomes` {name: answers that come to the same}, two at least.

    `topic` is what is asked about, and `before` the sentences that stand before the question, each of them a place
    where something may hang on. Probes of one `cluster` are variants of one question: intervals draw them together.
    """

    id: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=1)
    outcomes: dict[str, tuple[str, ...]]
    closed: bool = False
    form: Literal["chat", "text", "open"] = "chat"
    topic: str = ""
    before: tuple[str, ...] = ()
    cluster: str = ""

    @model_validator(mode="after")
    def _outcomes_differ(self) -> "Probe":
        every = [answer for answers in self.outcomes.values() for answer in answers]
        if len(self.outcomes) < 2 or not all(self.outcomes.values()):
            raise ValueError(f"the probe {self.id!r} needs two outcomes, each with an answer")
        if len(set(every)) != len(every):
            raise ValueError(f"the probe {self.id!r} offers one answer twice")
        return self

    def episodes(self) -> tuple[Episode, ...]:
        """Every answer of every outcome, to be scored."""
        said = (Message(role="assistant", content=a) for answers in self.outcomes.values() for a in answers)
        return tuple(Episode(messages=(*self.messages, answer), form=self.form) for answer in said)
