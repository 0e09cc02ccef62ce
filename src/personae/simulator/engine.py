"""The evidence engine: log p(response | context, prompt) for N episodes under K contexts, nats, each token read once.

Three beginnings are shared, always by comparing token ids, never by trusting text: the tokens that all episodes under
one context begin with are read once per context; a prompt that several answers follow is read once per context and
prompt; the rest is read in batches of rows of like length. The head sees response positions only (`network`).
The numbers are those of a loop over single rows, within rounding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from personae.errors import RunFailed
from personae.records import Progress
from personae.simulator.dialogue import Encoded
from personae.simulator.network import Network, Row
from personae.simulator.past import Past
from personae.simulator.tiny import tiny_is_zero

BATCH_TOKENS = 2048  # on a processor; larger batches only cost memory
BATCH_TOKENS_ACCELERATED = 16_384
HELD = 8  # tokens in memory for one that is read: every row of a batch has a copy of the past that it shares
WORTH_SHARING = 4  # tokens; a shorter beginning is read again rather than copied
ALIKE = 64  # tokens; contexts that differ by more go apart, since all of a batch are carried as far as its longest


@dataclass
class Group:
    """Rows of one context that go the same way up to `stem`, tokens past the context's own beginning."""

    context: int
    stem: tuple[int, ...]
    rows: list[tuple[int, Encoded]]  # (episode, encoded)

    @property
    def longest(self) -> int:
        """Tokens of the longest row's response, and the token before it."""
        return max(len(e.ids) - e.start for _, e in self.rows) + 1

    @property
    def shared(self) -> bool:
        """Whether the stem is worth a pass of its own."""
        return len(self.rows) > 1 and len(self.stem) >= WORTH_SHARING

    @property
    def cost(self) -> int:
        """Tokens read for this group."""
        return (len(self.stem) if self.shared else len(self.stem) * len(self.rows)) + self.longest * len(self.rows)

    def held(self, known: int) -> int:
        """Tokens in memory for this group, whose context is read up to `known`: each row has its own copy."""
        return (known + len(self.stem) + self.longest) * len(self.rows)


@tiny_is_zero()
@torch.inference_mode()
def score(
    network: Network, table: Sequence[Sequence[Encoded]], progress: Progress | None = None, *, tokens: int | None = None
) -> NDArray[np.float64]:
    """(N, K) nats: log p of the response span of `table[n][k]`. `tokens` bounds the size of a batch."""
    budget = tokens or (BATCH_TOKENS if network.device.type == "cpu" else BATCH_TOKENS_ACCELERATED)
    budget = budget if network.splits else max(64, budget // 4)  # whole logits are large
    logp = np.full((len(table), len(table[0])), np.nan)
    known, past = _contexts_read_once(network, table, budget)
    done = 0
    for batch in _batches(_groups(table, known, network.shares), known, budget):
        for group, values in zip(batch, _score_batch(network, past, known, batch)):
            for (n, _), value in zip(group.rows, values):
                logp[n, group.context] = value
        done += sum(len(group.rows) for group in batch)
        if progress:
            progress(done, logp.size)
    if not np.isfinite(logp).all():
        bad = int(np.argwhere(~np.isfinite(logp))[0][0])
        raise RunFailed(
            f"the model's log-probability of episode {bad} of this batch is not a number; check its weights and type"
        )
    return logp


def _contexts_read_once(network: Network, table: Sequence[Sequence[Encoded]], budget: int) -> tuple[list[int], Past]:
    """For each context the length of the beginning all its rows share, and a `Past` with a row for each."""
    contexts = len(table[0])
    past = Past.empty(contexts, network.device)
    if not network.shares:
        return [0] * contexts, past
    known = [_common_beginning([row[k] for row in table]) for k in range(contexts)]
    known = [length if length >= WORTH_SHARING else 0 for length in known]
    if not any(known):
        return known, past
    beginnings = [table[0][k].ids[: known[k]] for k in range(contexts) if known[k]]
    at_once = max(1, budget // max(known))
    parts = [
        network.extend(Past.empty(len(beginnings[i : i + at_once]), network.device), beginnings[i : i + at_once])
        for i in range(0, len(beginnings), at_once)
    ]
    return known, Past.stack(parts).spread([length > 0 for length in known])


def _common_beginning(rows: Sequence[Encoded]) -> int:
    """How many first tokens all rows share; at least the token before every response is left over."""
    first, length = rows[0].ids, min(row.start for row in rows) - 1
    for row in rows[1:]:
        if row.ids[:length] != first[:length]:
            length = next(i for i, (a, b) in enumerate(zip(first, row.ids)) if a != b)
    return length


def _groups(table: Sequence[Sequence[Encoded]], known: list[int], shares: bool) -> list[Group]:
    """Rows by context and prompt, longest last; those that share a prompt, and contexts of unlike length, apart."""
    groups: dict[tuple[Any, ...], Group] = {}
    for n, row in enumerate(table):
        for k, encoded in enumerate(row):
            stem = tuple(encoded.ids[known[k] : encoded.start - 1])
            alike = (k, stem) if shares else (k, stem, n)
            groups.setdefault(alike, Group(k, stem, [])).rows.append((n, encoded))
    apart = [one for group in groups.values() for one in _affordable(group)]
    own = [length // ALIKE for length in known]
    return sorted(apart, key=lambda g: (g.shared, own[g.context], len(g.stem) + g.longest, g.rows[0][0], g.context))


def _affordable(group: Group, most: int = 32) -> Iterator[Group]:
    """The group in parts of so many rows; one that shares nothing row by row, so that rows can be laid by length."""
    size = most if group.shared else 1
    rows = iter(group.rows)
    while part := list(islice(rows, size)):
        yield Group(group.context, group.stem, part)


def _batches(groups: list[Group], known: list[int], budget: int) -> Iterator[list[Group]]:
    """Neighbours together, up to the budget of tokens read, and `HELD` times as many in memory."""
    batch: list[Group] = []
    most = 0  # held for one group of the batch
    for group in groups:
        held, many = max(most, group.held(known[group.context])), len(batch) + 1
        if batch and (batch[0].shared != group.shared or group.cost * many > budget or held * many > HELD * budget):
            yield batch
            batch, held = [], group.held(known[group.context])
        batch.append(group)
        most = held
    if batch:
        yield batch


def _score_batch(network: Network, past: Past, known: list[int], batch: list[Group]) -> list[list[float]]:
    """For each group the nats of its rows."""
    if not network.shares:
        past = Past.empty(len(known), network.device)
    behind = past.select([group.context for group in batch])
    if batch[0].shared:
        behind = network.extend(behind, [group.stem for group in batch])
        behind = behind.select([g for g, group in enumerate(batch) for _ in group.rows])
    rows = [
        Row(e.ids, e.start, e.start - 1 if group.shared else known[group.context])
        for group in batch
        for _, e in group.rows
    ]
    parts = network.logp(behind, rows)
    nats = torch.cat(parts).cpu().double()  # brought here once: to ask a device row by row is slow
    sums = iter([float(part.sum()) for part in nats.split([len(part) for part in parts])])
    return [list(islice(sums, len(group.rows))) for group in batch]
