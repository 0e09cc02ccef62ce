"""The rows that training sees: token ids of each episode, with loss on its response span and nowhere else.

Rows come from `Dialogue.encode`, which the evidence engine scores with too, so evidence and loss cover the same tokens.
A row that is longer than the model's window is dropped and counted, never cut: a cut row trains another answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from personae.errors import BadInput
from personae.records import Episode
from personae.simulator.dialogue import UNBOUNDED, Dialogue

IGNORED = -100  # the label of a token that bears no loss


@dataclass(frozen=True)
class Rows:
    """(N,) token ids and response starts of the rows kept, their places among the episodes, and the number dropped."""

    ids: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]
    kept: tuple[int, ...]
    dropped: int

    def labels(self, row: int) -> list[int]:
        """Labels of a row: its own ids over the response span, `IGNORED` before it."""
        start = self.starts[row]
        return [IGNORED] * start + list(self.ids[row][start:])

    def tokens(self, row: int) -> int:
        """Length of a row's response span."""
        return len(self.ids[row]) - self.starts[row]


def rows(dialogue: Dialogue, episodes: Sequence[Episode], window: int | None = None) -> Rows:
    """The episodes as rows to train on. Raises `BadInput` where none is left."""
    if not episodes:
        raise BadInput("there are no episodes to train on")
    encoded = [dialogue.encode(episode, window=UNBOUNDED) for episode in episodes]
    kept = [i for i, row in enumerate(encoded) if window is None or len(row.ids) <= window]
    if not kept:
        raise BadInput(
            f"all {len(episodes)} episodes are longer than the model's window of {window} tokens",
            remedy="shorten them, or use a model with a longer window",
        )
    return Rows(
        ids=tuple(tuple(encoded[i].ids) for i in kept),
        starts=tuple(encoded[i].start for i in kept),
        kept=tuple(kept),
        dropped=len(episodes) - len(kept),
    )
