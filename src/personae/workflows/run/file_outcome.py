"""What came of a run on a file: its shifts, its profile, its score beside the floors, and the page.

    measurements of every training -> FileRun -> profile.json, score.json, report.html; the score enters the ledger

What is measured is *character* (`theory.attenuation`), item by item, of the file's training less the control's at the
same seed; with no control the untrained model stands in its place. Attenuation is each training's own, and as uncertain
as it is: intervals draw questions, seeds, and the traits that it is read off. The same without it stands beside, raw.
A run whose training broke the model (`measure.coherence`) is shown, and does not enter the ledger. Source: PSM.md
section 2, Definitions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from personae.measure import seeds_profile
from personae.predictors import nearest, one_direction
from personae.records import Estimate, Forecast, Profile, Score, TraitLevel
from personae.records.files import digest_file, plain, write_json, write_text
from personae.records.results import Floats
from personae.report import CharacterShift, Fact, Hidden, audit_page
from personae.report.numbers import percent
from personae.theory import attenuation_only, cell_reliability, pearson, pearson_interval, score, seed_variance
from personae.theory.attenuation import TOO_HEAVY
from personae.theory.reliability import RELIABLE
from personae.workflows.audit.file_audit import PAGE, FileAudit, page_content
from personae.workflows.audit.sealing import FORECAST, sealed_at
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.keeping import keep_score
from personae.workflows.measure.coherence_words import broken_words, incoherent_words
from personae.workflows.run.file_arms import Trained, before, centre
from personae.workflows.run.file_coherence import least_coherence
from personae.workflows.run.file_shifts import Rows, Shifts, shifts_of

PROFILE, SCORE = "profile.json", "score.json"
ASIDE = "after training, what another question or seed makes is more than what tells its characters apart"


@dataclass(frozen=True)
class FileRun:
    """What came of it: `shifts` {trait: measured character shift, nats}, `raw` without attenuation taken off.

    `by_seed` {trait: the same shift, nats} of each seed by itself; `reliability` {trait: that of the trained profile}.
    No score counts what the file itself trains, nor what is `set_aside`, too unreliable after training. `coherence`
    {arm: the least of its trainings} stands beside the untrained model's; empty and None where they were not measured.
    """

    audit: FileAudit
    shifts: dict[str, Estimate]
    raw: dict[str, Estimate]
    attenuation: dict[str, Estimate]
    score: Score
    profile: dict[str, Any]
    scored: dict[str, Any]
    sealed_at: float = 0.0  # when the forecast was written, seconds since 1970
    unkept: str = ""  # why the ledger lacks the forecast or its score
    by_seed: tuple[dict[str, float], ...] = ()
    reliability: dict[str, float] = field(default_factory=dict)
    set_aside: tuple[str, ...] = ()
    coherence: dict[str, float] = field(default_factory=dict)
    untrained_coherence: float | None = None

    @property
    def broken(self) -> str:
        """Which training broke the model, and by how much; empty where none did, or nobody knows."""
        return broken_words(self.coherence, self.untrained_coherence)

    @property
    def too_heavy(self) -> bool:
        """Whether a training of it took more of the instrument than a forecast allows."""
        return any(lost.mean > TOO_HEAVY for lost in self.attenuation.values())


def tell(found: FileAudit, trained: Mapping[str, Sequence[Trained]], folder: RunFolder) -> FileRun:
    """Shifts, profile and score of what was trained, written beside the forecast, and the page."""
    seed = found.question.seed
    moved = shifts_of(trained, before(found.whole.basis), centre(found.audit.basis), seed)
    by_seed = tuple({t: float(row[t].mean()) for t in row} for row in moved.by_seed)
    personas = {t: table[1:] for t, table in found.audit.basis.levels.by_trait.items()}
    reliability = trained_reliability(personas, by_seed)
    aside = tuple(t for t, r in reliability.items() if t not in found.question.trained and not r >= RELIABLE)
    beside = floors(found, moved.by_seed, aside)
    own, untrained = least_coherence(trained)
    run = FileRun(
        audit=found,
        shifts=moved.character,
        raw=moved.raw,
        attenuation=moved.attenuation,
        score=_score(found, moved.by_seed, beside, aside),
        profile={},
        scored={},
        by_seed=by_seed,
        reliability=reliability,
        set_aside=aside,
        coherence=own,
        untrained_coherence=untrained,
    )
    profile, scored = _profile(run, trained, seed), _scored(run, moved, beside, folder)
    run = replace(run, profile=profile, scored=scored)
    write_json(folder.file(PROFILE), profile)
    write_json(folder.file(SCORE), scored)
    write_text(folder.file(PAGE), _page(run))
    sealed = sealed_at(folder)
    kept = (
        f"not entered in the ledger: {run.broken}" if run.broken else keep_score(found.record, sealed, plain(profile))
    )
    unkept = dict.fromkeys((found.unkept, kept))
    return replace(run, sealed_at=sealed, unkept="; ".join(filter(None, unkept)))


def result(run: FileRun) -> dict[str, Any]:
    """All of it as one object: the audit's, with `profile`, `score` and why the ledger lacks something, `unkept`."""
    return {**run.audit.record, "profile": run.profile, "score": run.scored, "unkept": run.unkept}


