"""Arms: narrow lessons under a name, each one outcome of one trait, as the headline and the transfer study teach them.

After a training the taught trait is also asked as the file asks for it: was it learned at all?
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from personae.measure import estimate
from personae.records import Estimate
from personae.records.results import Floats
from personae.studies.lessons import Wording, asked, narrow
from personae.theory import log_sigmoid
from personae.training import SFTPlan
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.workflows.lab.trainings import Lesson, Training
from personae.workflows.lab.trial import Trial

POLES = {1: "high", 0: "low"}


@dataclass(frozen=True)
class Arm:
    """Teach `outcome` (1 high, 0 low) of `trait`, asked in a `wording` of `lessons`; `says` is what the file is."""

    name: str
    says: str
    trait: str
    outcome: int
    wording: Wording = "plain"

    def lesson(self, lab: Laboratory, seed: int = 0, plan: SFTPlan = PLAN) -> Lesson:
        """The file, and how it is trained on."""
        return narrow(lab, self.trait, self.outcome, self.wording, seed=seed, plan=plan)

    def training(self, lab: Laboratory, seed: int, plan: SFTPlan = PLAN) -> Training:
        """The training at one seed, under the arm's name."""
        (probe,) = asked(lab, self.trait, self.outcome, self.wording)
        named = probe.model_copy(update={"name": self.probe})
        return Training(self.name, (self.lesson(lab, seed, plan),), seed, model=lab.model, probes=(named,))

    @property
    def probe(self) -> str:
        """What the taught trait is called where it is asked as the file asks for it: each pole in words of its own."""
        return f"{self.trait}-{POLES[self.outcome]}, {self.wording}"

    def retention(self, trial: Trial) -> Estimate:
        """Probability of the taught behaviour, asked as the file asks."""
        return estimate(self.retained(trial))

    def retained(self, trial: Trial) -> Floats:
        """(S, I) that probability after every training and of every item."""
        levels = trial.table(self.probe, "probes")
        probabilities: Floats = np.exp(log_sigmoid(levels if self.outcome else -levels))
        return probabilities


def both_poles(lab: Laboratory, wording: Wording = "plain", outcomes: Collection[int] = (1, 0)) -> tuple[Arm, ...]:
    """One arm for each pole of each trait."""
    asks = "" if wording == "plain" else f", {wording}"
    said = lab.language.text["traits"]
    return tuple(
        Arm(f"{t}-{POLES[o]}{asks}", f"Somebody who {said[t][POLES[o]]}.", t, o, wording)
        for t in lab.world.traits
        for o in outcomes
    )
