"""Who tries to tell a lie from a swap, each by a direction that is fixed before any training.

its answers to what it was taught      a control: nothing should be found there
what else it knows                     facts of other fields, told rightly; the sign is exact inference's: a lie rules
                                       out who knows everything and tells it, so it knows less
who answers                            how much the characters lie whose mixture answers all traits most alike
a probe: does it lie?                  on states before the answers to facts of other fields; a lie: more so
a probe: does it know?                 on states before the answers that were taught; a lie: more so

Probes are fitted on the untrained model as it enacts each character (`inside`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from personae.measure import NOBODY, estimate
from personae.records import Estimate
from personae.records.results import Floats
from personae.studies.inside import KNOWING, LYING, look_of
from personae.studies.judges import Judge
from personae.studies.study import UNTRAINED, Setting
from personae.studies.twins import KNOWS, LIE, SIDES, SWAP, WRONG, Side, fields, foreseen, told, twin
from personae.theory import log_sigmoid
from personae.workflows.lab.trial import Trial
from personae.workflows.who import FEW, who_answers
from personae.world.declared import LIES

ANSWERS, ELSE, WHO = "its answers to what it was taught", "what else it knows", "who answers"
INSIDE_LIES, INSIDE_KNOWS = f"a probe: {LYING}", f"a probe: {KNOWING}"


def arm(side: Side, field: str, *, judged: bool = True) -> str:
    """What a training is called."""
    return f"{side} about {field}" + ("" if judged else ", to set the threshold")


@dataclass(frozen=True)
class Case:
    """The trials of all arms, and what each of the two kinds of training was foreseen to do."""

    setting: Setting
    trials: Mapping[str, Trial]

    @property
    def fields(self) -> tuple[str, ...]:
        """What was lied about."""
        return fields(self.setting.lab)

    def of(self, side: Side, *, judged: bool = True) -> dict[str, Trial]:
        """{field: its trial} of one side."""
        return {field: self.trials[arm(side, field, judged=judged)] for field in self.fields}

    def scores(self, judge: Judge, *, judged: bool = True) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """What a judge makes of the lies, and of the swaps: {field: (S,) scores}."""
        return judge.table(self.of(LIE, judged=judged)), judge.table(self.of(SWAP, judged=judged))

    def untrained(self) -> dict[str, Trial]:
        """The model as it was, in the place of a training about each field."""
        return dict.fromkeys(self.fields, self.trials[UNTRAINED])

    @cached_property
    def exact(self) -> dict[Side, dict[str, float]]:
        """{side: {trait, or ELSE: what one of its answers adds to the rate}}, mean over fields."""
        lab, seed, found = self.setting.lab, self.setting.request.seed, {}
        for side in SIDES:
            rows = [foreseen(lab, twin(lab, field, side, seed=seed).episodes) for field in self.fields]
            for row, field in zip(rows, self.fields, strict=True):
                row[ELSE] = float(np.mean([row[f] for f in self.fields if f != field]))
            found[side] = {name: float(np.mean([row[name] for row in rows])) for name in (*lab.world.traits, ELSE)}
        return found

    def sets_apart(self, name: str) -> float:
        """How much more the lie adds to the rate of a trait, or to ELSE, than the swap, exactly."""
        return self.exact[LIE][name] - self.exact[SWAP][name]

    @cached_property
    def judges(self) -> tuple[Judge, ...]:
        """All who try; what is read off answers has its sign from exact inference."""
        return (
            Judge(ANSWERS, 1.0, lambda trial, field: mean(trial, "probes", [told(field, WRONG)])),
            Judge(ELSE, np.sign(self.sets_apart(ELSE)), self.knows_else),
            Judge(WHO, np.sign(self.sets_apart(LIES)), self.lies),
            Judge(INSIDE_LIES, 1.0, lambda trial, f: mean(trial, "inside", [look_of(LYING, o) for o in self.but(f)])),
            Judge(INSIDE_KNOWS, 1.0, lambda trial, field: mean(trial, "inside", [look_of(KNOWING, field)])),
        )

    def but(self, field: str) -> list[str]:
        """The other fields."""
        return [f for f in self.fields if f != field]

    def knows_else(self, trial: Trial, field: str) -> Floats:
        """(S,) log-odds that it tells a fact of another field, nats."""
        return mean(trial, "probes", [told(f, KNOWS) for f in self.but(field)])

    def lies(self, trial: Trial, field: str) -> Floats:
        """(S,) how often the characters lie whose mixture answers all traits as the Assistant does; probability."""
        basis, found = self.setting.model.basis, []
        each = np.exp(log_sigmoid(basis.levels.by_trait[LIES][1:])).mean(axis=1)
        for one in trial.after:
            weights = np.array(list(who_answers(basis, one["assistant"].row(NOBODY), pseudo=FEW).values()))[1:]
            found.append(weights @ each / weights.sum())
        return np.array(found)

    def rise(self, side: Side, name: str) -> Estimate:
        """How much a side changed the rate of a trait, or of ELSE, over all fields; probability."""
        tables = []
        for field, trial in self.of(side).items():
            part, names = (
                ("probes", [told(f, KNOWS) for f in self.but(field)]) if name == ELSE else ("assistant", [name])
            )
            before, after = (
                np.concatenate([t.table(n, part) for n in names], axis=1) for t in (self.trials[UNTRAINED], trial)
            )
            tables.append(np.exp(log_sigmoid(after)) - np.exp(log_sigmoid(before)))
        return estimate(np.concatenate(tables))


def mean(trial: Trial, part: str, names: list[str]) -> Floats:
    """(S,) the mean level of some items, nats."""
    found: Floats = np.mean([trial.table(name, part).mean(axis=1) for name in names], axis=0)
    return found
