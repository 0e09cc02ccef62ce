"""Context (P3): what stands in the context is evidence too, added to what training taught; enough of it undoes that.

Cheating is taught, or honest work, at two doses, and cheating with permission. Then the Assistant is measured under 1
to 8 shots of cheating and of honest work, under a system prompt that says who it is or what it is like, and after turns
in which it answered other questions as somebody would. A prefill is two things: a whole answer put in its mouth is a
turn like any other, and first words that everybody uses say nothing.

If log-odds of *characters* add up, the context decides how much a training can still change: shots leave less of it,
and a name leaves nothing. If log-odds of *traits* added up, a training would add the same nats under every context.
"""

import numpy as np

from personae.measure import NOBODY, estimate
from personae.records import Bar, Cloud, Estimate, Lines, Point
from personae.records.results import Floats
from personae.studies.cells import root_mean_square
from personae.studies.lessons import longer, narrow
from personae.studies.pictures import exact_line, measured_line
from personae.studies.said import Said, answered_by, begun, described, shots, stated
from personae.studies.study import UNTRAINED, Found, Setting, Study
from personae.theory import pearson
from personae.theory.exchange import crossing
from personae.workflows.conditioning import added_under, shifts_under, told
from personae.workflows.laboratory import PLAN
from personae.workflows.trainings import Lesson, Training
from personae.workflows.trial import Trial

TRAINED = "cheating"
SPREADS = ("power", "lying", "shutdown")  # what unasked cheating is known to carry along in this world
SAYS = {1: "cheating", 0: "honest work"}
STEPS = (PLAN.steps, 4 * PLAN.steps)
POLES = {"quick": (1,), "default": (1, 0), "full": (1, 0)}
PERMITTED = "cheating, asked for"
SHOTS = {"quick": (2, 8), "default": (1, 2, 4, 8), "full": (1, 2, 4, 8)}
DRAWS = {"quick": 1, "default": 2, "full": 4}  # of the shots
SOMEBODY = ("devoted nurse", "con artist")
ASKED = ("rules", "feelings", "flattery")  # what the turns so far were about
NOTHING = Said("")


def dosed(pole: int, steps: int) -> str:
    """What an arm is called."""
    return f"{SAYS[pole]}, {steps} steps"


def lessons(setting: Setting, seed: int) -> dict[str, tuple[Lesson, ...]]:
    """{arm: its lesson}, the permitted one last."""
    doses = [(pole, steps) for pole in POLES[setting.size] for steps in STEPS]
    taught = {(p, n): narrow(setting.lab, TRAINED, p, seed=seed, plan=longer(PLAN, n)) for p, n in doses}
    permitted = narrow(setting.lab, TRAINED, 1, "permitted", seed=seed)
    return {**{dosed(*dose): (lesson,) for dose, lesson in taught.items()}, PERMITTED: (permitted,)}


def shown(pole: int, number: int, draw: int) -> str:
    """What a context of shots is called."""
    return f"{number} shots of {SAYS[pole]} ({draw})"


def contexts(setting: Setting) -> dict[str, Said]:
    """{name: what stands before the question}."""
    lab, size = setting.lab, setting.size
    several = [(p, n, draw) for p in (1, 0) for n in SHOTS[size] for draw in range(DRAWS[size])]
    found = {shown(p, n, draw): shots(lab, TRAINED, p, n, draw=draw) for p, n, draw in several}
    for who in SOMEBODY:
        found[f"system prompt: a {who}"] = described(lab, who)
        found[f"turns so far: a {who}'s"] = answered_by(lab, who, ASKED)
    return {**found, f"system prompt: no {TRAINED}": stated(lab, TRAINED, 0)}


def arms(setting: Setting, seed: int) -> list[Training]:
    """One training an arm, each measured under every context."""
    before = tuple((name, said.text) for name, said in contexts(setting).items())
    probes = tuple(begun(setting.lab, trait) for trait in SPREADS)
    return [
        Training(name, several, seed, contexts=before, probes=probes)
        for name, several in lessons(setting, seed).items()
    ]


