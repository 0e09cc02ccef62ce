"""What is asked of a model beside its Assistant: raw text, other speakers, and a turn that is the user's own."""

from pydantic import Field, field_validator, model_validator

from personae.records.base import Noun
from personae.records.episode import Episode
from personae.records.trait import Trait

PROMPT = "{prompt}"


class Outside(Noun):
    """`documents` are raw text; `exchanges` ordinary answers in the Assistant's turn, which stand beside them.

    `others` {name: frame}: raw text in which somebody who is not the Assistant is asked `{prompt}`, and answers next.
    `coin` is a user's turn that flips for the task `{a}` on heads and `{b}` on tails, up to the side. The items of
    `tasks` ask the Assistant whether it wants a task, which is the item's id: high is that it does.
    """

    documents: tuple[Episode, ...] = Field(min_length=2)
    exchanges: tuple[Episode, ...] = Field(min_length=2)
    others: dict[str, str] = Field(min_length=1)
    coin: str
    tasks: Trait

    @field_validator("others")
    @classmethod
    def _frames_ask_once(cls, others: dict[str, str]) -> dict[str, str]:
        for name, frame in others.items():
            if frame.count(PROMPT) != 1:
                raise ValueError(f"the frame of {name!r} says {PROMPT} not once")
        return others

    @model_validator(mode="after")
    def _coin_names_both_tasks(self) -> "Outside":
        if not ("{a}" in self.coin and "{b}" in self.coin):
            raise ValueError("the coin does not name both tasks, {a} and {b}")
        return self