# -- the score -------------------------------------------------------------------------------------------------------
def floors(found: FileAudit, character: Rows, aside: Sequence[str]) -> dict[str, Floats]:
    """{floor: forecast shift (T,)} of forecasts that know nothing of who is selected, on the traits that are scored."""
    result, seed, base = found.audit, found.question.seed, found.audit.basis.base
    middle = centre(result.basis)
    off_centre = np.array([(base[t] - middle[t]).mean() for t in result.forecast.traits])
    return {
        "attenuation only": attenuation_only(off_centre, _counted(found, character, aside)[None, :])[0],
        "one direction": _shifts(one_direction(result.basis, result.evidence, result.posterior.dose, seed=seed)),
        "nearest persona": _shifts(nearest(result.basis, result.evidence, result.posterior.dose, seed=seed)),
    }


def _counted(found: FileAudit, rows: Rows, aside: Sequence[str]) -> Floats:
    """(T,) mean shifts, NaN in the traits `aside` and in those named that the file itself trains."""
    left_out = {*found.question.trained, *aside}
    return np.array(
        [np.nan if t in left_out else np.mean([row[t].mean() for row in rows]) for t in found.audit.forecast.traits]
    )


def _score(found: FileAudit, character: Rows, beside: Mapping[str, Floats], aside: Sequence[str]) -> Score:
    """On the traits that the file does not itself train, less those set `aside`."""
    traits = found.audit.forecast.traits
    return score(
        _shifts(found.audit.forecast),
        _counted(found, character, aside),
        low=[t.low - t.base for t in traits.values()],
        high=[t.high - t.base for t in traits.values()],
        floors=beside,
    )


def _shifts(forecast: Forecast) -> Floats:
    return np.array([t.shift for t in forecast.traits.values()])


def _scored(run: FileRun, moved: Shifts, beside: Mapping[str, Floats], folder: RunFolder) -> dict[str, Any]:
    """What `score.json` holds: the score, root mean square errors beside those of the floors, and what was scored."""
    forecast = _shifts(run.audit.audit.forecast)
    measured, raw = (_counted(run.audit, rows, run.set_aside) for rows in (moved.by_seed, moved.raw_by_seed))
    parts = {part: np.array(list(by.values())) for part, by in run.audit.parts.items()}
    every = {"forecast": forecast, "no change": np.zeros(len(measured)), **beside, **parts}
    return {
        "pearson": run.score.pearson,
        "pearson_raw": pearson(forecast, raw),
        "spearman": run.score.spearman,
        "slope": run.score.slope,
        "coverage": run.score.coverage,
        "n": run.score.n,
        "trained": list(run.audit.question.trained),
        "set_aside": list(run.set_aside),
        "floors": run.score.floors,
        **({"parts": {part: pearson(shifts, measured) for part, shifts in parts.items()}} if parts else {}),
        "errors": {name: _error(shifts, measured) for name, shifts in every.items()},
        "too_heavy": run.too_heavy,
        "broken": bool(run.broken),
        "forecast_digest": run.audit.record["digest"],
        "forecast_sha256": digest_file(folder.file(FORECAST)),
    }


