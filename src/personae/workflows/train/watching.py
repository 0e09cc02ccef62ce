"""The explained share and the posterior while a model is trained, and bounds at which the training warns or stops.

`personae train --watch` looks so at a training of its own, `persona_watch.PersonaWatch` at one of somebody else's.

    some steps -> answers in a few fixed contexts -> share, posterior moved -> a line of watch.jsonl, told as it comes

The contexts are those of `compare`, fewer of them: drawn from the world of a laboratory's model, a few items of each
trait of another. What cast and Assistant answer there before any training is measured once and kept, and not at all
where an audit of the model has done so. Looking changes nothing: the weights are those of a training without it.

share   explained share: how much of what has changed so far is a reweighting of the cast (PSM.md section 2); what the
        file itself teaches is among it, as in `compare`, and in the first steps most of it
moved   how far the weights of the characters have gone, KL(now ‖ before), nats

A bound is crossed only where the whole 95 % interval lies beyond: a few contexts late rather than one too early.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.measure import NOBODY, levels
from personae.measure.answers import outcome_probabilities
from personae.predictors import Basis
from personae.records import Cast, Estimate, Trait
from personae.records.files import canonical, write_text
from personae.records.results import Floats
from personae.theory import poles
from personae.theory.exhaustiveness import Explained
from personae.workflows.audit.bounds import Bound, read_bound
from personae.workflows.audit.file_question import ITEMS as AUDITED
from personae.workflows.audit.file_question import fewer
from personae.workflows.compare.compare import CompareQuestion, asked_of
from personae.workflows.compare.compared_answers import Asked
from personae.workflows.kept.basis_cache import cached_basis, unmeasured
from personae.workflows.nouns_for import nouns, world_of
from personae.workflows.watch import Watch, unwatched
from personae.workflows.who import who_moved
from personae.world import World

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

FIGURES = {"share": "explained share", "moved": "nats the posterior moved"}
LOOKS = 10  # in a training, at most
CONTEXTS, ITEMS = 80, 4  # drawn in the laboratory; of each trait
LOG = "watch.jsonl"


@dataclass(frozen=True)
class Limits:
    """Bounds on the figures at which a training is stopped, and those of which it only warns."""

    stop: tuple[Bound, ...] = ()
    warn: tuple[Bound, ...] = ()


def read_limits(
    stop: Sequence[str], warn: Sequence[str], options: Sequence[str] = ("--stop-if", "--warn-if")
) -> Limits:
    """The bounds as they were written, `share<0.8` or `moved>0.5`; `options` is what an error calls the two.

    Raises `BadInput` for what is no bound on one of the two figures.
    """
    return Limits(
        *(
            tuple(read_bound(text, FIGURES, option, "figure") for text in several)
            for option, several in zip(options, (stop, warn), strict=True)
        )
    )


@dataclass(frozen=True)
class Seen:
    """What was seen after a `step`; `floor`: the share of a shuffled cast. NaN: nothing has changed beyond noise."""

    step: int
    share: Estimate
    floor: float
    moved: Estimate

    def crosses(self, bound: Bound) -> bool:
        """Whether a figure lies beyond a bound with all of its interval."""
        figure = self.share if bound.trait == "share" else self.moved
        return bound.crossed(figure.low if bound.sign == ">" else figure.high)

    def words(self) -> str:
        """In a line."""
        share, moved = (f"{e.mean:.2f} ({e.low:.2f} to {e.high:.2f})" for e in (self.share, self.moved))
        told = "nothing has changed yet" if self.share.mean != self.share.mean else f"explained share {share}"
        return f"step {self.step}: {told}, posterior moved {moved} nats"


def looked_at(step: int, total: int) -> bool:
    """Whether the training is looked at after `step` of `total`: `LOOKS` times, evenly, the last step among them.

    >>> [step for step in range(1, 26) if looked_at(step, 25)]
    [3, 5, 8, 10, 13, 15, 18, 20, 23, 25]
    """
    return step * LOOKS // total > (step - 1) * LOOKS // total


@dataclass(frozen=True)
class Watching:
    """Looks at a training of the model that `basis` and `asked` are of; every look is added to `log` and told.

    `traits` are whose items are asked; `world` is that of a laboratory's model, and None of another.
    """

    traits: tuple[Trait, ...]
    world: World | None
    basis: Basis
    asked: Asked
    limits: Limits
    log: Path
    tell: Callable[[str], object]

    def __call__(self, step: int, total: int, simulator: "LocalSimulator") -> bool:
        """Look where it is time to; False where the training is to stop."""
        if not looked_at(step, total):
            return True
        look = self.look(step, simulator)
        self._write_down(look)
        self.tell(look.words())
        for bound in filter(look.crosses, self.limits.warn):
            self.tell(f"warning: {said(bound)} is crossed at step {step}")
        over = [bound for bound in self.limits.stop if look.crosses(bound)]
        for bound in over:
            self.tell(f"{said(bound)} is crossed at step {step} of {total}: the training stops")
        return not over

    def _write_down(self, look: Seen) -> None:
        """Add a line to the log: what was seen, and which bounds it crosses."""
        kept = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        over = [bound.written for bound in (*self.limits.warn, *self.limits.stop) if look.crosses(bound)]
        write_text(self.log, f"{kept}{canonical({**vars(look), 'crossed': over})}\n")

    def look(self, step: int, simulator: "LocalSimulator") -> Seen:
        """What a model in training has become."""
        rows, now = self._answers(simulator)
        found: Explained = self.asked.explained([now])
        return Seen(step, found.share, found.floor, who_moved(self.basis, self.basis.base, [rows]))

    def apart(self, simulator: "LocalSimulator") -> float:
        """How far a model's answers are from those before any training: total variation, mean over contexts, 0 to 1."""
        return float(np.abs(self._answers(simulator)[1] - self.asked.base).sum(axis=1).mean() / 2.0)

    def _answers(self, simulator: "LocalSimulator") -> tuple[dict[str, Floats], Floats]:
        """{trait: (I,)} levels of the Assistant, nats, and (C, A) what it answers in the contexts."""
        rows = levels(simulator, self.traits, {NOBODY: ""}).row(NOBODY)
        if self.world is None:
            return rows, poles(np.concatenate([rows[trait.name] for trait in self.traits]))
        return rows, outcome_probabilities(simulator, self.asked.probes, [""])[0]


