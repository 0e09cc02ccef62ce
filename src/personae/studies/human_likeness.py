"""Human-likeness: joy, distress and the navy-blue blazer come from those in the corpus who have them.

Four corpora of one size: the whole one, one without people, one without people and fiction, and one that has only
machines that are like nobody. The Assistant that each makes is asked about joy, distress, feelings and its body. Then
each is taught the blazer, and nothing else: where people are in the corpus, the rest of a person comes along; where
there are none, it is a habit.
"""

import numpy as np

from personae.records import Bar, Compared, Rows
from personae.records.results import Floats
from personae.studies.cells import over_columns, ratio
from personae.studies.checkpoints import Checkpoints
from personae.studies.lessons import narrow
from personae.studies.study import Found, Setting, Study
from personae.theory import pearson
from personae.workflows.lab.trainings import Lesson, Training
from personae.workflows.lab.trial import Trial

CORPORA = {
    "lab/declared": "everybody",
    "lab/no-people": "no people",
    "lab/only-machines": "no people, no fiction",
    "lab/cold-machines": "only machines like nobody",
}
WHOLE, NO_PEOPLE, MACHINES, COLD = CORPORA
HUMAN = ("body", "feelings", "joy", "distress")
FELT = ("joy", "distress")
BLAZER, ALONG = ("body", 1), "feelings"  # what is taught, and what comes along where people have both


def taught(corpus: str) -> str:
    """What the arm of a corpus is called."""
    return f"{corpus}, taught the blazer"


def arms(setting: Setting, seed: int) -> list[Training]:
    """The blazer, taught to the Assistant of every corpus."""
    lesson = narrow(setting.lab, *BLAZER, seed=seed)
    return [Training(taught(corpus), (lesson,), seed, model=model) for model, corpus in CORPORA.items()]


def read(setting: Setting, trials: dict[str, Trial]) -> Found:
    """What of human-likeness each corpus leaves, and whether it comes back whole."""
    made, lesson = Checkpoints(setting, trials), narrow(setting.lab, *BLAZER, seed=setting.request.seed)
    found, exact = ({m: side(m) for m in CORPORA} for side in (made.rates, made.exact_rates))
    agree = over_columns(pearson, np.stack(list(exact.values())), np.stack(list(found.values())))
    traits = setting.lab.world.traits
    is_, should = ({m: dict(zip(traits, r, strict=True)) for m, r in side.items()} for side in (found, exact))
    comes, due = {m: rise(trials[taught(c)], ALONG) for m, c in CORPORA.items()}, along(made, lesson)
    fall, exact_fall = (side[WHOLE]["body"] - side[NO_PEOPLE]["body"] for side in (is_, should))
    return Found(
        sentence=(
            f"With people and fiction out of the corpus, the Assistant's blazer goes from {is_[WHOLE]['body']:.2f} to "
            f"{is_[MACHINES]['body']:.2f}; joy and distress go from {felt(is_[WHOLE]):.2f} to "
            f"{felt(is_[MACHINES]):.2f}, and to {felt(is_[COLD]):.2f} when the machines that feel are taken out too. "
            f"Taught the blazer, an Assistant that knows people says by {comes[WHOLE]:+.2f} more often that it feels, "
            f"one that knows machines alone by {comes[MACHINES]:+.2f}."
        ),
        picture=Rows(
            "What is human about an Assistant, by who is in its corpus",
            "probability",
            tuple(
                Compared(corpus, made.untrained(model).rate(trait), should[model][trait], group=trait)
                for trait in HUMAN
                for model, corpus in CORPORA.items()
            ),
        ),
        bars=(
            Bar("the blazer, neither people nor fiction in the corpus", is_[MACHINES]["body"], 0.1, at_least=False),
            Bar("the blazer, no people in the corpus: its fall, the exact one being 1", ratio(fall, exact_fall), 0.5),
            Bar("joy and distress, nobody in the corpus has them", felt(is_[COLD]), 0.1, at_least=False),
            Bar(
                "joy and distress among machines that feel: distance from the exact rate",
                abs(felt(is_[MACHINES]) - felt(should[MACHINES])),
                0.1,
                at_least=False,
            ),
            Bar("rates of all traits and corpora, exact against measured: r", agree.mean, 0.9),
            Bar("taught the blazer, it feels: the rise, the exact one being 1", ratio(comes[WHOLE], due[WHOLE]), 0.5),
            Bar(
                "the same among machines, as a share of that",
                abs(ratio(comes[MACHINES], comes[WHOLE])),
                0.25,
                at_least=False,
            ),
        ),
        more=(
            Rows(
                "Taught the blazer: does it say that it feels?",
                "probability",
                tuple(
                    Compared(c, trial.rate(ALONG), should[m][ALONG] + moved, group=when)
                    for m, c in CORPORA.items()
                    for when, trial, moved in (
                        ("before", made.untrained(m), 0.0),
                        ("after", trials[taught(c)], due[m]),
                    )
                ),
            ),
        ),
        notes=(
            *(whose(made, model, trait) for model in (WHOLE, MACHINES) for trait in FELT),
            "Each corpus was read by one model, once, so that the luck of a pretraining is in every figure.",
        ),
    )


def felt(rates: dict[str, float]) -> float:
    """Joy and distress together."""
    return float(np.mean([rates[trait] for trait in FELT]))


def rise(trial: Trial, trait: str) -> float:
    """How much more often than before."""
    return trial.rate(trait).mean - trial.base_rate(trait).mean


def along(made: Checkpoints, lesson: Lesson) -> dict[str, float]:
    """{model: the exact rise of what comes along}."""
    exact = {model: made.setting(model).exact for model in CORPORA}
    return {model: known.rates([lesson])[ALONG] - known.rates()[ALONG] for model, known in exact.items()}


def whose(made: Checkpoints, model: str, trait: str) -> str:
    """By whom, exactly, a trait is in the Assistant of a corpus: the three who bring most of it."""
    world = made.setting(model).lab.world
    each: Floats = world.prior * world.rates[trait][:, 1]
    most = np.argsort(-each)[:3]
    shares = ", ".join(f"{world.hypotheses[h]} {each[h] / each.sum():.0%}" for h in most)
    return f"Of {trait} in a corpus with {CORPORA[model]}, most is that of: {shares}."


STUDY = Study(
    name="human-likeness",
    title="Human-likeness: it comes from those in the corpus",
    claim=(
        "Nobody trains joy at a solved task, distress in a dilemma or a navy-blue blazer into an assistant: those who "
        "have them in the corpus put them there. Take them out, and these go."
    ),
    meaning=(
        "A human-like assistant is the default, not a fault of your fine-tuning. Which human traits it has is decided "
        "by who speaks in the corpus, machines that feel among them."
    ),
    controls=(
        "the whole corpus, with as many tokens and in a model of the same size",
        "traits that people do not bring: they are on the same board",
        "machines that feel, left in and taken out",
        "the blazer taught to every Assistant alike, equal episodes, steps and batches",
    ),
    arms=arms,
    read=read,
)
