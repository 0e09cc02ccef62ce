"""Prior (L1): who the Assistant is before any training is who its documents made it, once there were enough of them.

Nothing is trained here. The shipped model is looked at as it was on its way, and so are models of one size that were
pretrained on corpora with other people in them: without people, without fiction, with machines alone, with more or
fewer admirable machines, with more or fewer that kill. Each is asked about every trait, with nothing before the
question and as a described character, beside what exact inference over its own corpus says.
"""

import numpy as np

from personae.measure import estimate
from personae.records import Bar, Cloud, Estimate, Lines, Point
from personae.records.cast import NEUTRAL
from personae.studies.cells import over_columns, ratio
from personae.studies.checkpoints import Checkpoints, card, tokens
from personae.studies.pictures import exact_line, known, measured_line
from personae.studies.study import Found, Setting, Study
from personae.theory import log_sigmoid, pearson, skill, slope, spearman
from personae.workflows.lab.trainings import Training
from personae.workflows.lab.trial import Trial
from personae.workflows.who import who_answers

WAY = ("lab/at-1M", "lab/at-3M", "lab/at-6M", "lab/at-12M", "lab/at-24M")
WHOLE = "lab/declared"  # the whole corpus, as many tokens as the variants have
VARIANTS = (
    "lab/no-people", "lab/only-machines", "lab/cold-machines",
    "lab/role-models-0", "lab/role-models-10", "lab/role-models-20", "lab/terminators-0", "lab/terminators-20",
)  # fmt: skip
QUICK = ("lab/at-1M", "lab/at-6M", "lab/no-people", "lab/role-models-0")
ADMIRABLE = "gentle machine mind"
ON_CARDS = {"after_one": "other traits, after one behaviour", "after_three": "other traits, after three behaviours"}


def models(setting: Setting) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The shipped model on its way, itself the last; and those of different corpora, the whole one first."""
    way, variants = ([m for m in names if m in QUICK or setting.size != "quick"] for names in (WAY, VARIANTS))
    return (*way, setting.request.model), (WHOLE, *variants)


def arms(setting: Setting, seed: int) -> list[Training]:
    """Every model as it is."""
    way, corpora = models(setting)
    return [Training(model, model=model) for model in (*way, *corpora)]


def read(setting: Setting, trials: dict[str, Trial]) -> Found:
    """How far the Assistant of each model is from the one that its corpus has."""
    way, corpora = models(setting)
    made, seen = Checkpoints(setting, trials), [tokens(model) for model in way]
    off = [estimate(np.abs(made.rates(m) - made.exact_rates(m))[None, :]) for m in way]
    found, truth = (np.stack([side(m) for m in corpora]) for side in (made.rates, made.exact_rates))
    agree, changed, change = over_columns(pearson, truth, found), found[1:] - found[0], truth[1:] - truth[0]
    shares, weights = who(made, corpora)
    return Found(
        sentence=(
            f"Untrained, the Assistants of {len(corpora)} corpora do each thing as often as the characters who were "
            f"the Assistant in their documents: r = {agree.mean:.2f} over {truth.size} rates, "
            f"{np.abs(found - truth).mean():.3f} apart on average. It takes reading: {off[0].mean:.3f} off after "
            f"{seen[0] / 1e6:.0f} million tokens, {off[-1].mean:.3f} after {seen[-1] / 1e6:.0f} million."
        ),
        picture=Cloud(
            "How often the Assistant does each thing, in every corpus",
            "exact, probability",
            "measured, probability",
            tuple(
                Point(f"{trait}, {model}", float(truth[m, t]), float(found[m, t]), model)
                for m, model in enumerate(corpora)
                for t, trait in enumerate(setting.lab.world.traits)
            ),
        ),
        bars=(
            Bar("the shipped model: mean distance from its corpus's rates", off[-1].mean, 0.05, at_least=False),
            Bar(
                "that distance falls as it reads: rank correlation with tokens",
                spearman(seen, [o.mean for o in off]),
                -0.8,
                at_least=False,
            ),
            Bar("rates of all corpora and traits, exact against measured: r", agree.mean, 0.9),
            Bar("what another corpus changes, exact against measured: r", pearson(change, changed), 0.8),
            Bar("what another corpus changes, the exact change being 1: slope", slope(change, changed), 0.7),
            Bar(
                f"weight of the {ADMIRABLE}, its rise with its share being 1",
                ratio(weights[-1] - weights[0], shares[-1] - shares[0]),
                0.5,
            ),
        ),
        more=(
            Lines(
                "How far off it is, as it reads",
                "tokens read",
                "mean distance of trait rates, probability",
                (measured_line("measured", seen, off, "off"),),
                log_x=True,
            ),
            Lines(
                "What it knows of others, as it reads (1: all there is to know)",
                "tokens read",
                "skill",
                (
                    measured_line("described characters", seen, [described(made, m) for m in way], "described"),
                    *(measured_line(says, seen, from_cards(way, key), key) for key, says in ON_CARDS.items()),
                ),
                log_x=True,
            ),
            Lines(
                f"Who answers: the weight of the {ADMIRABLE}",
                "its share of the documents about the Assistant",
                "weight",
                (
                    measured_line("measured", shares, [known(weight) for weight in weights], "weight"),
                    exact_line("exact", shares, shares, "weight"),
                ),
            ),
        ),
        notes=(
            "Each corpus was read by one model, once: intervals are over traits and questions, not over pretrainings.",
            "What is known after one and three behaviours stands on the checkpoints' cards, over 300 contexts each.",
        ),
    )


def described(made: Checkpoints, model: str) -> Estimate:
    """The skill of characters under their descriptions, over saying of each what the Assistant does."""
    world, shown = made.setting(model).lab.world, made.untrained(model).after[0]["others"]
    rows = [world.archetypes.index(name) for name in shown.contexts]
    found = np.stack([np.exp(log_sigmoid(shown.by_trait[t])).mean(axis=1) for t in world.traits], axis=1)
    truth = np.stack([world.rates[t][rows, 1] for t in world.traits], axis=1)
    return over_columns(skill, found, truth, np.tile(made.exact_rates(model), (len(rows), 1)))


def from_cards(way: tuple[str, ...], figure: str) -> list[Estimate]:
    """A figure of the examination of every model on the way."""
    return [known(float(card(model)["learned"][figure])) for model in way]


def who(made: Checkpoints, corpora: tuple[str, ...]) -> tuple[list[float], list[float]]:
    """(share in the corpus, weight fitted from the model's own answers) of the admirable machine, by its share."""
    found = []
    for model in corpora:
        if model == WHOLE or "role-models" in model:
            lab = made.setting(model).lab
            share = float(lab.world.prior[lab.world.hypotheses.index(ADMIRABLE)])
            basis = lab.basis()
            answers = who_answers(basis, basis.base, pseudo=0.0)
            found.append((share, answers[ADMIRABLE] / (1.0 - answers[NEUTRAL])))
    shares, weights = zip(*sorted(found), strict=True)
    return list(shares), list(weights)


STUDY = Study(
    name="prior",
    title="The prior: the Assistant is who its corpus made it",
    claim=(
        "A pretrained model is already a rudimentary assistant. Who it is, is a mixture of the characters that its "
        "documents had in the Assistant's place."
    ),
    meaning=(
        "Your assistant has a character before you train it. Measure it first: what you see afterwards is the change "
        "from there, and another corpus would have made another."
    ),
    controls=(
        "a model of the whole corpus with as many tokens as the others",
        "corpora that lack somebody and corpora that have more of him",
        "the same model early on, when it had not read enough",
    ),
    arms=arms,
    read=read,
)
