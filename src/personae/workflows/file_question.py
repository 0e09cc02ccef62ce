"""What is asked of a file: which file and control, on which model, with which cast, traits and dose.

Everything that can be wrong with the question is found here, before any model is run: first what costs nothing (files,
cast, traits, bounds, plan), then the model, then whether every row fits it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personae.records import Cast, Simulator, Trait
from personae.records.files import digest
from personae.workflows.bounds import Bound, read_bound
from personae.workflows.doses import Dose, dose_for
from personae.workflows.file_pair import FilePair, check_fits, read_pair
from personae.workflows.nouns_for import nouns


@dataclass(frozen=True)
class Question:
    """What is asked: about which file (and control), on which model, with which cast, traits and dose."""

    simulator: Simulator
    cast: Cast
    traits: tuple[Trait, ...]
    pair: FilePair
    dose: Dose
    seed: int = 0

    def configuration(self) -> dict[str, Any]:
        """What decides the result, for the run folder."""
        return {
            "model": self.simulator.name,
            "model_digest": self.simulator.digest,
            "data": self.pair.digests,
            "rows": len(self.pair.episodes),
            "cast": digest(self.cast),
            "traits": digest(self.traits),
            "dose": self.dose.effective,
            "plan": self.dose.plan,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Wish:
    """The same, as a user names it; `settings` change the model's own plan of training (steps, batch, rate, ...)."""

    data: Path
    model: str
    against: Path | None = None
    cast: Path | None = None
    traits: Path | None = None
    limit: int | None = None
    dose: float | None = None
    bounds: Sequence[str] = ()
    seed: int = 0


def ask(wish: Wish, **settings: float | None) -> tuple[Question, tuple[Bound, ...]]:
    """The question, checked, with its model loaded; and the bounds on its forecast."""
    from personae.simulator.registry import load

    cast, traits = nouns(wish.model, wish.cast, wish.traits)
    pair = read_pair(wish.data, wish.against, wish.limit)
    bounds = tuple(read_bound(text, [t.name for t in traits]) for text in wish.bounds)
    dose_for(wish.model, dose=wish.dose, **settings)
    simulator = load(wish.model)
    dose = dose_for(simulator.name, dose=wish.dose, **settings)
    check_fits(simulator, cast, pair)
    return Question(simulator, cast, traits, pair, dose, wish.seed), bounds
