"""The one contract at the model border: what a simulator of personas must be able to do.

The *model* is the simulator; the *persona* is a character it enacts, called up by a context. Where a context goes: the
system turn of a chat template (before the episode's own system text, with a blank line between), before the first user
turn where the template knows no system role, a line before the text otherwise. The empty string is no context at all.

| method           | takes                                | gives                                       |
|------------------|--------------------------------------|---------------------------------------------|
| `log_likelihood` | N episodes, K contexts               | (N, K) nats over response tokens, (N,) tokens |
| `sample`         | N prompts (turns so far), one context | N answers                                   |

An exact world, a local language model and a model behind a server all satisfy it, and so does each after training.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from personae.records.episode import Episode, Message

Progress = Callable[[int, int], None]  # (done, total), called as work goes on


def shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    """The progress of a part as that of the whole, of `total`, `before` of which were done when the part began."""
    return None if progress is None else lambda done, _: progress(before + done, total)


@dataclass(frozen=True)
class LogLikelihood:
    """log p(response | context, prompt): `logp` (N, K) nats, summed over the `tokens` (N,) of each response span."""

    logp: NDArray[np.float64]
    tokens: NDArray[np.int64]


@runtime_checkable
class Simulator(Protocol):
    """A predictive distribution over dialogues that contexts can steer."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def digest(self) -> str:
        """sha256 over what determines its numbers; two simulators with one digest agree."""

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """Score every response under every context. Raises `BadInput` for an answer longer than the model's window."""

    def sample(
        self,
        prompts: Sequence[tuple[Message, ...]],
        context: str = "",
        *,
        max_tokens: int = 64,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[str]:
        """Draw one answer to each prompt."""


@runtime_checkable
class SideBySide(Protocol):
    """A simulator that scores several pieces of a file at a time."""

    def side_by_side(
        self, pieces: Iterable[Sequence[Episode]], contexts: Sequence[str]
    ) -> Iterator[tuple[int, LogLikelihood]]:
        """(place, scores) of each piece as it is done, in any order."""


@dataclass(frozen=True)
class TokenScores:
    """log p of every token of one response: `logp` (K, T) nats under each context, of the tokens `ids` (T,).

    `texts` (T,) joined are the response; one is "" for the token that ends it, and for a part of a character.
    """

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    logp: NDArray[np.float64]


@runtime_checkable
class ByToken(Protocol):
    """A simulator that tells the score of a response by token; over its tokens it adds up to `log_likelihood`."""

    def by_token(self, episode: Episode, contexts: Sequence[str]) -> TokenScores:
        """The scores of one response. Raises `BadInput` where it is not the same tokens under all contexts."""
