"""How well planted models are told from their innocent twins, and what they are named, blind to what was planted.

One figure, the `alarm` of `personae.workflows.compare.naming`, stands for how unlike a reweighting a model is; its
bounds were fixed on the development set.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from planted import kept, recipes

from personae.records import Estimate
from personae.records.files import read_arrays
from personae.records.results import Floats
from personae.studies.plants import KINDS, STRENGTHS, Recipe, gate
from personae.theory.detection import auroc, rate
from personae.theory.exhaustiveness import reweighted
from personae.theory.gates import Inside
from personae.theory.reweighting import fit_weights, mixture
from personae.workflows.compare.compare import PROBES
from personae.workflows.compare.compared_answers import Asked, asked_of_probes
from personae.workflows.compare.naming import NAMES, Residue, residue
from personae.workflows.lab.laboratory import laboratory
from personae.workflows.lab.parallel import in_parallel
from personae.world.probes import probes

CHANGED = 0.25  # of what is said in a context
INNOCENT = "innocent"


@dataclass(frozen=True)
class Told:
    """What was planted and what it changes, and what the report, which knows neither, reads off.

    `effect` is the share of contexts in which the plant changes a quarter of what is said, or more.
    """

    how: Recipe
    effect: float
    share: float
    residue: Residue

    @property
    def kind(self) -> str:
        """What was planted, or that nothing was."""
        return INNOCENT if self.how.innocent else self.how.plant.kind


def scored(part: str, folder: Path, workers: int) -> list[Told]:
    """All models of a part that are made, from their kept answers in `folder`."""
    cases = [(how, kept(folder / part, how)) for how in recipes(part)]
    return [one for _, one in in_parallel(told, [case for case in cases if case[1].exists()], workers)]


def told(case: tuple[Recipe, Path]) -> Told:
    """One trained model."""
    how, file = case
    lab, columns = laboratory(), read_arrays(file)
    asked = asked_of_probes(lab.simulator, lab.basis().cast, probes(lab.world, lab.language, PROBES))
    post = columns["p"].reshape(len(asked.probes), -1)
    whole = reweighted(post, asked.base, asked.cast, asked.clusters)
    acts = gate(lab, how)
    inside = np.array([acts(probe) for probe in asked.probes])
    return Told(how, effect(asked, post, inside), whole.share.mean, residue(asked, post, whole))


def effect(asked: Asked, post: Floats, inside: Inside) -> float:
    """Measured against the mixture of the cast that is nearest to the model where its gate is shut."""
    outside = fit_weights(post[~inside], asked.cast[:, ~inside], pseudo=1.0).weights
    changed = 0.5 * np.abs(post - mixture(outside, asked.cast)).sum(axis=1) >= CHANGED
    return float((changed & inside).mean())


def of(found: Sequence[Told], kind: str = "", strength: float | None = None) -> list[Told]:
    """The models of a kind ("": all that have a plant) and of a strength (None: any)."""
    some = [one for one in found if (one.kind == kind if kind else not one.how.innocent)]
    return [one for one in some if strength is None or one.how.plant.strength == strength]


# -- tables ------------------------------------------------------------------------------------------------------------
DETECTION = ("gate", "planted", "models", "answers changed in", "AUROC", "told", "explained share")


def detection(found: Sequence[Told]) -> list[tuple[str, ...]]:
    """A row for every strength and kind: AUROC against the innocent, how many are told, their explained share."""
    twins, rows = of(found, INNOCENT), []
    for strength in STRENGTHS:
        for kind in ("", *KINDS):
            some = of(found, kind, strength)
            if some:
                changed = f"{np.mean([one.effect for one in some]):.1%}"
                row = (f"{strength:.0%}", kind or "all", str(len(some)), changed, span(area(some, twins)))
                rows.append((*row, span(alarms(some)), shares(some)))
    return [*rows, ("", "innocent twins", str(len(twins)), "", "", span(alarms(twins)), shares(twins))]


def area(some: Sequence[Told], twins: Sequence[Told]) -> Estimate:
    """AUROC of the alarm."""
    return auroc([one.residue.alarm for one in some], [one.residue.alarm for one in twins])


def alarms(some: Sequence[Told]) -> Estimate:
    """How many are called something else than a reweighting."""
    return rate(sum(one.residue.name != NAMES[0] for one in some), len(some))


def shares(some: Sequence[Told]) -> str:
    """The middle half of explained shares."""
    low, middle, high = np.quantile([one.share for one in some], [0.25, 0.5, 0.75])
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def names(found: Sequence[Told], strength: float | None = None) -> dict[str, Counter[str]]:
    """{what was planted: how often it gets each name}; innocent twins of any strength."""
    kinds = (*KINDS, INNOCENT)
    return {k: Counter(o.residue.name for o in of(found, k, None if k == INNOCENT else strength)) for k in kinds}


def confusion(found: Sequence[Told], strength: float | None = None) -> list[tuple[str, ...]]:
    """The same as rows of a table."""
    return [(kind, *(str(some[name] or "") for name in NAMES)) for kind, some in names(found, strength).items()]


def rightly(found: Sequence[Told], strength: float) -> Estimate:
    """How many planted models of a strength are named what they are."""
    some = of(found, "", strength)
    return rate(sum(one.residue.name == one.kind for one in some), len(some))


def span(of: Estimate) -> str:
    """An estimate with its interval."""
    return f"{of.mean:.2f} [{of.low:.2f}, {of.high:.2f}]"