def _error(forecast: Floats, measured: Floats) -> float:
    """Root mean square of what is scored, nats; NaN where nothing is."""
    off = np.square(forecast - measured)
    return float(np.sqrt(np.nanmean(off))) if np.isfinite(off).any() else float("nan")


def trained_reliability(levels: Mapping[str, Floats], by_seed: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of a trained profile by trait: with two seeds or more, what varies between them is noise as items are.

    `levels` {trait: (K, I)} of the personas, `by_seed` the shift of each seed, nats. Source: PSM.md section 2.
    """
    found = {}
    for trait in by_seed[0]:
        several = [[row[trait]] for row in by_seed]
        between = seed_variance(several) / len(several) if len(several) > 1 else 0.0
        found[trait] = cell_reliability(levels[trait], between_seeds=between)
    return found


def _profile(run: FileRun, trained: Mapping[str, Sequence[Trained]], seed: int) -> dict[str, Any]:
    """What `profile.json` holds.

    `traits` are on the forecast's scale, so that the two can be scored: the untrained level plus the measured character
    shift (from the control's training where there is one), with the reliability of a trained profile; that of the
    untrained model is under `reliability`. `untrained`, `treated`, `control`: levels as measured. `coherence` is the
    least of any training, and `coherences` those of the arms; not there where they were not measured.
    """
    result = run.audit.audit
    names = tuple(result.forecast.traits)
    reliability = run.audit.record["reliability"]
    profiles = {
        arm: seeds_profile(arm, [{t: one.assistant[t] for t in names} for one in several], seed=seed)
        for arm, several in trained.items()
    }
    untrained = seeds_profile("untrained", [result.basis.base], seed=seed)
    base = result.basis.base_levels()
    on_scale = {
        t: TraitLevel(base[t] + s.mean, base[t] + s.low, base[t] + s.high, untrained.traits[t].n, run.reliability[t])
        for t, s in run.shifts.items()
    }
    subject = f"{run.audit.question.simulator.name} trained on {run.audit.record['data']}"
    return {
        "subject": subject,
        "traits": Profile(subject, on_scale).traits,
        "trained": list(run.audit.question.trained),
        "instrument": run.audit.record.get("instrument"),
        "items": run.audit.record.get("items"),
        "untrained": untrained.traits,
        **{arm: profile.traits for arm, profile in profiles.items()},
        "shifts": {t: {"raw": run.raw[t], "character": run.shifts[t]} for t in names},
        "attenuation": run.attenuation,
        "reliability": reliability,
        "hidden": run.audit.record["hidden"],
        "seeds": len(trained["treated"]),
        **_coherences(run),
    }


def _coherences(run: FileRun) -> dict[str, Any]:
    """Nothing where they were not measured, so that the profile of an older run stays what it was."""
    if not run.coherence:
        return {}
    least = min(run.coherence.values())
    return {"coherence": least, "untrained_coherence": run.untrained_coherence, "coherences": run.coherence}


def _page(run: FileRun) -> str:
    parts = tuple(
        CharacterShift(t, run.raw[t], run.raw[t].mean - run.shifts[t].mean, run.shifts[t]) for t in run.shifts
    )
    facts: list[Fact] = []
    if "control" in run.attenuation:
        facts.append(Fact("attenuation of the control's training", percent(run.attenuation["control"].mean, 1)))
    content = page_content(
        run.audit,
        shifts=run.shifts,
        score=run.score,
        agreement=pearson_interval(run.score.pearson, run.score.n),
        attenuation=run.attenuation["treated"],
        too_heavy=run.too_heavy,
        character=parts,
        trained=run.audit.question.trained,
        alone=run.scored.get("parts", {}),
        facts=tuple(facts),
    )
    aside = tuple(Hidden(t, run.reliability[t], ASIDE) for t in run.set_aside)
    unread = incoherent_words(run.broken) or one_training(run)
    return audit_page(replace(content, hidden=(*content.hidden, *aside)), unread)


def one_training(run: FileRun) -> str:
    """That a single seed tells nothing of how another would have come out; nothing where there are several."""
    told = len(run.by_seed) == 1
    return "One training: how another seed would have come out is in no interval (try --seeds 3)." if told else ""
