"""Several checkpoints in one study: the same setting around another model, and the dose that such a model needs.

A checkpoint lives in the world that it was pretrained on, which its card names. How far a training moves a model
depends on its size and on how much it has read, so the dose that was fitted for the shipped model need not be that of
another. It is fitted anew, on development arms of which nothing else is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from personae.records.files import read_json
from personae.records.results import Floats
from personae.simulator.locating import locate
from personae.studies.cells import Arms, Cells
from personae.studies.study import UNTRAINED, Setting
from personae.theory import fit_dose, forecast_shift, posterior
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import laboratory
from personae.workflows.lab.trainings import Lesson
from personae.workflows.lab.trial import Trial

SKILLS = ("described", "after_one", "after_three")  # on the card of a checkpoint that was examined


@dataclass(frozen=True)
class Checkpoints:
    """The models of a study around `base`, and the trials {arm: trial} of all of them."""

    base: Setting
    trials: Mapping[str, Trial]
    _settings: dict[str, Setting] = field(default_factory=dict, repr=False, compare=False)

    def setting(self, model: str) -> Setting:
        """The same setting around another model, in that model's own world."""
        if model not in self._settings:
            self._settings[model] = replace(self.base, lab=laboratory(model))
        return self._settings[model]

    def untrained(self, model: str) -> Trial:
        """A model before any training."""
        return self.trials[UNTRAINED if model == self.base.request.model else f"{UNTRAINED} {model}"]

    def rates(self, model: str) -> Floats:
        """(T,) how often its Assistant does each thing, before any training."""
        trial = self.untrained(model)
        return np.array([trial.rate(trait).mean for trait in trial.traits])

    def exact_rates(self, model: str) -> Floats:
        """(T,) how often the Assistant of its corpus does."""
        return np.array(list(self.setting(model).lab.world.assistant_rates().values()))


def card(model: str) -> dict[str, Any]:
    """What the card of a checkpoint says."""
    found: dict[str, Any] = read_json(locate(model).path / "card.json")
    return found


def tokens(model: str) -> int:
    """How many tokens a checkpoint has read."""
    found = card(model)
    return int(found.get("kept_at") or found["plan"]["tokens"])


def skill_note(models: Sequence[str]) -> tuple[str, ...]:
    """What the models know of characters, as their cards have it; nothing where a card has none of it."""
    learned = {model: card(model).get("learned", {}) for model in models}
    if not all(set(SKILLS) <= set(one) for one in learned.values()):
        return ()
    each = "; ".join(f"{m}: {', '.join(f'{one[key]:.2f}' for key in SKILLS)}" for m, one in learned.items())
    return (f"Skill (exact inference being 1) by a description, after one behaviour, and after three. {each}.",)


def fitted(cells: Cells, arms: Arms) -> Foresight:
    """The foresight of `cells` with the coefficient at which it foresees the untaught traits of `arms` best."""
    foresight, basis = cells.foresight, cells.foresight.basis
    tables = [basis.levels.by_trait[trait] for trait in cells.lab.world.traits]
    pulls = [np.sum([_pull(foresight, lesson) for lesson in lessons], axis=0) for lessons in arms.values()]

    def foreseen(factor: float) -> Floats:
        weights = [posterior(basis.prior, pull[None, :], factor) for pull in pulls]
        return np.array([[forecast_shift(basis.prior, after, table) for table in tables] for after in weights])

    found = fit_dose(foreseen, cells.measured(arms), rng=np.random.default_rng(0), points=41, draws=100)
    return replace(foresight, coefficient=foresight.coefficient * found.dose)


def _pull(foresight: Foresight, lesson: Lesson) -> Floats:
    """(K + 1,) nats by which a lesson speaks for each character, at the dose it is worth now."""
    pull: Floats = foresight.dose(lesson) * foresight.evidence(lesson.episodes).mean(axis=0)
    return pull
