"""What every study of the laboratory repeats: the world with its two simulators, exact and learned, and its items."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from personae.errors import BadInput
from personae.predictors import Basis
from personae.records import Progress, Trait
from personae.records.files import digest
from personae.training import SFTPlan
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.nouns_for import world_of
from personae.world import ExactSimulator, Language, World, cast, traits, world_named
from personae.world.outside import NAMED, named

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

PLAN = SFTPlan(steps=8, batch=16, rate=9e-4, tuning="full")
OTHERS = 6  # personas that measure attenuation


@dataclass(frozen=True)
class Laboratory:
    """The world, its language and items, and both simulators of it: exact, and the model under its name."""

    world: World
    language: Language
    traits: tuple[Trait, ...]
    exact: ExactSimulator
    model: str
    simulator: "LocalSimulator"

    @property
    def named(self) -> tuple[str, ...]:
        """The characters in whom leakage is looked for: the first of each of `NAMED` archetypes."""
        return named(self.world, NAMED)

    @cached_property
    def others(self) -> dict[str, str]:
        """{persona: context} of those who measure attenuation."""
        personas = cast(self.world, self.language, declared_prior=False).personas
        return {p.name: p.context for p in personas[:: max(1, len(self.world.archetypes) // OTHERS)]}

    @cached_property
    def asked(self) -> str:
        """Digest of all that a training is measured by here: items, personas, and named characters."""
        return digest([self.traits, self.others, self.named])

    def place(self, who: str) -> int:
        """The place of a character among the world's hypotheses. Raises `BadInput` where the world has no such one."""
        if who not in self.world.hypotheses:
            raise BadInput(
                f"the world {self.world.name!r} has no {who}, whom this is about", remedy="name another --model"
            )
        return self.world.hypotheses.index(who)

    def basis(self, progress: Progress | None = None) -> Basis:
        """What the language model says of the cast, its prior fitted from its own behaviour."""
        personas = cast(self.world, self.language, declared_prior=False)
        return cached_basis(self.simulator, personas, self.traits, progress).basis

    def exact_basis(self) -> Basis:
        """What is true of the cast, with the declared prior."""
        return cached_basis(self.exact, cast(self.world, self.language, declared_prior=True), self.traits).basis


@cache
def laboratory(model: str = "lab", world_name: str | None = None) -> Laboratory:
    """The laboratory around `model`, in the world that it was pretrained on, or in the one that is named.

    Raises `BadInput` for a model of no generated world.
    """
    from personae.simulator.registry import load

    world = world_named(world_name) if world_name else world_of(model)
    if world is None:
        raise BadInput(
            f"{model} is not of the laboratory: it was pretrained on no generated world",
            remedy="name `lab`, or a model that `personae pretrain` made",
        )
    language = Language(world)
    return Laboratory(world, language, traits(world, language), ExactSimulator(world, language), model, load(model))
