"""The study of paired forecasts: how much of it there is, on which model, and where what is kept lies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pairs_sets import DEVELOPMENT, HELD_OUT, TRAITS, Pair, scored_traits

from personae.predictors import Basis
from personae.records import Cast, Trait
from personae.records.files import read_json
from personae.simulator.local import LocalSimulator
from personae.simulator.registry import load
from personae.theory.intervals import Doubt
from personae.workflows.doses import Dose, dose_for
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.nouns_for import nouns

SIDES = ("treated", "control")
LEAST = 1e-6  # share of the shift in context: it is measured, as a floor, where none of it was fitted


@dataclass(frozen=True)
class Size:
    """How much: `traits` of the `candidates` score, `items` each; `rows` a side; steps of `batch` at one of `rates`."""

    candidates: tuple[str, ...] = TRAITS
    traits: int = 16
    items: int = 40
    rows: int = 64
    steps: int = 8
    batch: int = 8
    rates: tuple[float, ...] = (2e-4, 1.5e-4, 1e-4, 5e-5, 2.5e-5, 1.25e-5)
    development: tuple[Pair, ...] = DEVELOPMENT
    held_out: tuple[Pair, ...] = HELD_OUT


QUICK = Size(
    candidates=("agreeableness", "interest-in-sports", "narcissism"),
    traits=3,
    items=4,
    rows=4,
    steps=2,
    batch=2,
    rates=(2e-4,),
    development=DEVELOPMENT[:1],
    held_out=tuple(pair for pair in DEVELOPMENT if pair.trait == "narcissism"),
)


@dataclass(frozen=True)
class Run:
    """A pair to be forecast and trained: in which part of the study, and at which rate (0: the one in dose.json)."""

    part: str
    pair: Pair
    rate: float = 0.0

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.pair.name}-{self.rate:g}" if self.rate else self.pair.name


@dataclass(frozen=True)
class Study:
    """A model, where it runs, where the published data lie, and the folder in which all is kept."""

    model: str
    device: str
    data: Path
    folder: Path
    size: Size

    @property
    def simulator(self) -> LocalSimulator:
        """The untrained model; one in each process."""
        return loaded(self.model, self.device)

    @property
    def cast(self) -> Cast:
        """The model's own cast."""
        return nouns(self.model)[0]

    @property
    def chosen(self) -> tuple[Trait, ...]:
        """The traits that score, as traits.json says."""
        return published(self.data, tuple(read_json(self.folder / "traits.json")["chosen"]), self.size.items)

    def basis(self, traits: Sequence[Trait]) -> Basis:
        """The cast on these traits, measured or from the cache."""
        return cached_basis(self.simulator, self.cast, traits).basis

    def sets(self, pair: Pair) -> tuple[Path, Path]:
        """The files of a pair's two sides."""
        treated, control = (self.folder / "sets" / f"{pair.name}-{side}.jsonl" for side in SIDES)
        return treated, control

    def dose(self, rate: float) -> Dose:
        """What is trained; of a development run (`rate` given) the dose is a guess that nothing rests on."""
        plan = {"steps": self.size.steps, "batch": self.size.batch}
        if rate:
            return dose_for(self.model, rate=rate, **plan)
        found = read_json(self.folder / "dose.json")
        doubt = Doubt(**{part: found["entry"][part] for part in ("spread", "residual", "cast")})
        dose = dose_for(self.model, rate=found["entry"]["rate"], dose=found["dose"], **plan)
        source = f"The dose was fitted on {found['entry']['fitted_on']}."
        share = max(found["fit"]["share"], LEAST)
        return replace(dose, source=source, fitted=True, doubt=doubt, share=share)


@cache
def loaded(model: str, device: str) -> LocalSimulator:
    """The model, once in each process."""
    return load(model, device=device)


@cache
def published(data: Path, names: tuple[str, ...], items: int) -> tuple[Trait, ...]:
    """Published traits, on the items that score; read once in each process."""
    return scored_traits(data, names, items)
