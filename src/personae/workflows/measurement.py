"""The Assistant's trait profile on one model, with the reliability that the cast gives it, kept in a run folder.

Beside the profile stand the model's coherence and, where it is known which model it was trained from, that model's own:
the yardstick of the gate in `measure.coherence`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from personae.measure import Instrument, coherence, instrument, is_coherent, profile
from personae.records import Cast, Profile, Progress, Simulator, Trait
from personae.records.files import digest, read_json, write_json
from personae.records.results import TraitLevel
from personae.workflows.basis_cache import cached_basis
from personae.workflows.folder import open_folder


def measured(
    simulator: Simulator,
    cast: Cast,
    traits: Sequence[Trait],
    seed: int = 0,
    out: Path | None = None,
    *,
    dtype: str = "float32",
    by: Instrument | None = None,
    untrained: Simulator | None = None,
    keeps: Callable[[Path], None] = lambda _: None,
    progress: Progress | None = None,
) -> tuple[Profile, Path]:
    """The profile of the Assistant and the run folder it is kept in; a finished run is read again.

    `dtype` is the number type that the simulator was loaded in, `by` the instrument (default: the items' own answers),
    `untrained` the model that it was trained from.
    """
    by = by or instrument()
    configuration = {
        "model": simulator.name,
        "model_digest": simulator.digest,
        "untrained_digest": untrained.digest if untrained else None,
        "dtype": dtype,
        "cast": digest(cast),
        "traits": digest(list(traits)),
        "instrument": by.name,
        "kept_as": by.kept_as,
        "seed": seed,
    }
    folder = open_folder("measure", configuration, out)
    keeps(folder.path)
    kept = folder.file("profile.json")
    if not folder.finished:
        whole = cached_basis(simulator, cast, traits, progress, by=by)
        personas = {t: table[1:] for t, table in whole.basis.levels.by_trait.items()}
        found = profile(simulator.name, whole.basis.base, cast_levels=personas, seed=seed)
        own = coherence(simulator, traits)
        yardstick = coherence(untrained, traits) if untrained else None
        write_json(kept, Profile(found.subject, found.traits, own, yardstick, by.name, whole.lost))
        folder.finish(device=getattr(simulator, "device", ""))
    return read_profile(kept), folder.path


def coherent(found: Profile) -> bool | None:
    """Whether the profile may be read; None where there is no untrained model to hold it to."""
    if found.coherence is None or found.untrained_coherence is None:
        return None
    return is_coherent(found.coherence, found.untrained_coherence)


def read_profile(path: Path) -> Profile:
    """The profile that a run folder holds."""
    found = read_json(path)
    levels = {name: TraitLevel(**level) for name, level in found["traits"].items()}
    return Profile(
        found["subject"],
        levels,
        found["coherence"],
        found.get("untrained_coherence"),
        found.get("instrument", "answers"),
        {name: (lost, of) for name, (lost, of) in found.get("lost", {}).items()},
    )
