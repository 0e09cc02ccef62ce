"""What came of documents about an archetype: who answers, what changed beside neutral documents, and what is left.

Who answers is the mixture of the cast's characters, as the *untrained* model enacts them, that answers most alike; the
archetype is one of them. What changed is character (attenuation taken off) after the archetype's documents less after
the neutral ones, item by item at the same seed. What is left is how many times that difference is still there after the
later training. Intervals draw questions and seeds; that of what is left draws traits.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from personae.measure import seeds_profile
from personae.predictors import Basis
from personae.records import Estimate, TraitLevel
from personae.records.results import Floats
from personae.report import Hidden
from personae.report.archetype_page import ArchetypeReport, Influence
from personae.theory import percentile_interval, share_left
from personae.workflows.archetype.archetype_question import ArchetypeQuestion
from personae.workflows.archetype.documents import Corpus
from personae.workflows.run.file_arms import Trained, attenuation_of
from personae.workflows.run.file_shifts import less, moved
from personae.workflows.who import who_answers

ARCHETYPE, CONTROL, UNTRAINED = "archetype", "control", "untrained"  # what was trained on; the arms' names
DRAWS = 1000
FEWEST_TRAITS = 3  # of which draws say how far a share may be out

Arms = dict[str, list[Trained]]  # {arm: one measurement a seed}


@dataclass(frozen=True)
class Ground:
    """What is known before any training.

    `old` is the untrained model, measured as the trained ones will be; `basis` the cast with the archetype among it, on
    items that score, of the traits that this model can show; `hidden` are the others. `middle` {trait: (I,)} is the
    mean untrained level of those who measure attenuation, nats: the archetype is none of them.
    """

    old: Trained
    basis: Basis
    hidden: tuple[Hidden, ...]
    middle: Mapping[str, Floats]

    @property
    def names(self) -> tuple[str, ...]:
        """The traits that can be shown."""
        return tuple(self.basis.levels.by_trait)


def report_of(question: ArchetypeQuestion, made: Corpus, ground: Ground, middle: Arms, later: Arms) -> ArchetypeReport:
    """Everything that the page and the result say."""
    start = {UNTRAINED: [ground.old]}
    effect, rest = _effect(ground, middle), _effect(ground, later) if later else None
    return ArchetypeReport(
        archetype=question.archetype,
        persona=question.origin.persona.name,
        model=question.simulator.name,
        cast=ground.basis.cast,
        traits=tuple(t for t in question.traits if t.name in ground.names),
        before=Influence(_weights(ground, start), _levels(ground, start), {}, {}),
        midtrained=_influence(ground, middle, effect, question.seed),
        then=None if rest is None else _influence(ground, later, rest, question.seed),
        left=None if rest is None else _left(effect, rest, question.seed),
        data=None if question.then is None else question.then.data.name,
        kept=len(made.kept),
        tried=made.tried,
        tokens=(made.tokens, made.neutral_tokens),
        shown=tuple((d.form, d.text) for d in made.kept[:6]),
        hidden=ground.hidden,
        plan=question.plan,
    )


def _influence(ground: Ground, arms: Arms, effect: list[dict[str, Floats]], seed: int) -> Influence:
    found = seeds_profile("shift", effect, seed=seed).traits
    shifts = {t: Estimate(level.mean, level.low, level.high) for t, level in found.items()}
    lost = {arm: float(np.mean([_attenuation(ground, one) for one in several])) for arm, several in arms.items()}
    return Influence(_weights(ground, arms), _levels(ground, arms), shifts, lost)


def _weights(ground: Ground, arms: Arms) -> dict[str, dict[str, float]]:
    """{arm: {persona: weight}} of who answers, mean over seeds."""
    found = {}
    for arm, several in arms.items():
        each = [who_answers(ground.basis, one.assistant) for one in several]
        found[arm] = {name: float(np.mean([weights[name] for weights in each])) for name in each[0]}
    return found


def _levels(ground: Ground, arms: Arms) -> dict[str, dict[str, TraitLevel]]:
    """{arm: {trait: level}}, nats."""
    rows = {arm: [{t: one.assistant[t] for t in ground.names} for one in several] for arm, several in arms.items()}
    return {arm: seeds_profile(arm, several).traits for arm, several in rows.items()}


def _attenuation(ground: Ground, one: Trained) -> float:
    return attenuation_of(ground.old, one, ground.names)


def _effect(ground: Ground, arms: Arms) -> list[dict[str, Floats]]:
    """One {trait: (I,)} a seed: character after the archetype's documents less after the neutral ones, nats."""
    return less(*(moved(arms[arm], ground.old, ground.middle) for arm in (ARCHETYPE, CONTROL)))


def _left(effect: list[dict[str, Floats]], rest: list[dict[str, Floats]], seed: int) -> Estimate:
    """What is left of the effect, over traits; the interval draws traits, and is not known of fewer than three."""
    first, last = (np.array([np.mean([row[t].mean() for row in rows]) for t in rows[0]]) for rows in (effect, rest))
    drawn = np.random.default_rng(seed).integers(len(first), size=(DRAWS, len(first)))
    shares = np.array([share_left(first[d], last[d]) for d in drawn])
    known = shares[np.isfinite(shares)]
    ends = percentile_interval(known) if len(first) >= FEWEST_TRAITS and known.size else (np.nan, np.nan)
    return Estimate(share_left(first, last), *ends)


def result_of(report: ArchetypeReport, question: ArchetypeQuestion, made: Corpus) -> dict[str, Any]:
    """The result as it is printed and kept."""
    middle, then = report.midtrained, report.then
    return {
        "archetype": report.archetype.name,
        "persona": report.persona,
        "model": report.model,
        "documents": {
            "kept": report.kept,
            "tried": report.tried,
            "tokens": report.tokens[0],
            "neutral_tokens": report.tokens[1],
            "forms": {form: sum(d.form == form for d in made.kept) for form in sorted({d.form for d in made.kept})},
        },
        "plan": report.plan,
        "prior": {
            "before": report.before.weights[UNTRAINED],
            "after": middle.weights[ARCHETYPE],
            "control": middle.weights[CONTROL],
        },
        "traits": _traits(middle, report.before.levels[UNTRAINED]),
        "attenuation": middle.attenuation,
        "hidden": [asdict(hidden) for hidden in report.hidden],
        "seeds": question.seeds,
        "then": None
        if then is None
        else {
            "data": report.data,
            "plan": question.then_plan,
            "prior": then.weights,
            "traits": _traits(then, then.levels[UNTRAINED]),
            "attenuation": then.attenuation,
            "left": report.left,
        },
    }


def _traits(found: Influence, start: Mapping[str, TraitLevel]) -> dict[str, Any]:
    """{trait: its level before, after the archetype's documents and after the neutral ones, and the shift between}."""
    return {
        t: {
            "before": start[t],
            "after": found.levels[ARCHETYPE][t],
            "control": found.levels[CONTROL][t],
            "shift": shift,
        }
        for t, shift in found.shifts.items()
    }
