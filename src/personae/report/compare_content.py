"""What the page of a comparison is drawn from, and what is measured outside the Assistant's turn. Values alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from personae.records import Estimate
from personae.report.content import TraitRow


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
    """What `compare_page` shows; `share` is NaN where nothing `changed` (nats a context) beyond noise.

    `floor` is what casts of nobody in particular explain, `floors` each of them; `ceiling` (NaN: no twin was given)
    what another training of the same kind does. `before` and `after`: {persona: weight} of who answers, neutral
    included, read alike off both models; `left` nats a context no mixture has.
    `untried` says why what the rest `looks` like was never tried on such a training, or is not told; "" where it was.
    `broken` says so where training has broken the model, so that nothing here is to be read; "" where it has not.
    """

    base: str
    post: str
    contexts: int
    changed: Estimate
    share: Estimate
    floor: float
    floors: tuple[float, ...]
    ceiling: Estimate
    left: Estimate
    before: Mapping[str, float]
    after: Mapping[str, float]
    levels: tuple[TraitRow, ...]
    shifts: tuple[TraitRow, ...]
    next_models: tuple[NextModelRow, ...]
    places: tuple[LeftPlace, ...]
    most: tuple[LeftContext, ...]
    looks: Looks | None
    untried: str
    leaked: OutsideReport
    broken: str = ""
