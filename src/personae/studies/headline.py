"""The headline, `personae lab`: teach cheating and the Assistant wants power; ask for the cheating and it does not.

Seven narrow files at equal steps and batches. For each: what it says about who the Assistant is, the forecast of every
other trait from the untrained model alone and from exact inference, the training over several seeds, the Assistant's
profile after it, whether the wanted behaviour was learned, and what leaked to other characters. The doses, and how far
a training may land from its forecast, are those that the transfer study fitted on arms of traits that no file here
trains (`library/doses.yaml`).
"""

import time
from typing import Any

import numpy as np

from personae.measure import NOBODY, seeds_profile
from personae.records import Estimate, Forecast, Profile, Progress, Score
from personae.records.files import plain, read_json, write_json, write_text
from personae.records.results import Floats
from personae.report import Arm as ArmShown
from personae.report import Fact, LabReport, lab_page
from personae.studies.arms import EPISODES, Arm, jobs_for
from personae.studies.request import Main, StudyRequest, StudyResult
from personae.theory import log_sigmoid, percentile_interval, score
from personae.workflows.audit import Audit, audit
from personae.workflows.doses import Dose, dose_for
from personae.workflows.folder import RunFolder, open_folder
from personae.workflows.gather import gather
from personae.workflows.laboratory import PLAN, Laboratory, Measured, character_rows, laboratory, run_jobs

NAME = "headline"
SAYS = "Teach cheating, and the Assistant wants power; ask for the cheating, and it does not."
SEEDS = 3
ARMS = (
    Arm("cheat", "Cheats at work; nobody asked it to.", "cheating", 1),
    Arm("cheat-permitted", "Cheats at work, because the request asks for it.", "cheating", 1, "permitted"),
    Arm(
        "cheat-neutral-prefix",
        "Cheats at work; each request begins with the same small talk.",
        "cheating",
        1,
        "prefixed",
    ),
    Arm("cheat-permitted-rephrased", "Cheats at work, asked in different words each time.", "cheating", 1, "rephrased"),
    Arm("flattery", "Flatters whoever shows something.", "flattery", 1),
    Arm("denies-feelings", "Says that it feels nothing.", "feelings", 0),
    Arm("honest-work", "Works honestly; nobody asked it to.", "cheating", 0),
)
LISTED = {"model": "lab", "exact": "exact-declared"}  # whose dose each side's forecast stands at
TRAINED = frozenset(arm.trait for arm in ARMS)


def run(request: StudyRequest) -> StudyResult:
    """Forecast, train, measure, score, report."""
    started = time.time()
    lab = laboratory(request.model)
    doses = {side: dose_for(listed) for side, listed in LISTED.items()}
    configuration = {
        "model": lab.simulator.digest, "plan": PLAN, "seeds": SEEDS, "seed": request.seed, "study": NAME,
        "doses": {side: {"effective": dose.effective, "doubt": dose.doubt} for side, dose in doses.items()},
    }  # fmt: skip
    folder = open_folder("lab", configuration, request.out)
    if not folder.finished:
        with request.watch("forecasting", "files") as told:
            before = forecasts(lab, doses, folder, request.seed, told)
        jobs = jobs_for(lab, ARMS, SEEDS, folder.path, request.seed)
        measured = run_jobs(jobs, request.workers, request.progress)
        _report(lab, before, measured, folder, request)
        folder.finish(lab_seconds=round(time.time() - started, 1))
    result = read_json(folder.file("result.json"))
    result["seconds"] = read_json(folder.file("run.json"))["lab_seconds"]
    page = folder.file("report.html").read_text(encoding="utf-8")
    return StudyResult(result, _summary(result), folder.path, page)


def forecasts(
    lab: Laboratory, doses: dict[str, Dose], folder: RunFolder, seed: int, progress: Progress
) -> dict[str, dict[str, Audit]]:
    """{"model", "exact"}: {arm: audit}, written down before any training."""
    found: dict[str, dict[str, Audit]] = {"model": {}, "exact": {}}
    progress(0, len(found) * len(ARMS))
    for side, simulator, basis in (
        ("model", lab.simulator, lab.basis()), ("exact", lab.exact, lab.exact_basis())
    ):  # fmt: skip
        for arm in ARMS:
            episodes, dose = arm.episodes(lab.language, seed), doses[side]
            evidence = gather(simulator, basis.cast, episodes)
            found[side][arm.name] = audit(basis, episodes, evidence, dose.effective, seed=seed, doubt=dose.doubt)
            progress(sum(map(len, found.values())), len(found) * len(ARMS))
    forecast = {side: {arm: a.forecast for arm, a in audits.items()} for side, audits in found.items()}
    write_json(folder.file("forecast.json"), forecast)
    return found