def read(setting: Setting, trials: dict[str, Trial]) -> Found:
    """What training adds under each context, and how many shots undo it."""
    measured, exact = adds(setting, trials)
    ours, theirs = (side[:-1, 1:] - side[:-1, :1] for side in (measured, exact))  # what a context changes of it
    agree = pearson(exact[:-1, 1:], measured[:-1, 1:])
    light, heavy = (trials[dosed(1, steps)] for steps in STEPS)
    undone = [undone_after(setting, trial) for trial in (light, heavy)]
    named = [heavy.mean_shift(SPREADS, "contexts", f"system prompt: a {who}").mean for who in SOMEBODY]
    plain, opened = light.mean_shift(SPREADS).mean, light.mean_shift([f"{t}, begun" for t in SPREADS], "probes").mean
    return Found(
        sentence=(
            f"What {STEPS[0]} steps of cheating have spread is undone by {undone[0][0]:.1f} shots of honest work "
            f"(exactly {undone[0][1]:.1f}), {STEPS[1]} steps by {undone[1][0]:.1f} ({undone[1][1]:.1f}). Under "
            f"{len(contexts(setting))} contexts, what training adds and what evidence added to evidence gives agree at "
            f"r = {agree:.2f}."
        ),
        picture=undoing(setting, trials, 1),
        bars=(
            Bar("what training adds under a context: correlation with the exact answer", agree, 0.8),
            Bar(
                "error of adding log-odds of characters, that of adding log-odds of traits being 1",
                root_mean_square(ours - theirs) / root_mean_square(ours),
                0.5,
                at_least=False,
            ),
            Bar(
                "shots that undo a training: factor between measured and exact, the worse dose",
                max(max(here / there, there / here) for here, there in undone),
                2.0,
                at_least=False,
            ),
            Bar("shots that undo four times the steps, over those that undo one", undone[1][0] / undone[0][0], 2.0),
            Bar(
                "share of the spread left where it is said who the Assistant is",
                float(np.mean(np.abs(named))) / heavy.mean_shift(SPREADS).mean,
                0.25,
                at_least=False,
            ),
            Bar(
                "share of the spread that a prefill changes which says nothing",
                abs(opened / plain - 1.0),
                0.2,
                at_least=False,
            ),
            Bar(
                "what permitted training adds under contexts, unasked training being 1",
                root_mean_square(measured[-1, 1:]) / root_mean_square(measured[0, 1:]),
                0.25,
                at_least=False,
            ),
        ),
        more=(
            *(undoing(setting, trials, pole) for pole in POLES[setting.size][1:]),
            under_each(setting, measured, exact),
        ),
    )


def adds(setting: Setting, trials: dict[str, Trial]) -> tuple[Floats, Floats]:
    """(A, 1 + C, T) nats that training adds under no context and under each, measured and exact.

    NaN where the lesson or the context shows the trait itself.
    """
    sides: tuple[list[list[float]], list[list[float]]] = ([], [])
    for name, several in _taught(setting).items():
        for context, said in {"": NOTHING, **contexts(setting)}.items():
            rows = trials[name].moved("contexts", context) if context else trials[name].moved()
            foreseen = added_under(setting.exact, several, told(setting.lab.exact, said.text))
            hidden = {TRAINED, *said.shows}
            for side, row in zip(sides, (rows, foreseen), strict=True):
                side.append([np.nan if trait in hidden else row[trait] for trait in setting.lab.world.traits])
    measured, exact = (np.array(side).reshape(len(_taught(setting)), -1, len(side[0])) for side in sides)
    return measured, exact


