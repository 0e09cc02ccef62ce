"""Levels at rest: one parquet file, one row a level: context, trait, number of the item, nats. Order is kept."""

from pathlib import Path

import numpy as np

from personae.records import Levels
from personae.records.files import read_arrays, write_arrays

COLUMNS = ("context", "trait", "item", "level")


def write_levels(path: Path, found: Levels) -> None:
    """Write `found` whole or not at all."""
    rows = [
        (context, trait, item, float(level))
        for trait, table in found.by_trait.items()
        for context, row in zip(found.contexts, table, strict=True)
        for item, level in enumerate(row)
    ]
    write_arrays(path, {name: list(column) for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True)})


def read_levels(path: Path) -> Levels:
    """What `write_levels` wrote."""
    columns = read_arrays(path)
    order: dict[str, dict[str, list[float]]] = {}
    for context, trait, level in zip(columns["context"], columns["trait"], columns["level"], strict=True):
        order.setdefault(str(trait), {}).setdefault(str(context), []).append(float(level))
    contexts = tuple(next(iter(order.values())))
    return Levels(contexts, {t: np.array([rows[c] for c in contexts]) for t, rows in order.items()})


def joined(several: list[Levels]) -> Levels:
    """Levels of different traits under the same contexts, as one."""
    return Levels(several[0].contexts, {t: table for one in several for t, table in one.by_trait.items()})
