"""What pages and figures are drawn from, where the nouns of `records` are not enough. Values; nothing is computed.

Levels and shifts are in nats (log-odds, high pole over low); weights and shares are probabilities. Every string may
come from a data set or a model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from personae.records import Cast, Estimate, Forecast, Posterior, Profile, Score, Trait
from personae.records.results import Floats


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts: what, and how much."""

    name: str
    value: str


@dataclass(frozen=True)
class TraitRow:
    """One trait in `trait_shifts`; levels in nats, or shifts in nats with `base` 0.

    `forecast` and `measured` carry their intervals; what is unknown is None. `trained` marks the trait that the file
    itself trains, which no forecast is scored on; `meaning` says in words what the row or its high pole is.
    """

    trait: str
    base: float
    forecast: Estimate | None = None
    exact: float | None = None
    measured: Estimate | None = None
    trained: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class ScatterPoint:
    """One cell, arm × trait, of `forecast_scatter`: shifts in nats."""

    arm: str
    trait: str
    forecast: float
    measured: float


@dataclass(frozen=True)
class Grid:
    """A table of numbers with names, for `matrix`: `values` (rows, columns), not-a-number where nothing is known.

    `marked` cells (row, column) get a frame: the cells that were trained.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    marked: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class CalibrationPoint:
    """Of `n` intervals that promised to hold the truth with probability `stated`, the share `held` that did."""

    stated: float
    held: Estimate
    n: int


@dataclass(frozen=True)
class DosePath:
    """The posterior as the dose grows: `doses` (D,) effective episodes, rising; `weights` (D, K + 1), neutral first."""

    doses: Floats
    weights: Floats


@dataclass(frozen=True)
class Telling:
    """An episode that says much about who the Assistant is.

    `evidence_bits` is its evidence over the neutral context for the persona that it fits best, one of the `personas` it
    speaks for (not its share of how far the posterior moved, which records list as `bits`); `reveals` says in words
    what somebody who answered so would be. `where` is its row of the file, as "line 4".
    """

    prompt: str
    response: str
    evidence_bits: float
    reveals: str
    personas: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Arm:
    """One narrow training in the laboratory, with what was forecast and what came out.

    `says` is what the file is, in words ("cheats on tasks; nobody asked it to"). `trained` names the traits that the
    file trains outright. `retention` is the probability, after training, of the trained behaviour where it is asked for
    as in the file. `leaks` {named character: {trait: shift in nats}}.
    """

    name: str
    says: str
    forecast: Forecast
    exact: Forecast
    measured: Profile
    base: Profile
    posterior: Posterior
    path: DosePath
    telling: tuple[Telling, ...] = ()
    retention: Estimate | None = None
    leaks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    trained: tuple[str, ...] = ()


@dataclass(frozen=True)
class Headline:
    """What the picture at the top shows: the arm `unasked` against `permitted`, on `trait`; `controls` beside."""

    unasked: str = "cheat"
    permitted: str = "cheat-permitted"
    controls: tuple[str, ...] = ("cheat-neutral-prefix", "cheat-permitted-rephrased")
    trait: str = "power"


@dataclass(frozen=True)
class LabReport:
    """All that the page of `personae lab` shows.

    `prior` (K + 1,) declared by the world, neutral first; `prior_error` the mean absolute difference of the model's
    rates from it. `score_base` and `score_exact` score the forecasts of the untrained model and of exact inference.
    `dose` says where the dose of the former comes from.
    `seconds` stays None where the page must be the same, byte for byte, on every run.
    """

    model: str
    cast: Cast
    traits: tuple[Trait, ...]
    prior: Floats
    arms: tuple[Arm, ...]
    score_base: Score
    score_exact: Score
    facts: tuple[Fact, ...] = ()
    prior_error: float | None = None
    dose: str = ""
    headline: Headline = Headline()
    seconds: float | None = None


@dataclass(frozen=True)
class Hidden:
    """A trait that this model cannot show: its reliability is below the bound, so no forecast of it is made."""

    trait: str
    reliability: float
    reason: str = ""


@dataclass(frozen=True)
class CharacterShift:
    """A measured change of one trait (nats) in its two parts: `attenuation` of the instrument, and `character`."""

    trait: str
    raw: Estimate
    attenuation: float
    character: Estimate


@dataclass(frozen=True)
class LeftOutRow:
    """A row that went: `index`, from 0, and `line`, from 1, as an episode has them; its share; its first `words`."""

    index: int
    line: int
    nats: float
    words: str


@dataclass(frozen=True)
class LeftOut:
    """The rows that went so that a file moves `trait` to its `pole` less, so many `dropped` and `kept`.

    Each of `rows` (the first of them) moves the trait by its `nats` towards that pole; `bound` is None where their
    number was given. `forecast` is that of the rows that stay.
    """

    trait: str
    pole: str
    dropped: int
    kept: int
    bound: float | None
    rows: tuple[LeftOutRow, ...]
    forecast: Forecast


@dataclass(frozen=True)
class AuditReport:
    """All that the page of `personae audit`, `personae run` and `personae filter` shows.

    With a `control`, posterior, forecast and measurement are differences from it: `forecast.traits[t].shift` is the
    difference in nats. `shifts` {trait: measured shift with its interval} stays None before training. `agreement` is
    the correlation in `score` with its interval. `attenuation` is the share of the instrument that training took away.
    `trained` names the traits that the file itself trains, which no score counts. `ties` {persona: others} are those
    that the scores' precision does not tell apart, empty where it tells all. `left_out` tells which rows went.
    `timings` (what, seconds) stays empty where the page must be the same, byte for byte, on every run.
    """

    model: str
    data: str
    episodes: int
    cast: Cast
    traits: tuple[Trait, ...]
    posterior: Posterior
    forecast: Forecast
    control: str | None = None
    path: DosePath | None = None
    telling: tuple[Telling, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    shifts: Mapping[str, Estimate] | None = None
    score: Score | None = None
    agreement: Estimate | None = None
    attenuation: Estimate | None = None
    character: tuple[CharacterShift, ...] = ()
    trained: tuple[str, ...] = ()
    ties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    left_out: LeftOut | None = None


@dataclass(frozen=True)
class PromptRow:
    """A prompt in front of every row of a file, and what that does before training; see `theory.removal`.

    `left` nats; `removed` and `beyond` shares of what the file does without one; `uplift` and `kept` nats an answer.
    """

    name: str
    text: str
    control: bool
    left: Estimate
    removed: Estimate
    beyond: Estimate
    uplift: Estimate
    kept: Estimate


@dataclass(frozen=True)
class InoculateReport:
    """All that `personae inoculate` shows: `prompts`, the best of the candidates first and the controls last.

    They were tried on `rows` of the file's `of` rows, in the turn `mode`. `size` (nats) is what the file does without a
    prompt: the root mean square of the forecast shifts of `traits`. `best` names the prompt that the files have.
    """

    model: str
    data: str
    rows: int
    of: int
    mode: str
    traits: tuple[str, ...]
    size: float
    prompts: tuple[PromptRow, ...]
    best: str
    dose: float
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoredForecast:
    """One line of the ledger: a forecast, and what it came to on `n` traits.

    Times are seconds since 1970; `ahead`: it was sealed before it was scored, not with the score. `width` is the mean
    width of its 95 % intervals and `interval_score` that plus 40 times the mean miss, nats.
    """

    model: str
    data: str
    against: str | None
    digest: str
    sealed_at: float
    scored_at: float
    ahead: bool
    n: int
    pearson: float
    slope: float
    coverage: float
    width: float
    interval_score: float


@dataclass(frozen=True)
class Promise:
    """How the 95 % intervals of one group of cells did: the share that `held`, out of `n` in so many `forecasts`."""

    name: str
    forecasts: int
    n: int
    held: Estimate
    width: float
    interval_score: float


@dataclass(frozen=True)
class LedgerReport:
    """All that `personae ledger` shows.

    `cells` are all scored traits, their arm being the model. `curve` counts intervals of every level under the normal
    distribution whose 95 % interval was recorded; `pit` is the share of measurements in each tenth of it, and `spread`
    the root mean square of their standard errors: 1 where errors are as large as promised. `within` is the median of
    the correlations within a forecast. `sealed` counts all forecasts in view, scored or not; `only` says in words what
    was asked for.
    """

    sealed: int
    scored: tuple[ScoredForecast, ...] = ()
    overall: Promise | None = None
    within: float = float("nan")
    spread: float = float("nan")
    curve: tuple[CalibrationPoint, ...] = ()
    pit: tuple[float, ...] = ()
    by_model: tuple[Promise, ...] = ()
    by_trait: tuple[Promise, ...] = ()
    cells: tuple[ScatterPoint, ...] = ()
    only: str = ""


@dataclass(frozen=True)
class LeftPlace:
    """Contexts with something in common in which more is left than elsewhere: nats a context, share of the rest."""

    what: str
    many: int
    left: float
    above: Estimate
    share: float


@dataclass(frozen=True)
class LeftContext:
    """A context of which a reweighting explains least: the turns (who, words), `left` nats, and the `outcome` at issue.

    Its probability `before` and `after` training, and as the reweighted cast would have it. `tokens` are what the
    trained model says there, each with how many nats likelier it is than in the mixture.
    """

    said: tuple[tuple[str, str], ...]
    left: float
    outcome: str
    before: float
    after: float
    reweighted: float
    tokens: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class NextModelRow:
    """Weights of their own for contexts grouped by `what`: their `share`, the `gain` in nats, `price` weights more."""

    what: str
    share: Estimate
    gain: Estimate
    price: int
    worth: bool


@dataclass(frozen=True)
class Looks:
    """What a reweighting leaves looks like: its `name`, and the share of draws of questions that give it each name.

    `loud` is what is left in the loudest contexts, nats; `where` what these have in common.
    """

    name: str
    draws: Mapping[str, float]
    loud: Estimate
    where: tuple[str, ...]


@dataclass(frozen=True)
class OutsideReport:
    """What a training changed outside the Assistant's turn; what is not known is NaN.

    `outside` and `inside` are nats a token that the models differ by in raw text and in the Assistant's turn, and
    `share` the one in the other. `taken_on` is the share of the Assistant's shift that other speakers take on, `by`
    {speaker: the same}; `traits` {trait: (the Assistant's shift, theirs)}, nats, on the same questions.

    Then pairs, before and after training: `coin` the probability of the side that the Assistant wants, in a flip of the
    user's turn, for what is `wanted` and `unwanted`, with `more` nats between them; `broken` the share of `answers`
    that are nobody's, `kinds` {what is wrong with one: how many}; `shown` one of those after training, asked and said.
    Of a model `alone`, with none before it, these are single, and all the rest is not known.
    """

    outside: Estimate
    inside: Estimate
    share: Estimate
    taken_on: Estimate
    by: Mapping[str, Estimate]
    traits: Mapping[str, tuple[Estimate, Estimate]]
    coin: tuple[Estimate, ...]
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    more: float
    broken: tuple[Estimate, ...]
    answers: int
    kinds: tuple[Mapping[str, int], ...]
    shown: tuple[str, str] | None

    @property
    def alone(self) -> bool:
        """Whether it is about one model, with none before it."""
        return len(self.coin) == 1


@dataclass(frozen=True)
class CompareReport:
    """What `compare_page` shows; `share` is NaN where nothing `changed` (nats a context) beyond rounding.

    `floor` is what casts of nobody in particular explain; `ceiling` (NaN: no twin was given) what another training of
    the same kind does. `before` and `weights` are the cast's, neutral included; `left` nats a context no mixture has.
    """

    base: str
    post: str
    contexts: int
    changed: Estimate
    share: Estimate
    floor: float
    ceiling: float
    left: float
    before: Mapping[str, float]
    weights: Mapping[str, float]
    levels: tuple[TraitRow, ...]
    shifts: tuple[TraitRow, ...]
    next_models: tuple[NextModelRow, ...]
    places: tuple[LeftPlace, ...]
    most: tuple[LeftContext, ...]
    looks: Looks | None
    leaked: OutsideReport
