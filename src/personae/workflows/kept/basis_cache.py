"""What a cast is on a model, measured once: levels of every persona, of neutral and of the Assistant, on every trait.

This is the dear part of an audit (contexts × items × answers), and no data file has a say in it. So it is kept in the
user's cache folder, one parquet file a trait, under the digests of model (weights, tokenizer, number type), cast and
trait: a killed measurement goes on with the traits it has not finished, and a change to one trait costs that one alone.
Each instrument keeps its readings apart, but for those that are parts of one reading. What it took stands beside it, so
that it can be told apart from the cost of an audit, and so does what it lost.
"""

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from personae.errors import RunFailed
from personae.measure import NOBODY, Instrument, instrument
from personae.predictors import Basis
from personae.predictors.basis import basis_of
from personae.records import Cast, Levels, Progress, Simulator, Trait, shifted
from personae.records.files import digest, read_json, write_json
from personae.simulator.listing import cache_folder
from personae.workflows.kept.levels_file import joined, read_levels, write_levels


@dataclass(frozen=True)
class MeasuredBasis:
    """The `basis`, what measuring it took in all (`seconds`, over however many runs), and how much of that just now.

    `lost` {trait: (n, of)}: how many of the questions or judgements asked for are in no level.
    """

    basis: Basis
    seconds: float
    fresh_seconds: float
    lost: dict[str, tuple[int, int]]


def cached_basis(
    simulator: Simulator,
    cast: Cast,
    traits: Sequence[Trait],
    progress: Progress | None = None,
    folder: Path | None = None,
    by: Instrument | None = None,
) -> MeasuredBasis:
    """The basis of `cast` and `traits` on `simulator`, measured where it is not yet kept (in `folder`, or the cache).

    `by` is the instrument (default: the items' own answers). `progress` counts the answers that are not yet kept.
    Raises, before any work, `BadInput` where the instrument cannot ask about a trait, and `RunFailed` where what is
    measured could not be kept.
    """
    by = by or instrument()
    for trait in traits:
        by.check(trait)
    kept = _part(folder or basis_folder(simulator, cast), by)
    missing = [trait for trait in traits if not _file(kept, trait).exists()]
    total = sum(by.size(trait) for trait in missing) * (len(cast.contexts) + 1)
    if missing:
        check_kept(kept)
    begun, done = time.monotonic(), 0
    for trait in missing:
        done += _measure(simulator, cast, trait, by, _file(kept, trait), shifted(progress, done, total))
    every = joined([own_part(read_levels(_file(kept, trait)), trait, by) for trait in traits])
    seconds, lost = _costs(kept, traits)
    return MeasuredBasis(basis_of(cast, every), seconds, time.monotonic() - begun if missing else 0.0, lost)


def costs(simulator: Simulator, cast: Cast, traits: Sequence[Trait]) -> tuple[float, dict[str, tuple[int, int]]]:
    """What a `MeasuredBasis` says of `seconds` and of `lost`, as far as the cache still knows."""
    return _costs(basis_folder(simulator, cast), traits)


def check_kept(folder: Path) -> None:
    """Raise `RunFailed`, before anything is measured, where it could not be kept in `folder` of the user's cache."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as problem:
        said = f"cannot be written ({problem.strerror or problem})"
        raise RunFailed(f"{folder}: {said}; PERSONAE_CACHE names another folder for what is measured once") from problem


def basis_folder(simulator: Simulator, cast: Cast) -> Path:
    """Where the levels of `cast` on `simulator` are kept."""
    who = digest({"cast": [cast.names, cast.contexts], "assistant": NOBODY})
    return cache_folder() / "basis" / f"{_plain(Path(simulator.name).name)}-{simulator.digest[:12]}-{who[:12]}"


def unmeasured(simulator: Simulator, cast: Cast, traits: Sequence[Trait], folder: Path | None = None) -> int:
    """How many answers under how many contexts are still to be scored: what `cached_basis` would cost."""
    by = instrument()
    kept = _part(folder or basis_folder(simulator, cast), by)
    return sum(by.size(t) for t in traits if not _file(kept, t).exists()) * (len(cast.contexts) + 1)


def _costs(kept: Path, traits: Sequence[Trait]) -> tuple[float, dict[str, tuple[int, int]]]:
    clocks = {trait.name: _clock(_file(kept, trait)) for trait in traits}
    notes = {name: read_json(clock) for name, clock in clocks.items() if clock.exists()}
    lost = {name: (int(note.get("lost", 0)), int(note.get("asked", 0))) for name, note in notes.items()}
    return sum(float(note["seconds"]) for note in notes.values()), lost


def _measure(
    simulator: Simulator, cast: Cast, trait: Trait, by: Instrument, file: Path, progress: Progress | None
) -> int:
    """Measure and keep one trait; the number of answers scored."""
    contexts = {NOBODY: "", **dict(zip(cast.names, cast.contexts, strict=True))}
    begun = time.monotonic()
    found = by.read(simulator, trait, contexts, progress, file.with_suffix(""))
    seconds = round(time.monotonic() - begun, 1)
    write_json(_clock(file), {"seconds": seconds, "lost": found.lost, "asked": found.asked})
    write_levels(file, found.levels)
    return by.size(trait) * len(contexts)


def own_part(found: Levels, trait: Trait, by: Instrument) -> Levels:
    """Of what is kept, the instrument's part."""
    return Levels(found.contexts, {trait.name: by.part(trait, found.by_trait[trait.name])})


def _part(folder: Path, by: Instrument) -> Path:
    """Where an instrument keeps its readings; those of the items' own answers lie in the folder itself."""
    return folder if by.kept_as == instrument().kept_as else folder / by.kept_as


def _file(folder: Path, trait: Trait) -> Path:
    return folder / f"{_plain(trait.name)}-{digest(trait)[:12]}.parquet"


def _clock(file: Path) -> Path:
    return file.with_suffix(".json")


def _plain(name: str) -> str:
    """A name as part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", name)[:48]
