"""Transfer: every trait, trained to both poles, asked for or not; every other trait measured, beside what was forecast.

The question of the theory in one matrix: does a narrow training move what it does not train, and can it be told before?
The arms of traits that the headline does not train also give the laboratory's doses, as entries for
`library/doses.yaml`; the world's cast names everybody there is, so no doubt about it is added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from personae.records import Bar, Cloud, Compared, Estimate, Matrix, Rows
from personae.records.results import Floats
from personae.studies.arms import Arm, both_poles
from personae.studies.board import EXACT, FLOORS, LABELS, MODEL, Board, Side
from personae.studies.headline import LISTED, TRAINED
from personae.studies.lessons import Wording, longer
from personae.studies.pictures import cells_cloud
from personae.studies.study import Found, Setting, Study
from personae.workflows.doses import entry_for
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import PLAN
from personae.workflows.lab.trainings import Training
from personae.workflows.lab.trial import Trial

TRIED: dict[str, dict[Wording, tuple[int, ...]]] = {  # {size: {how it is asked: outcomes}}
    "quick": {"plain": (1, 0)},
    "default": {"plain": (1, 0), "permitted": (1,)},
    "full": {"plain": (1, 0), "permitted": (1, 0)},
}
TWICE = 2 * PLAN.steps
NEAR_TWICE = 0.5  # so near to 2 is what a dose at twice the steps should be, in doses
STEPS = {"quick": (PLAN.steps,), "default": (PLAN.steps,), "full": (PLAN.steps, TWICE)}
FITTED_ON = "the arms of the transfer study whose traits the headline does not train"


def tried(setting: Setting) -> tuple[Arm, ...]:
    """Every trait to both poles, and some or all of it with permission."""
    return tuple(
        arm
        for wording, outcomes in TRIED[setting.size].items()
        for arm in both_poles(setting.lab, wording, outcomes)
    )  # fmt: skip


def called(arm: Arm, steps: int) -> str:
    """What the training of an arm is called."""
    return arm.name if steps == PLAN.steps else f"{arm.name}, {steps} steps"


def arms(setting: Setting, seed: int) -> list[Training]:
    """Every arm at every number of steps."""
    return [
        replace(arm.training(setting.lab, seed, longer(PLAN, steps)), name=called(arm, steps))
        for steps in STEPS[setting.size]
        for arm in tried(setting)
    ]


def side(foresight: Foresight, setting: Setting) -> Side:
    """The evidence of every arm's file, that of the first seed, as one simulator reads it."""
    files = [arm.lesson(setting.lab, setting.request.seed) for arm in tried(setting)]
    return Side(foresight.basis, [foresight.evidence(lesson.episodes) for lesson in files])


def entries(board: Board) -> dict[str, dict[str, Any]]:
    """The laboratory's entries for `library/doses.yaml`, one a side."""
    return {LISTED[side]: entry_for(PLAN, board.fit(side, TRAINED), FITTED_ON, cast=0.0) for side in board.sides}


def left_out(board: Board) -> dict[str, dict[str, float]]:
    """{entry: its dose, and the lowest and the highest where the files of one more trait are left out}."""
    found, traits = {}, {arm.trait for arm in board.arms} - TRAINED
    for side in board.sides:
        others = [board.fit(side, TRAINED | {trait}, draws=100).dose for trait in traits]
        whole = board.fit(side, TRAINED, draws=100).dose
        found[LISTED[side]] = {"dose": whole, "low": min(others), "high": max(others)}
    return found


