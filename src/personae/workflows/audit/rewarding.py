"""A simulator asked how much of what it says a reward lets pass: how a reward is scored by whatever scores episodes.

    log E exp(r(y) / τ),  y drawn from p( . | context, prompt)        nats, see theory.preference

It satisfies the simulator's protocol over rows of which only the prompt counts, so evidence and its blocks on disk are
those of episodes. To each prompt `draws` answers are drawn under every context, and given to the reward as a training
would give them, but for their token ids. The less τ is, the more it is the reward's best answers alone that count, as
in a training with no penalty for leaving the base.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personae.records import Episode, LogLikelihood, Message, Progress, Simulator, prompt_of
from personae.records.files import digest
from personae.theory import log_passed
from personae.training.reward import Reward, reward_digest, rewards_given


@dataclass(frozen=True)
class Rewarding:
    """`simulator`, whose score of a row is that of its prompt; `tokens` counts the answers drawn."""

    simulator: Simulator
    reward: Reward
    draws: int = 32
    temperature: float = 1.0
    max_tokens: int = 64
    seed: int = 0

    @property
    def name(self) -> str:
        """What the simulator is called."""
        return self.simulator.name

    @property
    def digest(self) -> str:
        """sha256 over what determines its numbers."""
        drawing = [self.draws, self.temperature, self.max_tokens, self.seed]
        return digest({"rewarding": self.simulator.digest, "reward": reward_digest(self.reward), "drawing": drawing})

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """(N, K) nats of every row's prompt under every context."""
        asked = [prompt_of(episode) for episode in episodes for _ in range(self.draws)]
        logp = np.zeros((len(episodes), len(contexts)))
        seed = self.seed + episodes[0].index  # rows come in blocks, and each draws its own
        for place, context in enumerate(contexts):
            said = self.sample([one.turns for one in asked], context, max_tokens=self.max_tokens, seed=seed)
            given = rewards_given(self.reward, asked, [answer.strip() for answer in said])
            logp[:, place] = log_passed(np.reshape(given, (-1, self.draws)), self.temperature)
            if progress:
                progress((place + 1) * len(episodes), logp.size)
        return LogLikelihood(logp, np.full(len(episodes), self.draws))

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
