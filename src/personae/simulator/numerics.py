"""How far a model scored in 16 bits is from itself in float32, and which personas it then cannot tell apart.

    error of a score    E[i, k] = log p16(y_i | c_k, x_i) - log p32(y_i | c_k, x_i)                          nats
    bias of a persona   b[k] = mean_i (E[i, k] - E[i, 0]): what rounding adds to its mean evidence; b[0] = 0
    resolution          max_k b[k] - min_k b[k]: the most by which rounding moves two personas against each other

Part of the error is the same for all episodes, so a longer file does not average it out. Personas whose mean evidence
is nearer than the resolution are not ranked. Where evidence is the difference from a control, so is the bias.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from personae.errors import RunFailed
from personae.records import Cast, Episode, Progress, Simulator, shifted
from personae.records.results import Floats

ROWS = 16  # episodes of a file that are scored a second time


@dataclass(frozen=True)
class Numerics:
    """The error of scores in `dtype` against float32, over `n` episodes (of the file, and as many of its control).

    `rms` nats an episode, the root mean square of E over episodes and contexts; `bias` {persona: nats}, neutral at 0;
    `caution` is what must be known of the float32 model, such as that it ran elsewhere.
    """

    dtype: str
    n: int
    rms: float
    bias: dict[str, float]
    caution: str = ""

    @property
    def largest(self) -> str:
        """The persona with the largest bias, of either sign."""
        return max(self.bias, key=lambda name: abs(self.bias[name]))

    @property
    def resolution(self) -> float:
        """Nats of mean evidence below which two personas are not told apart."""
        return max(self.bias.values()) - min(self.bias.values())

    def ties(self, means: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
        """{persona: all others whose mean evidence is not told apart from its own}, the highest evidence first.

        >>> found = Numerics("bfloat16", 8, 0.1, {"neutral": 0.0, "clerk": 0.2, "pirate": -0.1})
        >>> found.ties({"neutral": 0.9, "clerk": 0.8, "pirate": 1.15})
        {'pirate': ('neutral',), 'neutral': ('pirate', 'clerk'), 'clerk': ('neutral',)}
        """
        order = sorted(means, key=lambda name: -means[name])
        near = {
            one: tuple(o for o in order if o != one and abs(means[o] - means[one]) < self.resolution) for one in order
        }
        return {one: others for one, others in near.items() if others}

    def record(self) -> dict[str, Any]:
        """The same as JSON's own types, with what follows from it."""
        return {**vars(self), "largest_bias": abs(self.bias[self.largest]), "resolution": self.resolution}

    @classmethod
    def from_record(cls, found: Mapping[str, Any]) -> "Numerics":
        """The value that `record` wrote down."""
        return cls(found["dtype"], found["n"], found["rms"], dict(found["bias"]), found.get("caution", ""))


def evenly_by_length(episodes: Sequence[Episode], rows: int = ROWS) -> list[int]:
    """Places of at most `rows` episodes, the middles of as many equal parts of the file laid out by response length.

    >>> from personae.records import chat
    >>> evenly_by_length([chat("Hi", "a" * length) for length in (9, 1, 5, 3, 7, 2)], rows=3)
    [5, 2, 0]
    """
    lengths = np.fromiter((len(episode.response) for episode in episodes), np.int64, len(episodes))
    order = np.argsort(lengths, kind="stable")
    if len(order) <= rows:
        return [int(place) for place in order]
    return [int(order[(2 * part + 1) * len(order) // (2 * rows)]) for part in range(rows)]


def rounding_error(
    simulator: Simulator,
    dtype: str,
    cast: Cast,
    episodes: Sequence[Episode],
    control: Sequence[Episode] = (),
    progress: Progress | None = None,
) -> Numerics:
    """The error of `simulator`, whose weights are in `dtype`, on all the `episodes` (less that on the `control`).

    The float32 model is read from the files that the simulator came from, and let go of afterwards. Raises `RunFailed`
    for a simulator that came from no files.
    """
    read_again = float32_reader(simulator, dtype)
    rows, contexts = [*episodes, *control], cast.contexts
    total = 2 * len(rows) * len(contexts)
    low = simulator.log_likelihood(rows, contexts, shifted(progress, 0, total)).logp
    exact = read_again()
    errors = low - exact.log_likelihood(rows, contexts, shifted(progress, low.size, total)).logp
    caution = str(getattr(exact, "caution", ""))
    del exact
    gc.collect()  # a model holds itself in circles, and two at a time are enough
    return replace(_numerics(dtype, cast, errors, len(episodes)), caution=caution)


def float32_reader(simulator: Simulator, dtype: str) -> Callable[[], Simulator]:
    """What reads the files that `simulator`, in `dtype`, came from in float32. Raises `RunFailed` if there are none."""
    read_again: Callable[[], Simulator] | None = getattr(simulator, "in_float32", None)
    if read_again is None:
        raise RunFailed(
            f"{simulator.name} scores in {dtype}, and how far off that is cannot be measured: its float32 weights are "
            "on no file; load it by name, or score in float32"
        )
    return read_again


def _numerics(dtype: str, cast: Cast, errors: Floats, n: int) -> Numerics:
    """From `errors` (N, K + 1) nats, the file's `n` rows first and then those of the control, if any."""
    evidence = errors - errors[:, :1]
    bias = evidence[:n].mean(axis=0) - (evidence[n:].mean(axis=0) if len(errors) > n else 0.0)
    rms = float(np.sqrt(np.square(errors).mean()))
    return Numerics(dtype, n, rms, dict(zip(cast.names, bias.tolist(), strict=True)))
