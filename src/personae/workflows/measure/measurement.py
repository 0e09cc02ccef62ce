"""The Assistant's trait profile on one model, with the reliability that the cast gives it, kept in a run folder.

Beside the profile stand the model's coherence and, where it is known which model it was trained from, that model's own:
the yardstick of the gate in `measure.coherence`. What is asked outside the Assistant's turn: `measurement_outside`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personae.ledger import marks
from personae.measure import Instrument, coherence, instrument, is_coherent, profile
from personae.records import Cast, Profile, Progress, Simulator, Trait
from personae.records.files import digest, read_json, write_json
from personae.records.results import TraitLevel
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.folder import RunFolder
from personae.workflows.measure.leakage import Turns
from personae.workflows.measure.measurement_outside import outside_turn
from personae.workflows.watch import Watch, unwatched


@dataclass(frozen=True)
class MeasureQuestion:
    """Whose profile is wanted: that of `simulator`, loaded in the number type `dtype`, by the instrument `by`.

    `untrained` is the model that it was trained from, where that is known, and `beside` what is asked of both outside
    the Assistant's turn (None: nothing).
    """

    simulator: Simulator
    cast: Cast
    traits: Sequence[Trait]
    seed: int = 0
    dtype: str = "float32"
    by: Instrument = field(default_factory=instrument)
    untrained: Simulator | None = None
    beside: Turns | None = None

    def configuration(self) -> dict[str, Any]:
        """What a run folder is told apart by."""
        outside = {} if self.beside is None else {"outside": digest(self.beside.asked)}
        return {
            "model": self.simulator.name,
            "model_digest": self.simulator.digest,
            "untrained_digest": self.untrained.digest if self.untrained else None,
            "dtype": self.dtype,
            "cast": digest(self.cast),
            "traits": digest(list(self.traits)),
            "instrument": self.by.name,
            "kept_as": self.by.kept_as,
            "seed": self.seed,
            **outside,
        }


@dataclass(frozen=True)
class Measured:
    """The `profile`, and the record of `leakage` of what is `outside` the Assistant's turn, where that was asked."""

    profile: Profile
    outside: dict[str, Any] | None


def measure(question: MeasureQuestion, folder: RunFolder, watch: Watch = unwatched) -> Measured:
    """Measure what is not yet kept in `folder`; a finished run is read again."""
    kept = folder.file("profile.json")
    if not kept.exists():
        with watch("measuring", "answers") as progress:
            write_json(kept, _profile(question, progress))
    outside = None if question.beside is None else outside_turn(question.beside, folder, watch)
    if not folder.finished:
        folder.finish(device=getattr(question.simulator, "device", ""))
    return Measured(read_profile(kept), outside)


def _profile(question: MeasureQuestion, progress: Progress) -> Profile:
    simulator, traits, by = question.simulator, question.traits, question.by
    whole = cached_basis(simulator, question.cast, traits, progress, by=by)
    personas = {t: table[1:] for t, table in whole.basis.levels.by_trait.items()}
    found = profile(simulator.name, whole.basis.base, cast_levels=personas, seed=question.seed)
    own = coherence(simulator, traits)
    yardstick = coherence(question.untrained, traits) if question.untrained else None
    return Profile(
        found.subject,
        found.traits,
        own,
        yardstick,
        by.name,
        whole.lost,
        marks(traits),
        simulator.digest,
        question.untrained.digest if question.untrained else None,
    )


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
        {name: tuple(row) for name, row in found["items"].items()} if found.get("items") else None,
        found.get("model_digest"),
        found.get("untrained_digest"),
    )