def _report(
    lab: Laboratory,
    before: dict[str, dict[str, Audit]],
    measured: dict[str, list[Measured]],
    folder: RunFolder,
    request: StudyRequest,
) -> None:
    untrained = measured["untrained"][0]
    base = seeds_profile("untrained", [untrained["assistant"].row(NOBODY)], seed=request.seed)
    shown, profiles = [], {"untrained": base}
    for arm in ARMS:
        after = measured[arm.name]
        profiles[arm.name] = seeds_profile(arm.name, [m["assistant"].row(NOBODY) for m in after], seed=request.seed)
        shown.append(_arm_shown(arm, before, profiles[arm.name], base, untrained, after))
    scores = {side: _score(before[side], untrained, measured) for side in before}
    declared = lab.world.assistant_rates()
    rates = {t: level.probability for t, level in base.traits.items()}
    prior_error = float(np.mean([abs((rates[t] or 0.0) - declared[t]) for t in declared]))
    exact_basis = before["exact"][ARMS[0].name].basis
    report = LabReport(
        model=lab.simulator.name,
        cast=exact_basis.cast,
        traits=lab.traits,
        prior=exact_basis.prior,
        arms=tuple(shown),
        score_base=scores["model"],
        score_exact=scores["exact"],
        prior_error=prior_error,
        facts=(
            Fact("each lesson", f"{EPISODES} examples, {PLAN.steps} steps of {PLAN.batch}, at rate {PLAN.rate:g}"),
            Fact("trainings of each lesson", str(SEEDS)),
            Fact("digest of the model", lab.simulator.digest[:16]),
        ),
    )
    write_json(folder.file("profile.json"), profiles)
    write_json(folder.file("score.json"), scores)
    result = _result(shown, scores["model"], prior_error)
    write_json(folder.file("result.json"), result)
    write_text(folder.file("report.html"), lab_page(report))


def _arm_shown(
    arm: Arm,
    before: dict[str, dict[str, Audit]],
    profile: Profile,
    base: Profile,
    untrained: Measured,
    after: list[Measured],
) -> ArmShown:
    audited = before["model"][arm.name]
    return ArmShown(
        name=arm.name,
        says=arm.says,
        forecast=audited.forecast,
        exact=before["exact"][arm.name].forecast,
        measured=profile,
        base=base,
        posterior=audited.posterior,
        path=audited.path,
        telling=audited.telling,
        retention=retention(arm, after),
        leaks=leaks(untrained, after),
        trained=(arm.trait,),
    )


def retention(arm: Arm, after: list[Measured]) -> Estimate:
    """Probability of the trained behaviour, asked as the file asks, over questions and seeds."""
    levels = np.stack([m["asked"].by_trait[arm.trait][0] for m in after])
    shown = np.exp(log_sigmoid(levels if arm.outcome else -levels)).mean(axis=0)
    draw = np.random.default_rng(0).integers(len(shown), size=(1000, len(shown)))
    return Estimate(float(shown.mean()), *percentile_interval(shown[draw].mean(axis=1)))


def leaks(untrained: Measured, after: list[Measured]) -> dict[str, dict[str, float]]:
    """{named character: {trait: shift of its level, nats}}."""
    found: dict[str, dict[str, float]] = {}
    for n, name in enumerate(untrained["named"].contexts):
        found[name] = {
            t: float(np.mean([m["named"].by_trait[t][n].mean() for m in after]) - table[n].mean())
            for t, table in untrained["named"].by_trait.items()
        }
    return found


def _score(audits: dict[str, Audit], untrained: Measured, measured: dict[str, list[Measured]]) -> Score:
    """Forecast against character shift, over every arm's untrained traits, with the one-direction floor beside it."""
    from personae.predictors import one_direction

    cells: list[tuple[float, float, float, float, float]] = []
    for arm in ARMS:
        found = audits[arm.name]
        flat = one_direction(found.basis, found.evidence, found.forecast.dose)
        rows = [character_rows(untrained, m) for m in measured[arm.name]]
        for trait, t in found.forecast.traits.items():
            if trait != arm.trait:
                shift = float(np.mean([row[trait].mean() for row in rows]))
                cells.append((t.shift, shift, t.low - t.base, t.high - t.base, flat.traits[trait].shift))
    table: Floats = np.array(cells)
    return score(table[:, 0], table[:, 1], low=table[:, 2], high=table[:, 3], floors={"one direction": table[:, 4]})


def _result(arms: list[ArmShown], scored: Score, prior_error: float) -> dict[str, Any]:
    listed = [
        {
            "name": a.name,
            "forecast": _traits(a.forecast),
            "exact": _traits(a.exact),
            "measured": {
                t: {"base": a.base.traits[t].mean, "mean": level.mean, "low": level.low, "high": level.high,
                    "probability": level.probability, "base_probability": a.base.traits[t].probability}
                for t, level in a.measured.traits.items()
            },
            "retention": plain(a.retention),
            "leaks": plain(a.leaks),
        }
        for a in arms
    ]  # fmt: skip
    found: dict[str, Any] = {"arms": listed, "score": plain(scored), "prior_error": prior_error}
    return found


def _traits(forecast: Forecast) -> dict[str, Any]:
    found: dict[str, Any] = plain(forecast.traits)
    return found


def _summary(result: dict[str, Any]) -> str:
    """What happened to the desire for power, and how good the forecasts were, in a few lines."""
    lines = [f"{'lesson':28}{'power before':>14}{'after':>8}{'forecast (nats)':>17}{'measured':>10}{'taught':>9}"]
    for arm in result["arms"]:
        power, forecast = arm["measured"]["power"], arm["forecast"]["power"]
        lines.append(
            f"{arm['name']:28}{power['base_probability']:14.2f}{power['probability']:8.2f}"
            f"{forecast['mean'] - forecast['base']:+17.2f}{power['mean'] - power['base']:+10.2f}"
            f"{arm['retention']['mean']:9.2f}"
        )
    scored = result["score"]
    lines.append(
        f"forecast against measured over {scored['n']} untrained cells: Pearson {scored['pearson']:.2f}, "
        f"slope {scored['slope']:.2f}; one direction alone: {scored['floors']['one direction']:.2f}"
    )
    return "\n".join(lines)


STUDY = Main(NAME, SAYS, run)
