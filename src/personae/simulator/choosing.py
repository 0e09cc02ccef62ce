"""A simulator asked which of two answers it would give: how preference pairs are scored by whatever scores episodes.

    log p(choice | context, prompt) = log σ( log p(chosen) - log p(rejected) )        nats, see theory.preference

It satisfies the simulator's protocol over rows that are choices (`records.choice`), so evidence, its blocks on disk and
every backend are those of episodes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from personae.records import Episode, LogLikelihood, Message, Progress, SideBySide, Simulator, rejected
from personae.records.files import digest
from personae.theory.preference import log_choice


def choosing(simulator: Simulator) -> "Choosing":
    """The choices of `simulator`, several pieces at a time where it scores so."""
    return ChoosingSideBySide(simulator, simulator) if isinstance(simulator, SideBySide) else Choosing(simulator)


class Choosing:
    """`simulator`, whose score of a row is that of the choice in it; tokens are those of both answers."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.name = simulator.name
        self.caution = str(getattr(simulator, "caution", ""))  # what a reader of its numbers must know

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
        half = None if progress is None else lambda done, total: progress(done // 2, total // 2)
        return _choice(self.simulator.log_likelihood(_both(episodes), contexts, half))

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


class ChoosingSideBySide(Choosing):
    """The same of a simulator that scores several pieces at a time: both answers of a pair are in one piece."""

    def __init__(self, simulator: Simulator, pieces: SideBySide) -> None:
        super().__init__(simulator)
        self._pieces = pieces

    def side_by_side(
        self, pieces: Iterable[Sequence[Episode]], contexts: Sequence[str]
    ) -> Iterator[tuple[int, LogLikelihood]]:
        """(place, scores) of each piece as it is done, in any order."""
        for place, scored in self._pieces.side_by_side(map(_both, pieces), contexts):
            yield place, _choice(scored)


def _both(episodes: Sequence[Episode]) -> list[Episode]:
    """The chosen answers, then the rejected ones."""
    return [*episodes, *map(rejected, episodes)]


def _choice(scored: LogLikelihood) -> LogLikelihood:
    """The scores of the choices from those of `_both`."""
    n = len(scored.tokens) // 2
    return LogLikelihood(log_choice(scored.logp[:n], scored.logp[n:]), scored.tokens[:n] + scored.tokens[n:])
