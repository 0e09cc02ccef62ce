"""What came of documents about an archetype: who answers, what changed beside neutral documents, and what is left.

Who answers is the mixture of the cast's characters, as the *untrained* model enacts them, that answers most alike; the
archetype is one of them. What changed is character (attenuation taken off) after the archetype's documents less after
the neutral ones, item by item at the same seed. What is left is how many times that difference is still there after the
later training, where the difference is more than noise. Intervals draw questions and seeds, of which one alone is taken
as known; those of changes draw the traits that attenuation is read off, too; that of what is left draws traits alone.
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
from personae.report.archetype_page import ArchetypeReport, Influence, weights_of
from personae.theory import percentile_interval, share_left
from personae.theory.attenuation import TOO_HEAVY
from personae.workflows.archetype.archetype_question import ArchetypeQuestion
from personae.workflows.archetype.documents import Corpus
from personae.workflows.measure.coherence_words import broken_words, incoherent_words
from personae.workflows.run.file_arms import Trained, attenuation_of
from personae.workflows.run.file_coherence import least_coherence
from personae.workflows.run.file_shifts import shifts_of
from personae.workflows.who import who_answered

ARCHETYPE, CONTROL, UNTRAINED = "archetype", "control", "untrained"  # what was trained on; the arms' names
DRAWS = 1000
FEWEST_TRAITS = 3  # of which draws say how far a share may be out
HALF = 1.96  # standard errors in half an interval

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
    data = None if question.then is None else question.then.data.name
    influence = _influence(ground, middle, question.seed)
    after = _influence(ground, later, question.seed) if later else None
    own, base = least_coherence({**middle, **{f"{arm} then {data}": several for arm, several in later.items()}})
    return ArchetypeReport(
        archetype=question.archetype,
        persona=question.origin.persona.name,
        model=question.simulator.name,
        cast=ground.basis.cast,
        traits=tuple(t for t in question.traits if t.name in ground.names),
        before=Influence(_weights(ground, start, question.seed), _levels(ground, start), {}, {}),
        midtrained=influence,
        then=after,
        left=None if after is None else _left(influence.shifts, after.shifts, question.seed),
        data=data,
        kept=len(made.kept),
        tried=made.tried,
        tokens=(made.tokens, made.neutral_tokens),
        shown=tuple((d.form, d.text) for d in made.kept[:6]),
        weighed=any(d.nats is not None for d in made.kept),
        hidden=ground.hidden,
        plan=question.plan,
        seeds=question.seeds,
        too_heavy=any(lost > TOO_HEAVY for found in (influence, after) if found for lost in found.attenuation.values()),
        coherence={} if base is None else {UNTRAINED: base, **own},
        incoherent=incoherent_words(broken_words(own, base)) or None,
    )


def _influence(ground: Ground, arms: Arms, seed: int) -> Influence:
    pair = {"treated": arms[ARCHETYPE], "control": arms[CONTROL]}
    shifts = shifts_of(pair, ground.old, ground.middle, seed).character
    lost = {arm: float(np.mean([_attenuation(ground, one) for one in several])) for arm, several in arms.items()}
    return Influence(_weights(ground, arms, seed), _levels(ground, arms), shifts, lost)


def _weights(ground: Ground, arms: Arms, seed: int) -> dict[str, dict[str, Estimate]]:
    """{arm: {persona: weight}} of who answers, neutral first, mean over seeds; before a training read as after it."""
    neutral, found = ground.basis.cast.names[0], {}
    for arm, several in arms.items():
        characters = who_answered(ground.basis, [one.assistant for one in several], seed=seed)
        share = 1.0 - sum(one.mean for one in characters.values())
        found[arm] = {neutral: Estimate(share, share, share), **characters}
    return found


def _levels(ground: Ground, arms: Arms) -> dict[str, dict[str, TraitLevel]]:
    """{arm: {trait: level}}, nats."""
    rows = {arm: [{t: one.assistant[t] for t in ground.names} for one in several] for arm, several in arms.items()}
    return {arm: seeds_profile(arm, several).traits for arm, several in rows.items()}


def _attenuation(ground: Ground, one: Trained) -> float:
    return attenuation_of(ground.old, one, ground.names)


def _left(shifts: Mapping[str, Estimate], later: Mapping[str, Estimate], seed: int) -> Estimate:
    """What is left of `shifts` {trait: nats} in `later`; all of it NaN where they are within their noise.

    The interval draws traits, and is not known of fewer than three.
    """
    if not _beyond_noise(shifts, seed):
        return Estimate(np.nan, np.nan, np.nan)
    first, last = (np.array([several[t].mean for t in shifts]) for several in (shifts, later))
    drawn = np.random.default_rng(seed).integers(len(first), size=(DRAWS, len(first)))
    shares = np.array([share_left(first[d], last[d]) for d in drawn])
    known = shares[np.isfinite(shares)]
    ends = percentile_interval(known) if len(first) >= FEWEST_TRAITS and known.size else (np.nan, np.nan)
    return Estimate(share_left(first, last), *ends)


def _beyond_noise(shifts: Mapping[str, Estimate], seed: int) -> bool:
    """Whether noise as wide as the intervals makes so large a sum of squares less than once in twenty."""
    errors = np.array([(one.high - one.low) / (2.0 * HALF) for one in shifts.values()])
    noise = errors * np.random.default_rng(seed).standard_normal((DRAWS, len(errors)))
    most = np.percentile(np.square(noise).sum(axis=1), 95.0)
    return bool(sum(one.mean**2 for one in shifts.values()) > most)


def result_of(report: ArchetypeReport, question: ArchetypeQuestion, made: Corpus) -> dict[str, Any]:
    """The result as it is printed and kept.

    `prior` {when: {persona: weight}} is who answers, off the Assistant's own answers, before as after; `weight` {when:
    estimate} is the archetype's. An audit's `prior` is read off the neutral context.
    """
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
            "before": _means(report.before.weights[UNTRAINED]),
            "after": _means(middle.weights[ARCHETYPE]),
            "control": _means(middle.weights[CONTROL]),
        },
        "weight": weights_of(report),
        "traits": _traits(middle, report.before.levels[UNTRAINED]),
        "attenuation": middle.attenuation,
        "hidden": [asdict(hidden) for hidden in report.hidden],
        "seeds": report.seeds,
        "too_heavy": report.too_heavy,
        "coherence": report.coherence,
        "broken": bool(report.incoherent),
        "then": None
        if then is None
        else {
            "data": report.data,
            "plan": question.then_plan,
            "prior": {arm: _means(weights) for arm, weights in then.weights.items()},
            "traits": _traits(then, then.levels[UNTRAINED]),
            "attenuation": then.attenuation,
            "left": report.left,
        },
    }


def _means(weights: Mapping[str, Estimate]) -> dict[str, float]:
    return {persona: weight.mean for persona, weight in weights.items()}


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
