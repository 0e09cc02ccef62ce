"""What the ledger's page is drawn from. Values; nothing is computed (see `content`)."""

from dataclasses import dataclass

from personae.records import Estimate
from personae.report.content import CalibrationPoint, ScatterPoint


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
