"""The same rows behind each of some prompts, scored under every context, and kept as they come.

    scores.part-NUMBER.parquet      one prompt, as soon as it is scored
    scores.parquet                  all of them, a row group each

A killed run scores no prompt twice. Unlike evidence these are log-likelihoods themselves, nats: how much likelier an
answer becomes behind a prompt is asked of them too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from personae.records import Cast, Episode, Progress, Simulator, shifted
from personae.records.files import read_array_groups, read_arrays, write_array_groups, write_arrays
from personae.records.results import Floats

SCORES = "scores.parquet"


def prompt_scores(
    kept: Path,
    simulator: Simulator,
    cast: Cast,
    arms: Mapping[str, Sequence[Episode]],
    progress: Progress | None = None,
) -> dict[str, Floats]:
    """{prompt: (R, K + 1) nats} of the rows behind each, kept in a file whose name ends in .parquet."""
    if not kept.exists():
        parts = [kept.with_name(f"{kept.stem}.part-{number:04d}.parquet") for number in range(len(arms))]
        done, total = 0, sum(map(len, arms.values()))
        for part, (name, rows) in zip(parts, arms.items(), strict=True):
            if not part.exists():
                write_arrays(part, _scored(simulator, cast, name, rows, shifted(progress, done, total)))
            done += len(rows)
            if progress:
                progress(done, total)
        write_array_groups(kept, map(read_arrays, parts))
    for part in kept.parent.glob(f"{kept.stem}.part-*.parquet"):
        part.unlink(missing_ok=True)
    return {str(columns["prompt"][0]): _matrix(columns, cast) for columns in read_array_groups(kept)}


def _scored(
    simulator: Simulator, cast: Cast, name: str, rows: Sequence[Episode], progress: Progress | None
) -> dict[str, Any]:
    contexts = cast.contexts
    within = None if progress is None else lambda done, _: progress(done // len(contexts), len(rows))
    scored = simulator.log_likelihood(rows, contexts, within)
    index = np.array([row.index for row in rows], dtype=np.int64)
    columns = {_column(who): scored.logp[:, k] for k, who in enumerate(cast.names)}
    return {"prompt": [name] * len(rows), "index": index, "tokens": scored.tokens, **columns}


def _matrix(columns: dict[str, Any], cast: Cast) -> Floats:
    matrix: Floats = np.stack([columns[_column(who)] for who in cast.names], axis=1)
    return matrix


def _column(who: str) -> str:
    return f"persona {who}"
