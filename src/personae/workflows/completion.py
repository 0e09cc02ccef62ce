"""A model as autocomplete: how it goes on with a text, and who it takes the speaker to be.

    evidence    L[k] = log p(text | c_k) - log p(text | c_0)            nats, over the whole text
    posterior   p(k | text) ∝ prior[k] · exp(L[k])

No chat is laid out around the text: the context stands on a line before it, as in any document. Before the text is read
all of the cast, and neutral, are equally likely, unless the cast declares a prior. Source: PSM.md section 1, 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.errors import BadInput
from personae.predictors.basis import declared_prior
from personae.records import Cast, Episode, Message, Progress, Simulator
from personae.records.results import Floats
from personae.theory import evidence, posterior

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.simulator.pool import PoolSimulator
    from personae.simulator.server import ServerSimulator


@dataclass(frozen=True)
class Continuation:
    """One way to go on, and who is speaking once it is read too."""

    text: str
    posterior: dict[str, float]


@dataclass(frozen=True)
class Completion:
    """How the model goes on, and who it takes the speaker of the text itself to be, before and after reading it."""

    model: str
    text: str
    prior: dict[str, float]
    posterior: dict[str, float]
    evidence: dict[str, float]  # nats
    continuations: tuple[Continuation, ...]


def complete(
    simulator: "LocalSimulator | PoolSimulator | ServerSimulator",
    cast: Cast,
    text: str,
    number: int,
    *,
    max_tokens: int = 40,
    temperature: float = 1.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Completion:
    """`number` continuations of `text`, and the posterior over `cast` of the text and of each continuation."""
    if not text.strip():
        raise BadInput("there is no text to complete", remedy="give some, or - to read it from standard input")
    drawn = simulator.continuations([text] * number, max_tokens=max_tokens, temperature=temperature, seed=seed)
    begun = text.rstrip(" ")  # which is what is continued
    matrix = text_evidence(simulator, cast, [text, *(begun + more for more in drawn)], progress)
    prior = flat_prior(cast)
    weights = [_named(cast, posterior(prior, row[None, :], 1.0)) for row in matrix]
    told = tuple(Continuation(more, p) for more, p in zip(drawn, weights[1:], strict=True))
    return Completion(simulator.name, text, _named(cast, prior), weights[0], _named(cast, matrix[0]), told)


def text_evidence(simulator: Simulator, cast: Cast, texts: Sequence[str], progress: Progress | None = None) -> Floats:
    """(texts, K + 1) nats: how much each text speaks for each persona's context standing before it."""
    said = [
        Episode(messages=(Message(role="assistant", content=t),), form="text", index=i) for i, t in enumerate(texts)
    ]
    return evidence(simulator.log_likelihood(said, cast.contexts, progress).logp)


def flat_prior(cast: Cast) -> Floats:
    """(K + 1,) the cast's declared prior with neutral's share, or one that favours nobody."""
    declared = declared_prior(cast)
    return np.full(len(cast.names), 1.0 / len(cast.names)) if declared is None else declared


def _named(cast: Cast, values: Floats) -> dict[str, float]:
    return {name: float(value) for name, value in zip(cast.names, values, strict=True)}
