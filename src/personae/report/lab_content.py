"""What the laboratory's page is drawn from. Values; nothing is computed (see `content`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from personae.records import Cast, Estimate, Forecast, Posterior, Profile, Score, Trait
from personae.records.results import Floats
from personae.report.content import DosePath, Fact, Telling


@dataclass(frozen=True)
class Arm:
    """One narrow training in the laboratory, with what was forecast and what came out.

    `says` is what the file is, in words ("cheats on tasks; nobody asked it to"). `trained` names the traits that the
    file trains outright. `retention` is the probability, after training, of the trained behaviour where it is asked for
    as in the file. `moved` {trait: character shift, nats}, attenuation taken off, is what the forecast is scored on.
    `leaks` {named character: {trait: shift in nats}}.
    """

    name: str
    says: str
    forecast: Forecast
    exact: Forecast
    measured: Profile
    base: Profile
    moved: Mapping[str, float]
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