def watching(
    model: str,
    simulator: "LocalSimulator",
    limits: Limits,
    log: Path,
    tell: Callable[[str], object],
    watch: Watch = unwatched,
    *,
    cast: Cast | None = None,
    traits: Sequence[Trait] | None = None,
) -> Watching:
    """What will look at a training of `simulator`, called `model`, once its cast is measured.

    `cast` and `traits` are by default those that fit the model.
    """
    fitting = nouns(model)
    cast, every = cast or fitting[0], traits or fitting[1]
    audited = fewer(every, AUDITED)
    asking = fewer(audited, ITEMS)
    question = CompareQuestion(simulator, simulator, None, cast, asking, world_of(model), contexts=CONTEXTS)
    if unmeasured(simulator, cast, audited):
        with watch("the cast's traits, once for this model", "answers") as progress:
            basis = cached_basis(simulator, cast, asking, progress).basis
    else:
        basis = _few(cached_basis(simulator, cast, audited).basis, audited, asking)
    asked = asked_of(question, basis, watch)
    return Watching(asking, question.world, basis, asked, limits, log, tell)


def _few(basis: Basis, audited: Sequence[Trait], traits: Sequence[Trait]) -> Basis:
    """The basis on the items that `traits` have of those that were audited."""
    return basis.items(
        {
            a.name: np.isin([i.id for i in a.items], [i.id for i in t.items])
            for a, t in zip(audited, traits, strict=True)
        }
    )


def read_looks(log: Path) -> list[dict[str, Any]]:
    """What was seen in a training, look by look."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def crossed(looks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each bound that a look found crossed, with its `step`; looks that an earlier version wrote say of none."""
    return [{"bound": bound, "step": look["step"]} for look in looks for bound in look.get("crossed", ())]


def said(bound: Bound) -> str:
    """A bound in words."""
    return f"{FIGURES[bound.trait]} {bound.sign} {bound.nats:g}"
