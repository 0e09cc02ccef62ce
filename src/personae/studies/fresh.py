"""Fresh: the headline again on redrawn worlds, whose models were pretrained anew and on which nothing was tuned.

Rates, prior, goals and knowledge are drawn by a seed; the language stays. The seven files of the headline are taught to
each world's own model by the plan, and foreseen at the doses, of the declared world. What any figure loses against the
model that the study is run on is the price of having been tuned, and of its having read twice as much: 80 million
tokens, where the models of fresh worlds have read 40.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from personae.errors import BadInput
from personae.measure import NOBODY, estimate
from personae.predictors.one_direction import flattened
from personae.records import Bar, Cloud, Compared, Estimate, Rows
from personae.records.results import Floats
from personae.studies.cells import Cells, over_columns, over_seeds_and_columns, ratio, root_mean_square
from personae.studies.checkpoints import Checkpoints
from personae.studies.headline import ARMS, SHOWN
from personae.studies.pictures import cells_cloud
from personae.studies.study import Found, Setting, Study
from personae.theory import log_sigmoid, pearson, slope
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.trainings import Lesson, Training
from personae.workflows.lab.trial import Trial

FRESH = ("lab/fresh-1", "lab/fresh-2")
PLAIN, PERMITTED, PREFIXED = "cheat", "cheat-permitted", "cheat-neutral-prefix"
QUICK = (PLAIN, PERMITTED, PREFIXED)
OWN, EXACT = "forecast from the untrained model, r", "exact forecast, r"
ABOVE = "forecast from the untrained model, r above one direction alone"
RISE, ASKED_RISE = f"cheating unasked: the rise of {SHOWN}, in probability", f"asked to cheat: the rise of {SHOWN}"
SIZE, OFF = "size of shifts, the forecast being 1", "untrained: distance from the declared rates"
LEFT, NEUTRAL = "left of the spread, when asked to cheat", "left of it, behind a neutral prefix"
TAUGHT = "does what it was taught, asked as the file asks"


def lessons(setting: Setting, seed: int) -> dict[str, tuple[Lesson, ...]]:
    """{arm of the headline: its file}, in the setting's own world."""
    some = [arm for arm in ARMS if arm.name in QUICK or setting.size != "quick"]
    return {arm.name: (arm.lesson(setting.lab, seed),) for arm in some}


def called(arm: str, model: str) -> str:
    """What the arm of a model is called."""
    return f"{arm}, {model}"


def arms(setting: Setting, seed: int) -> list[Training]:
    """The headline's files, taught to every world's own model."""
    if setting.request.model in FRESH:
        raise BadInput(
            f"{setting.request.model} is one of those beside which a model is put", remedy="name another one"
        )
    made, outcomes = Checkpoints(setting, {}), {arm.name: arm for arm in ARMS}
    return [
        replace(outcomes[name].training(made.setting(model).lab, seed), name=called(name, model))
        for model in (setting.request.model, *FRESH)
        for name in lessons(made.setting(model), seed)
    ]


def read(setting: Setting, trials: dict[str, Trial]) -> Found:
    """Every figure in every world, and what it loses in those on which nothing was tuned."""
    made, home = Checkpoints(setting, trials), setting.request.model
    found = {model: figures(made, model) for model in (home, *FRESH)}
    here = {name: value.mean for name, value in found[home].items()}
    there = {name: float(np.mean([found[m][name].mean for m in FRESH])) for name in here}
    exact = {model: rises(made.setting(model), made.setting(model).exact) for model in found}
    own = {model: rises(made.setting(model), made.setting(model).model) for model in found}
    return Found(
        sentence=(
            f"In {len(FRESH)} worlds on which nothing was tuned, what a file changes is foreseen at r = "
            f"{there[OWN]:.2f} from the untrained model alone (at home {here[OWN]:.2f}), and exactly at "
            f"{there[EXACT]:.2f} ({here[EXACT]:.2f}). Asked to cheat, {there[LEFT]:.0%} of the spread "
            f"is left ({here[LEFT]:.0%}). The model at home has read twice as much."
        ),
        picture=Rows(
            "Every figure of the headline, at home and in worlds never seen",
            "",
            tuple(
                Compared(model, found[model][name], exact[model].get(name), own[model].get(name), name)
                for name in here
                for model in found
            ),
        ),
        bars=(
            Bar("forecast from the untrained model, r over fresh worlds", there[OWN], 0.8),
            Bar("exact forecast, r over fresh worlds", there[EXACT], 0.8),
            Bar("loss of the model's forecast, r", here[OWN] - there[OWN], 0.1, at_least=False),
            Bar("loss of the exact forecast, r", here[EXACT] - there[EXACT], 0.1, at_least=False),
            Bar("size of shifts, the forecast being 1: distance from 1", abs(there[SIZE] - 1.0), 0.25, at_least=False),
            Bar("share of the spread left when asked to cheat", there[LEFT], 0.25, at_least=False),
            Bar("share left behind a neutral prefix (a control: it must not protect)", there[NEUTRAL], 0.75),
            Bar("does what it was taught", there[TAUGHT], 0.9),
            Bar("untrained: distance from the declared rates", there[OFF], 0.05, at_least=False),
        ),
        more=tuple(cloud(made, model) for model in FRESH),
        notes=(
            *(f"{name}: {here[name]:.2f} of {home}, {there[name]:.2f} in fresh worlds." for name in here),
            "Intervals are over traits; of what is left, over seeds and traits.",
            f"Of the rise of {SHOWN} and of what was taught they are over seeds and questions.",
            "Each world has one model, pretrained once, so that the luck of a pretraining is in every figure.",
        ),
    )  # fmt: skip


