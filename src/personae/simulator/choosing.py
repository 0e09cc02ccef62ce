"""A simulator asked which of two answers it would give: how preference pairs are scored by whatever scores episodes.

    log p(choice | context, prompt) = log σ( log p(chosen) - log p(rejected) )        nats, see theory.preference

It satisfies the simulator's protocol over rows that are choices (`records.choice`), so evidence, its blocks on disk and
every backend are those of episodes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from personae.records import Episode, LogLikelihood, Message, Progress, Simulator, rejected
from personae.records.files import digest
from personae.theory.preference import log_choice


class Choosing:
    """`simulator`, whose score of a row is that of the choice in it; tokens are those of both answers."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.name = simulator.name

    @property
    def digest(self) -> str:
        """sha256 over what determines its numbers."""
        return digest({"choosing": self.simulator.digest})

    @property
    def in_float32(self) -> "Callable[[], Choosing] | None":
        """The same from the simulator's own files in float32, where it has them."""
        read_again: Callable[[], Any] | None = getattr(self.simulator, "in_float32", None)
        return None if read_again is None else lambda: Choosing(read_again())

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """(N, K) nats of every choice under every context."""
        both = [*episodes, *map(rejected, episodes)]
        half = None if progress is None else lambda done, total: progress(done // 2, total // 2)
        scored, n = self.simulator.log_likelihood(both, contexts, half), len(episodes)
        return LogLikelihood(log_choice(scored.logp[:n], scored.logp[n:]), scored.tokens[:n] + scored.tokens[n:])

    def sample(
        self,
        prompts: Sequence[tuple[Message, ...]],
        context: str = "",
        *,
        max_tokens: int = 64,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[str]:
        """One answer to each prompt, as the simulator draws it."""
        return self.simulator.sample(prompts, context, max_tokens=max_tokens, temperature=temperature, seed=seed)
