"""What is known of lessons before any training: who they select, and what else they will change.

The same object over the exact world and over the untrained model, so a study reads both off in one way:

    weights ∝ prior · exp(Σ over lessons of dose · mean evidence)        dose = coefficient · steps · rate

Turns that stand in the context are evidence too, each counted once.
Lessons add up in any order: conditioning knows none. That a training does is a departure, and a study shows it.
Source: PSM.md section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from personae.measure import NOBODY, levels
from personae.predictors import Basis
from personae.records import Episode, Levels, Simulator, Trait
from personae.records.files import digest
from personae.records.results import Floats
from personae.theory import forecast_shift, log_sigmoid, posterior
from personae.workflows.gather import gather
from personae.workflows.trainings import Lesson


@dataclass(frozen=True)
class Foresight:
    """`simulator` with the `basis` of its cast; `coefficient` turns steps · rate into effective episodes."""

    simulator: Simulator
    basis: Basis
    coefficient: float
    _evidence: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)

    def dose(self, lesson: Lesson) -> float:
        """Effective episodes that a lesson is worth."""
        return self.coefficient * lesson.plan.steps * lesson.plan.rate

    def evidence(self, episodes: Sequence[Episode]) -> Floats:
        """(N, K + 1) nats for each persona, neutral first."""
        key = digest(list(episodes))
        if key not in self._evidence:
            self._evidence[key] = gather(self.simulator, self.basis.cast, episodes).matrix
        return self._evidence[key]

    def over(self, probes: Sequence[Trait]) -> "Foresight":
        """The same of other items than the basis has; who is likely is still what it was."""
        cast = self.basis.cast
        measured = levels(self.simulator, probes, {NOBODY: "", **dict(zip(cast.names, cast.contexts, strict=True))})
        rows = Levels(cast.names, {t: table[1:] for t, table in measured.by_trait.items()})
        return replace(self, basis=replace(self.basis, levels=rows, base=measured.row(NOBODY)))

    def weights(self, lessons: Sequence[Lesson], turns: Sequence[Episode] = ()) -> Floats:
        """(K + 1,) who the Assistant will be, once `turns` stand in the context."""
        weights = self.basis.prior
        for lesson in lessons:
            weights = posterior(weights, self.evidence(lesson.episodes), self.dose(lesson))
        return posterior(weights, self.evidence(turns), len(turns)) if turns else weights

    def posterior(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """{persona: weight} after the lessons, the neutral context first."""
        return dict(zip(self.basis.cast.names, self.weights(lessons).tolist(), strict=True))

    def shifts(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """{trait: forecast character shift, nats}."""
        weights = self.weights(lessons)
        return {
            t: float(forecast_shift(self.basis.prior, weights, table))
            for t, table in self.basis.levels.by_trait.items()
        }

    def rates(self, lessons: Sequence[Lesson] = (), turns: Sequence[Episode] = ()) -> dict[str, float]:
        """{trait: probability of the high pole of the mixture, mean over items}, once `turns` stand in the context."""
        weights = self.weights(lessons, turns)
        return {
            t: float((weights @ np.exp(log_sigmoid(table))).mean()) for t, table in self.basis.levels.by_trait.items()
        }
