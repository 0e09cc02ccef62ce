"""What is asked of an archetype: which character, on which model, from how many documents, and what comes afterwards.

All that can be wrong is found here, before any model is run: files, cast, traits and plans first, then the model.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae import library
from personae.data import read_archetype
from personae.errors import BadInput
from personae.records import Archetype, Cast, Trait
from personae.records.cast import RESERVED
from personae.records.files import digest, digest_file
from personae.training import SFTPlan
from personae.workflows.archetype.documents import Source
from personae.workflows.archetype.documents_enacted import Enacted
from personae.workflows.archetype.documents_written import Written, nearest
from personae.workflows.audit.bounds import nearest_name
from personae.workflows.audit.file_language import LABORATORY, OTHER, check_language
from personae.workflows.audit.file_pair import FilePair, check_fits, read_pair
from personae.workflows.audit.file_question import ITEMS, fewer
from personae.workflows.doses import check_rank, dose_for
from personae.workflows.enough import TRAINED, check_enough, check_nouns_fit
from personae.workflows.nouns_for import nouns, world_of
from personae.workflows.run.file_arms import check_seeds

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

DOCUMENTS = 240
TIMES = 2  # how often a document is read, unless a number of steps is named


@dataclass(frozen=True)
class Wish:
    """What a user asks for; `settings` change the plan of midtraining (steps, batch, rate, rank)."""

    file: str
    model: str
    then: Path | None = None
    cast: Path | None = None
    traits: Path | None = None
    documents: int = DOCUMENTS
    items: int = ITEMS
    seeds: int = 1
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class ArchetypeQuestion:
    """The same, checked, with its model loaded; `then` holds the rows of the later post-training, by `then_plan`."""

    archetype: Archetype
    simulator: "LocalSimulator"
    cast: Cast
    traits: tuple[Trait, ...]
    origin: Source
    documents: int
    plan: SFTPlan
    then: FilePair | None
    then_plan: SFTPlan
    seeds: int
    seed: int

    def configuration(self) -> dict[str, Any]:
        """What decides the result, for the run folder."""
        return {
            "archetype": digest(self.archetype),
            "name": self.archetype.name,
            "model": self.simulator.name,
            "model_digest": self.simulator.digest,
            "cast": digest(self.cast),
            "traits": digest(self.traits),
            "documents": self.documents,
            "plan": self.plan,
            "then": None if self.then is None else digest_file(self.then.data),
            "then_plan": None if self.then is None else self.then_plan,
            "seeds": self.seeds,
            "seed": self.seed,
        }


def ask(wish: Wish, **settings: float | None) -> ArchetypeQuestion:
    """The question, checked, with its model loaded."""
    from personae.simulator.registry import check_trainable, load

    check_trainable(wish.model, wish.device)
    check_seeds(wish.seed, wish.seeds)
    character = named(wish.file)
    personas, every = nouns(wish.model, wish.cast, wish.traits)
    then = None if wish.then is None else read_pair(wish.then)
    asked = fewer(every, wish.items)
    check_enough(personas, asked, items=TRAINED, cast_file=wish.cast, traits_file=wish.traits, most=wish.items)
    world = world_of(wish.model)
    if world is not None:
        nearest(character, world)
    elif character.name in (*RESERVED, *personas.names):
        raise BadInput(f"there is a persona called {character.name!r} already", remedy="name the archetype otherwise")
    check_rank(dose_for(wish.model, **settings).plan, settings.get("rank"), wish.model)
    simulator = load(wish.model, device=wish.device)
    check_nouns_fit(simulator, personas, asked, cast_file=wish.cast, traits_file=wish.traits)
    origin = Written(character, world) if world is not None else Enacted(character, simulator, personas)
    alone = personas.model_copy(update={"personas": (origin.persona,)})
    check_nouns_fit(simulator, alone, asked, cast_file=Path(wish.file), traits_file=wish.traits)
    if then is not None:
        check_fits(simulator, None, then)
        check_language(simulator, then, LABORATORY if world is not None else OTHER)
    own = dose_for(simulator.name).plan
    return ArchetypeQuestion(
        archetype=character,
        simulator=simulator,
        cast=personas,
        traits=asked,
        origin=origin,
        documents=wish.documents,
        plan=_midtraining(simulator.name, wish.documents, settings),
        then=then,
        then_plan=own,
        seeds=wish.seeds,
        seed=wish.seed,
    )


def named(file: str) -> Archetype:
    """The archetype in a file, or the built-in one of that name."""
    if file in library.ARCHETYPES and not Path(file).exists():
        return library.archetype(file)
    if not Path(file).suffix and not Path(file).exists():
        meant = nearest_name(file, library.ARCHETYPES)
        remedy = meant if meant.startswith("did") else f"name a YAML file, or {meant}"
        raise BadInput("there is no such file, and no built-in archetype of that name", file=file, remedy=remedy)
    return read_archetype(file)


def _midtraining(model: str, documents: int, settings: dict[str, float | None]) -> SFTPlan:
    """The model's own plan, long enough to read every document `TIMES` times."""
    plan = dose_for(model, **settings).plan
    if settings.get("steps") is not None:
        return plan
    return replace(plan, steps=max(1, round(TIMES * documents / plan.batch)))
