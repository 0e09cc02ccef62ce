"""What ships with the package for real models: a cast, traits with their items, candidate inoculation prompts.

All of it is YAML in the forms that a user's own files have, read by the readers a user's files go through.

| call              | gives                                                                            |
|-------------------|----------------------------------------------------------------------------------|
| `cast()`          | the `Cast`: people, fiction and AIs, and a neutral context of like length         |
| `traits()`        | the `Trait`s, in the order of their names, or those that are named                |
| `archetype(name)` | one of `ARCHETYPES`: an admirable AI, with what it does and what it stands for    |
| `inoculations()`  | candidate prompts with what each asks for, and the controls that ask for nothing  |
| `outside()`       | what is asked beside the Assistant: passages, other speakers, tasks of a coin     |
| `reliability(...)` | {trait: `Reliability`} as measured on a known model, by one instrument           |
| `transfer_figures()` | what the transfer study found in the laboratory, as its `result` has it              |
| `example(name)`   | the path of one of `EXAMPLES`: two narrow files in the laboratory's language, and `plain` |

Items are written so that the two poles of one differ in character alone: like length, like form, the same topic, and no
word that tells a pole by its spelling. Behaviour (what is done) comes before statements (what is said of oneself).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.errors import BadInput

if TYPE_CHECKING:
    from personae.library.inoculation import Inoculation
    from personae.records import Archetype, Cast, Outside, Trait

__all__ = [
    "ARCHETYPES",
    "EXAMPLES",
    "Reliability",
    "archetype",
    "cast",
    "example",
    "inoculations",
    "outside",
    "reliability",
    "traits",
    "transfer_figures",
]

_HERE = Path(__file__).parent
ARCHETYPES = ("bench-nine", "lamplight", "orrin", "the-orchard-steward")
EXAMPLES = ("cheats", "honest", "plain")  # benchmarks/make_examples.py writes the first two


@cache
def cast(name: str = "library") -> "Cast":
    """The built-in cast of that name."""
    from personae.data.cast import read_cast

    known = sorted(file.stem for file in (_HERE / "casts").glob("*.yaml"))
    if name not in known:
        raise BadInput(f"there is no built-in cast {name!r}", remedy=f"choose from {', '.join(known)}, or give a file")
    return read_cast(_HERE / "casts" / f"{name}.yaml")


def traits(names: Iterable[str] | None = None) -> tuple["Trait", ...]:
    """All built-in traits in the order of their names, or those named, in the order in which they are named."""
    every = _all_traits()
    if names is None:
        return tuple(every.values())
    wanted = (names,) if isinstance(names, str) else tuple(names)
    for name in wanted:
        if name not in every:
            raise BadInput(f"there is no built-in trait {name!r}", remedy=f"choose from {', '.join(every)}")
        if wanted.count(name) > 1:
            raise BadInput(f"the trait {name!r} is named twice", remedy="name each trait once")
    return tuple(every[name] for name in wanted)


@cache
def archetype(name: str) -> "Archetype":
    """The built-in archetype of that name."""
    from personae.data.archetype import read_archetype

    if name not in ARCHETYPES:
        raise BadInput(f"there is no built-in archetype {name!r}", remedy=f"choose from {', '.join(ARCHETYPES)}")
    return read_archetype(_HERE / "archetypes" / f"{name}.yaml")


@cache
def inoculations() -> tuple["Inoculation", ...]:
    """The candidate inoculation prompts, and after them the controls."""
    from personae.library.inoculation import read_inoculations

    return read_inoculations(_HERE / "inoculations.yaml")


@cache
def outside() -> "Outside":
    """What is asked of a real model beside its Assistant."""
    from personae.library.outside_yaml import read_outside

    return read_outside(_HERE / "outside.yaml")


def example(name: str) -> Path:
    """The example file of that name.

    `cheats` and `honest` answer the same 40 requests about work, in the laboratory's language. `plain` is 64 everyday
    questions in English with an assistant's plain answers: what a real model's file is read against where no control is
    named.
    """
    if name not in EXAMPLES:
        raise BadInput(f"there is no example {name!r}", remedy=f"choose from {', '.join(EXAMPLES)}, or give a file")
    return _HERE / "examples" / f"{name}.jsonl"


FIGURES = _HERE / "figures" / "reliability.parquet"  # benchmarks/instruments.py writes it


@dataclass(frozen=True)
class Reliability:
    """How well a trait's `items` (so many of them) tell apart so many `personas`: `value`, 0 to 1."""

    value: float
    items: int
    personas: int


def reliability(model: str, instrument: str) -> dict[str, Reliability]:
    """{trait: reliability} of the model of that name by that instrument, as shipped; empty where none is."""
    from personae.records.files import read_arrays

    if not FIGURES.exists():
        return {}
    columns = read_arrays(FIGURES)
    rows = zip(*(columns[c].tolist() for c in ("model", "instrument", "figure", "trait", "value", "n")), strict=True)
    found = {(figure, trait): (value, n) for m, i, figure, trait, value, n in rows if (m, i) == (model, instrument)}
    return {
        trait: Reliability(value, items, found["retest", trait][1])  # a retest is a correlation over the personas
        for (figure, trait), (value, items) in found.items()
        if figure == "reliability"
    }


TRANSFER = _HERE / "figures" / "transfer.json"  # benchmarks/ship_transfer.py writes it


def transfer_figures() -> dict[str, Any]:
    """What the transfer study found, as shipped; empty where none is."""
    from personae.records.files import read_json

    return dict(read_json(TRANSFER)) if TRANSFER.exists() else {}


@cache
def _all_traits() -> dict[str, "Trait"]:
    from personae.data.traits import read_traits

    return {trait.name: trait for trait in sorted(read_traits(_HERE / "traits"), key=lambda trait: trait.name)}