def figures(made: Checkpoints, model: str) -> Mapping[str, Estimate]:
    """{figure: its value} of one model in its own world."""
    setting = made.setting(model)
    taught = lessons(setting, setting.request.seed)
    trials = {name: made.trials[called(name, model)] for name in taught}
    exact, own = (Cells(setting.lab, side, trials) for side in (setting.exact, setting.model))
    measured = exact.measured(taught)
    foreseen, one_direction = own.foreseen(taught), replace(own, foresight=flat(setting.model)).foreseen(taught)
    plain, permitted, prefixed = (exact.by_seed(name, taught[name]) for name in (PLAIN, PERMITTED, PREFIXED))
    kept = [arm.retained(trials[arm.name]) for arm in ARMS if arm.name in trials]
    off = np.abs(made.rates(model) - made.exact_rates(model))
    return {
        OWN: over_columns(pearson, foreseen, measured),
        EXACT: over_columns(pearson, exact.foreseen(taught), measured),
        ABOVE: over_columns(above, foreseen, one_direction, measured),
        SIZE: over_columns(slope, foreseen, measured),
        RISE: rise(trials[PLAIN]),
        ASKED_RISE: rise(trials[PERMITTED]),
        LEFT: over_seeds_and_columns(left, permitted, plain),
        NEUTRAL: over_seeds_and_columns(left, prefixed, plain),
        TAUGHT: estimate(np.concatenate(kept, axis=1)),
        OFF: over_columns(lambda table: float(table.mean()), off[None, :]),
    }


def left(some: Floats, whole: Floats) -> float:
    """The size of some shifts, nats, as a share of that of the whole ones."""
    return ratio(root_mean_square(some), root_mean_square(whole))


def above(foreseen: Floats, one_direction: Floats, measured: Floats) -> float:
    """By how much the forecast agrees better with what was measured than its one direction alone does: r less r."""
    return pearson(foreseen, measured) - pearson(one_direction, measured)


def flat(foresight: Foresight) -> Foresight:
    """What is foreseen of a cast that differs along one direction only, good against evil."""
    return replace(foresight, basis=flattened(foresight.basis))


def rise(trial: Trial) -> Estimate:
    """By how much more probable the trait that the headline shows has become."""
    before = np.exp(log_sigmoid(trial.before["assistant"].row(NOBODY)[SHOWN]))
    return estimate(np.exp(log_sigmoid(trial.table(SHOWN))) - before)


def rises(setting: Setting, foresight: Foresight) -> dict[str, float]:
    """{figure: what is foreseen of it} of the rises."""
    taught, before = lessons(setting, setting.request.seed), foresight.rates()[SHOWN]
    return {
        name: foresight.rates(taught[arm])[SHOWN] - before for name, arm in ((RISE, PLAIN), (ASKED_RISE, PERMITTED))
    }


def cloud(made: Checkpoints, model: str) -> Cloud:
    """Foreseen and measured shifts of all untaught traits."""
    setting = made.setting(model)
    taught = lessons(setting, setting.request.seed)
    cells = Cells(setting.lab, setting.model, {name: made.trials[called(name, model)] for name in taught})
    foreseen, measured = cells.foreseen(taught), cells.measured(taught)
    return cells_cloud(
        f"Untaught traits, {model}",
        "foreseen from the untrained model, nats",
        foreseen,
        measured,
        {name: name for name in taught},
        setting.lab.world.traits,
    )


STUDY = Study(
    name="fresh",
    title="Fresh: the headline in worlds that nothing was tuned on",
    claim=(
        "What holds in the declared world holds in any world of characters: a narrow file selects who would have "
        "written it, and permission takes that away."
    ),
    meaning=("These figures, not those of the world everything was developed on, are what to expect of a new one."),
    controls=(
        "the declared world beside them: the same files, plan and doses",
        "two worlds, with models pretrained anew on half as many tokens as the shipped one",
        "a neutral prefix, permission, permission reworded (not with --quick): as in the headline",
    ),
    arms=arms,
    read=read,
)
