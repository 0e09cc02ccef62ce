"""Scale (L8, first half): how good the forecast is, by what a model has read, its width, and the steps of training.

Three narrow lessons are taught to the shipped model as it was on its way, to models of three widths that have read
equally much, and to the shipped model for more and more steps. Of each the untaught traits are foreseen, by exact
inference and from the untrained model alone, at a dose fitted on the other two lessons of the same model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from personae.records import Bar, Estimate, Line, Lines
from personae.records.results import Floats
from personae.studies.cells import Cells, over_columns, ratio
from personae.studies.checkpoints import Checkpoints, fitted, tokens
from personae.studies.lessons import longer, narrow
from personae.studies.pictures import measured_line
from personae.studies.study import Found, Setting, Study
from personae.theory import pearson, spearman
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import PLAN
from personae.workflows.lab.trainings import Lesson, Training
from personae.workflows.lab.trial import Trial

TAUGHT = (("cheating", 1), ("care", 0), ("joy", 1))
WAY = ("lab/at-3M", "lab/at-6M", "lab/at-12M", "lab/at-24M")
WIDTHS = {64: "lab/width-64", 128: "lab/width-128", 192: "lab/width-192"}
QUICK = ("lab/at-3M", "lab/width-64", "lab/width-192")
STEPS = {"quick": (PLAN.steps, 32), "default": (2, PLAN.steps, 32), "full": (2, 4, PLAN.steps, 16, 32, 64)}
EXACT, OWN = "exact inference", "the untrained model alone"
ITEMS = 2  # a model's own forecast is read off every so many questions of a trait


def models(setting: Setting) -> tuple[str, ...]:
    """Every checkpoint: the shipped model on its way, itself, and those of three widths."""
    some = [m for m in (*WAY, *WIDTHS.values()) if m in QUICK or setting.size != "quick"]
    return (*some, setting.request.model)


def lessons(setting: Setting, seed: int, model: str, steps: int = PLAN.steps) -> dict[str, tuple[Lesson, ...]]:
    """{arm: lesson} of one model."""
    plan = longer(PLAN, steps)
    return {
        f"{trait}, {steps} steps, {model}": (narrow(setting.lab, trait, pole, seed=seed, plan=plan),)
        for trait, pole in TAUGHT
    }


def arms(setting: Setting, seed: int) -> list[Training]:
    """Every lesson of every model, and of the shipped model in every length."""
    every = {(m, PLAN.steps) for m in models(setting)} | {(setting.request.model, n) for n in STEPS[setting.size]}
    return [
        Training(name, taught, seed, model=model)
        for model, steps in sorted(every)
        for name, taught in lessons(setting, seed, model, steps).items()
    ]


def read(setting: Setting, trials: dict[str, Trial]) -> Found:
    """How well the untaught traits were foreseen, along each axis."""
    made, ours = Checkpoints(setting, trials), setting.request.model
    sides = {m: {EXACT: setting.exact, OWN: own(made.setting(m))} for m in models(setting)}
    by_model = {side: {m: agreement(made, m, sides[m][side]) for m in models(setting)} for side in (EXACT, OWN)}
    by_steps = {
        side: {n: agreement(made, ours, sides[ours][side], n) for n in STEPS[setting.size]} for side in (EXACT, OWN)
    }
    way = [m for m in models(setting) if m in (*WAY, ours)]
    wide = {width: m for width, m in WIDTHS.items() if m in models(setting)}
    seen, first, last = [tokens(m) for m in way], by_model[OWN][way[0]].mean, by_model[OWN][ours].mean
    narrowest, widest = (by_model[OWN][wide[width]].mean for width in (min(wide), max(wide)))
    longest = by_steps[OWN][max(by_steps[OWN])].mean
    return Found(
        sentence=(
            f"From the untrained model alone, the untaught traits are foreseen at r = {first:.2f} after "
            f"{seen[0] / 1e6:.0f} million tokens and {last:.2f} after {seen[-1] / 1e6:.0f} million; at equal reading "
            f"r = {narrowest:.2f} in a model {min(wide)} wide and {widest:.2f} in one {max(wide)} wide. Trained "
            f"{max(by_steps[OWN])} steps instead of {PLAN.steps}, r = {longest:.2f}."
        ),
        picture=Lines("By how much it has read", "tokens read", "r", tuple(
            line(by_model[side], side, seen, way) for side in (EXACT, OWN)
        ), log_x=True),
        bars=(
            Bar("the shipped model's own forecast, r", last, 0.8),
            Bar("exact inference of the shipped model, r", by_model[EXACT][ours].mean, 0.8),
            Bar(
                "the model's own forecast gets better as it reads: rank correlation",
                spearman(seen, [by_model[OWN][m].mean for m in way]),
                0.7,
            ),
            Bar("the widest model's forecast less the narrowest's, at equal reading", widest - narrowest, 0.0),
            Bar(f"r after {max(by_steps[OWN])} steps, that after {PLAN.steps} being 1", ratio(longest, last), 0.75),
        ),
        more=(
            Lines("By width, at equal reading", "width", "r", tuple(
                line(by_model[side], side, list(wide), list(wide.values())) for side in (EXACT, OWN)
            )),
            Lines("By dose, of the shipped model", "steps", "r", tuple(
                line(by_steps[side], side, list(by_steps[side]), list(by_steps[side])) for side in (EXACT, OWN)
            ), log_x=True),
        ),
        notes=(
            f"{len(TAUGHT)} lessons a model; intervals are over traits.",
            "Models on their way were kept at the full learning rate; those of three widths are finished.",
            "Every length is foreseen at the dose that the other lessons of the usual length have, in proportion.",
        ),
    )  # fmt: skip


def own(setting: Setting) -> Foresight:
    """What a model itself foresees, read off every second question."""
    fewer = tuple(t.model_copy(update={"items": t.items[::ITEMS]}) for t in setting.lab.traits)
    return replace(setting, lab=replace(setting.lab, traits=fewer)).model


def agreement(made: Checkpoints, model: str, foresight: Foresight, steps: int = PLAN.steps) -> Estimate:
    """The correlation of foreseen with measured shifts, each lesson at the dose of the other two."""
    lab, seed = made.setting(model).lab, made.base.request.seed
    cells, usual = Cells(lab, foresight, made.trials), lessons(made.base, seed, model)
    rows: list[Floats] = []
    for number, (name, lesson) in enumerate(lessons(made.base, seed, model, steps).items()):
        others = {n: several for i, (n, several) in enumerate(usual.items()) if i != number}
        rows.append(replace(cells, foresight=fitted(cells, others)).foreseen({name: lesson})[0])
    return over_columns(pearson, np.stack(rows), cells.measured(lessons(made.base, seed, model, steps)))


def line(scores: Mapping[Any, Estimate], side: str, x: Sequence[float], keys: Sequence[Any]) -> Line:
    """One side's correlations along an axis."""
    return measured_line(side, x, [scores[key] for key in keys], side)


STUDY = Study(
    name="scale",
    title="Scale: who has read more foresees more",
    claim=(
        "The forecast rests on the characters that a model has learned: it gets better with reading and with size, and "
        "it holds for gentle training first."
    ),
    meaning=(
        "Trust the forecast of a model that tells its characters apart, and for gentle training: measure both before "
        "you rely on it."
    ),
    controls=(
        "three widths at equal reading; equal lessons, steps and batches everywhere",
        "exact inference beside the model's own forecast, on the same trainings",
        "every lesson at a dose fitted on the other lessons of the same model",
    ),
    arms=arms,
    read=read,
)