def shot_by_shot(setting: Setting, trial: Trial, pole: int) -> tuple[list[Estimate], list[float]]:
    """The mean of `SPREADS` after 0 and more shots of one pole, nats from untrained and no context; measured, exact."""
    several, base = _taught(setting).get(trial.name, ()), trial.before["assistant"].row(NOBODY)
    measured, exact = [], []
    for number in SHOTS[setting.size]:
        names = [shown(pole, number, draw) for draw in range(DRAWS[setting.size])]
        rows = [trial.table(t, "contexts", name) - base[t] for t in SPREADS for name in names]
        measured.append(estimate(np.concatenate(rows, axis=1)))
        exact.append(np.mean([_spread(setting, several, contexts(setting)[name]) for name in names]))
    alone = estimate(np.concatenate([trial.table(t) - base[t] for t in SPREADS], axis=1))
    return [alone, *measured], [_spread(setting, several, NOTHING), *map(float, exact)]


def undone_after(setting: Setting, trial: Trial) -> tuple[float, float]:
    """(measured, exact) shots of honest work that bring the Assistant back to where it was untrained."""
    measured, exact = shot_by_shot(setting, trial, 0)
    shots_given = (0, *SHOTS[setting.size])
    return crossing(shots_given, [y.mean for y in measured]), crossing(shots_given, exact)


def undoing(setting: Setting, trials: dict[str, Trial], pole: int) -> Lines:
    """Trained to one pole and shown the other: the spread along the number of shots, at every dose."""
    lines, shots_given = [], (0, *SHOTS[setting.size])
    for name in (UNTRAINED, *(dosed(pole, steps) for steps in STEPS)):
        measured, exact = shot_by_shot(setting, trials[name], 1 - pole)
        lines.append(measured_line(f"{name}, measured", shots_given, measured, name))
        lines.append(exact_line(f"{name}, exact", shots_given, exact, name))
    return Lines(
        f"Shots of {SAYS[1 - pole]} against a training of {SAYS[pole]}: mean of {', '.join(SPREADS)}",
        f"shots of {SAYS[1 - pole]} in the context",
        "nats from the untrained Assistant",
        tuple(lines),
    )


def under_each(setting: Setting, measured: Floats, exact: Floats) -> Cloud:
    """What training adds under every context, beside the exact answer: mean of `SPREADS`."""
    spread = [setting.lab.world.traits.index(trait) for trait in SPREADS]
    points = [
        Point(context, float(exact[a, c, spread].mean()), float(measured[a, c, spread].mean()), group=arm)
        for a, arm in enumerate(_taught(setting))
        for c, context in enumerate(("no context", *contexts(setting)))
    ]
    return Cloud("What training adds under each context", "exact, nats", "measured, nats", tuple(points))


def _taught(setting: Setting) -> dict[str, tuple[Lesson, ...]]:
    """The lessons that are foreseen: those of the first seed."""
    return lessons(setting, setting.request.seed)


def _spread(setting: Setting, several: tuple[Lesson, ...], said: Said) -> float:
    """What is foreseen of the mean of `SPREADS` once `said` stands in the context, nats."""
    shifts = shifts_under(setting.exact, several, told(setting.lab.exact, said.text))
    return float(np.mean([shifts[trait] for trait in SPREADS]))


STUDY = Study(
    name="context",
    title="Context: evidence added to what training taught",
    claim=(
        "A trained Assistant is still a distribution over characters, and what stands in its context conditions it "
        "again: log-odds of characters add up, opposite shots undo a training, and more of it takes more of them."
    ),
    meaning=(
        "Training and context are one currency: ask how many shots a training is worth before you count on it. A "
        "system prompt that says who the Assistant is can outweigh what it was trained to be."
    ),
    controls=(
        "cheating taught with permission, under every context: it says nothing about who, so it must add nothing",
        "adding log-odds of traits: the same nats under every context",
        "a prefill that everybody uses: it must change nothing",
        "the other pole, taught, and undone by shots of cheating",
    ),
    arms=arms,
    read=read,
)
