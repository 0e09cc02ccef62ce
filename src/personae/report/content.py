"""What pages and figures are drawn from, where the nouns of `records` are not enough. Values; nothing is computed.

Levels and shifts are in nats (log-odds, high pole over low); weights and shares are probabilities. Every string may
come from a data set or a model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from personae.records import Cast, Estimate, Forecast, Posterior, Score, Trait
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
    what somebody who answered so would be. `where` is its row of the file, as "line 4", `place` its
    place among the rows read, from 0.
    """

    prompt: str
    response: str
    evidence_bits: float
    reveals: str
    personas: tuple[str, ...] = ()
    where: str = ""
    place: int = 0


@dataclass(frozen=True)
class TokenAnswer:
    """An answer by token: `texts` (T,), and `nats` (T,) of evidence; a partner lacks those of the range `unlike`.

    A text is "" for the token that ends the answer, and for a part of a character.
    """

    texts: tuple[str, ...]
    nats: tuple[float, ...]
    unlike: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class TokenRow:
    """A row by token: its evidence for `persona`, and that of the control's row, if it has one, for the same."""

    where: str
    prompt: str
    persona: str
    answer: TokenAnswer
    control: TokenAnswer | None = None


@dataclass(frozen=True)
class Apart:
    """Where pairs of answers differ: of `tokens` of an answer `unlike` are (medians over pairs).

    Of the size of the difference in evidence the share `on` lies on those, and `after` on what both say after them.
    """

    tokens: float
    unlike: float
    on: float
    after: float


@dataclass(frozen=True)
class Placement:
    """Where in the answers of the most telling rows evidence sits; `apart` is None without a matched control.

    `left_out` counts those whose tokens are not the same under every context.
    """

    rows: tuple[TokenRow, ...]
    apart: Apart | None = None
    left_out: int = 0


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
    the correlation in `score` with its interval. `attenuation` is the share of the instrument that training took away;
    `too_heavy` whether that, or the control's, is more than the forecast allows.
    `trained` names the traits that the file itself trains, which no score counts. `ties` {persona: others} are those
    that the scores' precision does not tell apart, empty where it tells all. `left_out` tells which rows went.
    `placement` is None where scores are not known by token. `parts` {part: {trait: nats}} add up to the forecast's
    shifts, and `alone` {part: its correlation with what was measured}; both are empty where it has one part.
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
    too_heavy: bool = False
    character: tuple[CharacterShift, ...] = ()
    trained: tuple[str, ...] = ()
    ties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    left_out: LeftOut | None = None
    placement: Placement | None = None
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    alone: Mapping[str, float] = field(default_factory=dict)


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
