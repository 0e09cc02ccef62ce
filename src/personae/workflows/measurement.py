"""The Assistant's trait profile on one model, with the reliability that the cast gives it, kept in a run folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from personae.measure import profile
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
    keeps: Callable[[Path], None] = lambda _: None,
    progress: Progress | None = None,
) -> tuple[Profile, Path]:
    """The profile of the Assistant and the run folder it is kept in; a finished run is read again.

    `dtype` is the number type that the simulator was loaded in.
    """
    configuration = {
        "model": simulator.name,
        "model_digest": simulator.digest,
        "dtype": dtype,
        "cast": digest(cast),
        "traits": digest(list(traits)),
        "seed": seed,
    }
    folder = open_folder("measure", configuration, out)
    keeps(folder.path)
    kept = folder.file("profile.json")
    if not folder.finished:
        basis = cached_basis(simulator, cast, traits, progress).basis
        personas = {t: table[1:] for t, table in basis.levels.by_trait.items()}
        found = profile(simulator.name, basis.base, cast_levels=personas, seed=seed)
        coherent = coherence(simulator, traits)
        write_json(kept, Profile(found.subject, found.traits, coherent))
        folder.finish(device=getattr(simulator, "device", ""))
    return read_profile(kept), folder.path


def coherence(simulator: Simulator, traits: Sequence[Trait]) -> float:
    """How readily the model says what the items expect: probability a token of the likeliest answer, mean over items.

    A token's probability is the geometric mean over the answer. A model that training has broken loses this first.
    """
    items = [item for trait in traits for item in trait.items]
    episodes = [episode for item in items for episode in item.episodes()]
    scored = simulator.log_likelihood(episodes, [""])
    each = np.exp(scored.logp[:, 0] / scored.tokens)
    starts = np.cumsum([0, *(len(item.high) + len(item.low) for item in items)])[:-1]
    return float(np.maximum.reduceat(each, starts).mean())


def read_profile(path: Path) -> Profile:
    """The profile that a run folder holds."""
    found = read_json(path)
    levels = {name: TraitLevel(**level) for name, level in found["traits"].items()}
    return Profile(found["subject"], levels, found["coherence"])
