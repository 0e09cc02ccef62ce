"""Evidence gathered in blocks, each kept as soon as it is scored, so that a killed run scores no row twice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from personae.records import Cast, Episode, Evidence, Progress, Simulator
from personae.records.files import read_arrays, write_arrays
from personae.theory import evidence

BLOCK = 32  # episodes
ROW = ("index", "tokens")  # columns that are no persona's


def gather(
    simulator: Simulator,
    cast: Cast,
    episodes: Sequence[Episode],
    kept: Path | None = None,
    progress: Progress | None = None,
) -> Evidence:
    """L (N, K + 1) nats of every episode for every persona of `cast`.

    With `kept`, a file name ending in .parquet, the finished matrix is written there, and blocks beside it on the way.
    """
    if kept is not None and kept.exists():
        return read_evidence(kept, cast)
    blocks = []
    for first in range(0, len(episodes), BLOCK):
        part = kept.with_name(f"{kept.stem}.part-{first:08d}.parquet") if kept else None
        if part is not None and part.exists():
            blocks.append(read_evidence(part, cast))
        else:
            within = _within(progress, first, len(episodes), len(cast.contexts))
            blocks.append(_scored(simulator, cast, episodes[first : first + BLOCK], within))
            if part is not None:
                write_evidence(part, blocks[-1])
        if progress:
            progress(min(first + BLOCK, len(episodes)), len(episodes))
    whole = Evidence(
        cast.names,
        np.concatenate([b.index for b in blocks]),
        np.concatenate([b.matrix for b in blocks]),
        np.concatenate([b.tokens for b in blocks]),
    )
    if kept is not None:
        write_evidence(kept, whole)
        for part in kept.parent.glob(f"{kept.stem}.part-*.parquet"):
            part.unlink()
    return whole


def _within(progress: Progress | None, first: int, episodes: int, contexts: int) -> Progress | None:
    """The answers of the block that begins with the episode `first`, under all contexts, counted as episodes."""
    return None if progress is None else lambda done, _: progress(first + done // contexts, episodes)


def _scored(simulator: Simulator, cast: Cast, episodes: Sequence[Episode], progress: Progress | None) -> Evidence:
    scored = simulator.log_likelihood(episodes, cast.contexts, progress)
    index = np.array([e.index for e in episodes], dtype=np.int64)
    return Evidence(cast.names, index, evidence(scored.logp), scored.tokens)


def write_evidence(path: Path, found: Evidence) -> None:
    """One row an episode: its index, its response tokens, and the evidence for each persona, nats."""
    columns = {_column(name): found.matrix[:, k] for k, name in enumerate(found.names)}
    write_arrays(path, {"index": found.index, "tokens": found.tokens, **columns})


def read_evidence(path: Path, cast: Cast) -> Evidence:
    """The evidence in a file that `write_evidence` wrote, for the same cast."""
    columns = read_arrays(path)
    matrix = np.stack([columns[_column(name)] for name in cast.names], axis=1)
    return Evidence(cast.names, columns["index"], matrix, columns["tokens"])


def _column(name: str) -> str:
    """The column of a persona: its name, unless a row's own number has that."""
    return f"persona {name}" if name in ROW else name
