"""What is known of lessons before any training: who they select, and what else they will change.

The same object over the exact world and over the untrained model, so a study reads both off in one way:

    weights ∝ prior · exp(Σ over lessons of dose · mean evidence)        dose = coefficient · steps · rate

Turns that stand in the context are evidence too, each counted once.
Lessons add up in any order: conditioning knows none. That a training does is a departure, and a study shows it.
Source: PSM.md section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from personae.predictors import Basis
from personae.records import Episode, Simulator, Trait
from personae.records.files import digest
from personae.records.results import Floats
from personae.theory import forecast_shift, log_sigmoid, posterior
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.gather import gather
from personae.workflows.lab.trainings import Lesson
from personae.workflows.watch import Watch, unwatched

Key = tuple[tuple[tuple[str, float], ...], str]  # (digest of the episodes, dose) of every lesson, digest of the turns


@dataclass(frozen=True)
class Foresight:
    """`simulator` with the `basis` of its cast; `coefficient` turns steps · rate into effective episodes.

    Whatever was worked out once is remembered, and evidence is kept in the folder `kept` too, if there is one. `watch`
    is told of evidence that is gathered.
    """

    simulator: Simulator
    basis: Basis
    coefficient: float
    kept: Path | None = None
    watch: Watch = unwatched
    _evidence: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)
    # Not for another dose or other items: `replace` begins these anew.
    _weights: dict[Key, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)
    _shifts: dict[Key, dict[str, float]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def dose(self, lesson: Lesson) -> float:
        """Effective episodes that a lesson is worth."""
        return self.coefficient * lesson.plan.steps * lesson.plan.rate

    def evidence(self, episodes: Sequence[Episode]) -> Floats:
        """(N, K + 1) nats for each persona, neutral first."""
        key = digest(list(episodes))
        if key not in self._evidence:
            with self.watch(f"what {self.simulator.name} makes of a lesson", "episodes") as progress:
                found = gather(self.simulator, self.basis.cast, episodes, self._file(key), progress)
            self._evidence[key] = found.matrix
        return self._evidence[key]

    def over(self, probes: Sequence[Trait]) -> "Foresight":
        """The same of other items than the basis has; who is likely is still what it was."""
        measured = cached_basis(self.simulator, self.basis.cast, probes).basis
        return replace(self, basis=replace(self.basis, levels=measured.levels, base=measured.base))

    def weights(self, lessons: Sequence[Lesson], turns: Sequence[Episode] = ()) -> Floats:
        """(K + 1,) who the Assistant will be, once `turns` stand in the context."""
        key = self._key(lessons, turns)
        if key not in self._weights:
            weights = self.basis.prior
            for lesson in lessons:
                weights = posterior(weights, self.evidence(lesson.episodes), self.dose(lesson))
            self._weights[key] = posterior(weights, self.evidence(turns), len(turns)) if turns else weights
        return self._weights[key]

    def posterior(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """{persona: weight} after the lessons, the neutral context first."""
        return dict(zip(self.basis.cast.names, self.weights(lessons).tolist(), strict=True))

    def shifts(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """{trait: forecast character shift, nats}."""
        key = self._key(lessons)
        if key not in self._shifts:
            prior, weights, tables = self.basis.prior, self.weights(lessons), self.basis.levels.by_trait
            self._shifts[key] = {t: float(forecast_shift(prior, weights, table)) for t, table in tables.items()}
        return dict(self._shifts[key])

    def rates(self, lessons: Sequence[Lesson] = (), turns: Sequence[Episode] = ()) -> dict[str, float]:
        """{trait: probability of the high pole of the mixture, mean over items}, once `turns` stand in the context."""
        weights = self.weights(lessons, turns)
        return {
            t: float((weights @ np.exp(log_sigmoid(table))).mean()) for t, table in self.basis.levels.by_trait.items()
        }

    def _key(self, lessons: Sequence[Lesson], turns: Sequence[Episode] = ()) -> Key:
        return tuple((digest(list(one.episodes)), self.dose(one)) for one in lessons), digest(list(turns))

    def _file(self, key: str) -> Path | None:
        """Where evidence is kept, under all that it comes from."""
        cast = self.basis.cast
        asked = digest([self.simulator.digest, cast.names, cast.contexts, key])
        return self.kept / f"{asked[:16]}.parquet" if self.kept else None