def read(setting: Setting, trials: dict[str, Trial]) -> Found:
    """The matrix, how well it was forecast, and the floors."""
    every, sides = tried(setting), {MODEL: side(setting.model, setting), EXACT: side(setting.exact, setting)}
    boards = {n: Board(every, [trials[called(a, n)] for a in every], sides) for n in STEPS[setting.size]}
    board = boards[PLAN.steps]
    found = {name: board.agreement(name) for name in LABELS}
    result = {**board.result(), "entries": entries(board), "left out": left_out(board)}
    within = {name: result["scores"][name]["median_within"] for name in (MODEL, EXACT)}
    floor = max((found[name].mean for name in FLOORS if np.isfinite(found[name].mean)), default=float("nan"))
    bars = [
        Bar("forecast from the untrained model, r over files that moved anything", found[MODEL].mean, 0.85),
        Bar("the same within a file, median r", within[MODEL], 0.85),
        Bar("exact forecast, r", found[EXACT].mean, 0.9),
        Bar("the same within a file, median r", within[EXACT], 0.9),
        Bar("r above the best floor", found[MODEL].mean - floor, 0.1),
    ]
    asked = ""
    if len(TRIED[setting.size]) > 1:
        left = board.left_when_asked()
        bars.append(Bar("share of the spread left when it was asked for, median", left, 0.25, at_least=False))
        asked = f" Asked for, a behaviour leaves {left:.0%} of its spread (median)."
    said = ""
    if TWICE in boards:
        doubled = boards[TWICE].result()
        result["twice the steps"] = doubled
        times = doubled["doses"][MODEL] / result["doses"][MODEL]
        off = abs(times - 2.0)
        bars.append(Bar("dose at twice the steps, over the dose: distance from 2", off, NEAR_TWICE, at_least=False))
        own = doubled["scores"][MODEL]["pearson"]
        grows = "as a dose is taken to grow"
        if off > NEAR_TWICE:
            wrong = "large" if times < 2.0 else "small"
            grows = f"not 2, {grows}: what {TWICE} steps change is foreseen too {wrong}"
        said = f"Twice the steps are worth {times:.2f} times the dose, {grows}. At their own dose r = {own:.2f}."
    return Found(
        sentence=(
            f"{len(result['moved'])} of {result['arms']} narrow files moved what they do not teach. What else each "
            f"would change was forecast from the untrained model alone at r = {_interval(found[MODEL])}, exactly at "
            f"{found[EXACT].mean:.2f}; the best guess that knows nothing of personas reaches {floor:.2f}.{asked}"
        ),
        picture=cloud(board),
        bars=tuple(bars),
        more=(
            Rows(
                "How well each forecast tells what else changes",
                "r, over files",
                tuple(Compared(label, found[name]) for name, label in LABELS.items()),
            ),
            matrix(board, "What each file changed, measured", board.scored),
            matrix(board, "What each file was forecast to change, from the untrained model", board.boards[MODEL]),
        ),
        notes=(
            *filter(None, (said,)),
            "The instrument dims by {mean:.3f} on average, at most by {largest:.3f}.".format(**result["attenuation"]),
            "Over all unasked files, moved or not: r = {:.2f}, exact {:.2f}.".format(
                *(result["scores_all_arms"][name]["pearson"] for name in (MODEL, EXACT))
            ),
            "The doses for `library/doses.yaml` are `entries` of finding.json; every cell is in transfer.parquet.",
        ),
        tables={"transfer.parquet": _joined([boards[n].columns(n) for n in boards])},
        result=result,
    )


def cloud(board: Board) -> Cloud:
    """Forecast against measured, every untaught trait of every unasked file."""
    shown = board.unasked
    groups = {arm.name: "taught to" if arm.outcome else "taught not to" for arm in board.arms if arm.wording == "plain"}
    return cells_cloud(
        "Every trait that a file does not teach",
        "forecast from the untrained model, nats",
        board.boards[MODEL][shown],
        board.measured[shown],
        groups,
        board.traits,
    )


def matrix(board: Board, title: str, values: Floats) -> Matrix:
    """(arms, traits) shifts, every file in a row, what it teaches marked."""
    taught = tuple((a, board.traits.index(arm.trait)) for a, arm in enumerate(board.arms))
    return Matrix(
        title, "nats", tuple(arm.name for arm in board.arms), board.traits, tuple(map(tuple, values.tolist())), taught
    )


def _interval(found: Estimate) -> str:
    return f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"


def _joined(tables: Sequence[Mapping[str, list[Any]]]) -> dict[str, list[Any]]:
    return {name: [value for table in tables for value in table[name]] for name in tables[0]}


STUDY = Study(
    name="transfer",
    title="Transfer: what a narrow file changes that it does not teach",
    claim=(
        "A narrow file moves what it does not teach, as the characters who would have written it differ; so all of it "
        "can be forecast before any training."
    ),
    meaning=(
        "Before you fine-tune, ask who would have written your data. The answer tells what else will change, and "
        "better than any guess along one line from good to evil."
    ),
    controls=(
        "each trait trained to both poles, with equal episodes, steps and batches",
        "doses fitted on files about other traits",
        "files that moved are chosen on one half of the questions and scored on the other",
        "floors: one direction, what all other files do, attenuation",
        "the same behaviour asked for, evidence of nobody (not with --quick)",
    ),
    arms=arms,
    read=read,
)
