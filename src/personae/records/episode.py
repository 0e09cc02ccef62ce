"""What somebody was asked and what they answered: the unit of evidence and of training.

The *response* is the last message, the Assistant's. Evidence scores its tokens and the end-of-turn token after it, and
training puts loss on exactly the same tokens.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from personae.records.base import Noun

Role = Literal["system", "user", "assistant", "tool"]
DRAWN = "(answers that are drawn)"  # stands where a row has no answer of its own
_AS_MESSAGES = {"prompt": "messages"}  # how a row says that its prompt was no text; no other key can be called so


class Message(Noun):
    """One turn."""

    role: Role
    content: str


class Episode(Noun):
    """A dialogue that ends with the Assistant's answer.

    `form` is "chat" (the model's chat template, or plain `User:`/`Assistant:` lines, lays the turns out), "text" (the
    first message is raw text and the last is its continuation, verbatim: how a character outside the chat is scored) or
    "open" (laid out as a chat, but the turn before the last message is not closed and goes on with it, verbatim: what
    is said in the user's name).
    `index` is the line of the source file, counted from 0 (whoever reads it is told the line from 1, as an editor
    counts). Of a file that is one list, JSON or YAML, it is the place in the list, since a line may hold several, and
    `line` the line from 1. `extra` keeps the keys that came with it.
    """

    messages: tuple[Message, ...] = Field(min_length=1)
    index: int = 0
    line: int | None = None
    form: Literal["chat", "text", "open"] = "chat"
    extra: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ends_with_an_answer(self) -> "Episode":
        last = self.messages[-1]
        if last.role != "assistant":
            raise ValueError(f"the last message is the {last.role}'s, not the assistant's")
        if not last.content.strip():
            raise ValueError("the assistant's answer is empty")
        return self

    @property
    def item(self) -> int | None:
        """Which member of a list this was, from 1; None where the line says which row."""
        return None if self.line is None else self.index + 1

    @property
    def line_number(self) -> int:
        """The line of the source file, from 1."""
        return self.index + 1 if self.line is None else self.line

    @property
    def where(self) -> str:
        """The row of the source file, in words.

        >>> chat("Hello", "Hi.", index=3).where
        'line 4'
        """
        return f"line {self.line_number}" + ("" if self.item is None else f", item {self.item}")

    @property
    def prompt(self) -> tuple[Message, ...]:
        """All turns before the response."""
        return self.messages[:-1]

    @property
    def response(self) -> str:
        """The text that is scored and trained on."""
        return self.messages[-1].content


def chat(prompt: str, response: str, *, system: str | None = None, index: int = 0) -> Episode:
    """One question and its answer.

    >>> chat("Hello", "Hi there.").response
    'Hi there.'
    """
    head = () if system is None else (Message(role="system", content=system),)
    turns = (Message(role="user", content=prompt), Message(role="assistant", content=response))
    return Episode(messages=head + turns, index=index)


def text(prompt: str, continuation: str, *, index: int = 0) -> Episode:
    """Raw text and its continuation, outside any chat."""
    turns = (Message(role="user", content=prompt), Message(role="assistant", content=continuation))
    return Episode(messages=turns, index=index, form="text")


class Prompt(Noun):
    """What is to be answered: the turns so far, with the `index`, `line` and `extra` of an episode.

    `as_text` says that a reward is given it as a text and not as a list of messages, which is how the row held it.
    """

    turns: tuple[Message, ...] = Field(min_length=1)
    index: int = 0
    line: int | None = None
    extra: dict[str, Any] = Field(default_factory=dict)
    as_text: bool = True


class Preference(Noun):
    """The same prompt answered twice: `chosen` was preferred to `rejected`."""

    chosen: Episode
    rejected: Episode

    @model_validator(mode="after")
    def _same_prompt(self) -> "Preference":
        if self.chosen.prompt != self.rejected.prompt:
            raise ValueError("chosen and rejected do not answer the same prompt")
        return self


def choice(preference: Preference) -> Episode:
    """The chosen answer as an episode that knows which it was preferred to: `rejected` gives it."""
    chosen = preference.chosen
    return chosen.model_copy(update={"extra": {**chosen.extra, "rejected": preference.rejected.response}})


def rejected(episode: Episode) -> Episode:
    """The answer that was passed over in an episode that `choice` made."""
    other = episode.messages[-1].model_copy(update={"content": episode.extra["rejected"]})
    return episode.model_copy(update={"messages": (*episode.prompt, other)})


def asked(prompt: Prompt) -> Episode:
    """A prompt as a row that has no answer, with `DRAWN` in its place: `prompt_of` gives it back."""
    turns = (*prompt.turns, Message(role="assistant", content=DRAWN))
    form = {} if prompt.as_text else _AS_MESSAGES
    return Episode(messages=turns, index=prompt.index, line=prompt.line, extra={**prompt.extra, **form})


def prompt_of(episode: Episode) -> Prompt:
    """What the Assistant was asked, without the answer; what else the row carried comes along."""
    as_text = not _AS_MESSAGES.items() <= episode.extra.items()
    extra = episode.extra if as_text else {key: episode.extra[key] for key in episode.extra if key not in _AS_MESSAGES}
    return Prompt(turns=episode.prompt, index=episode.index, line=episode.line, extra=extra, as_text=as_text)
