"""What is asked of one model outside the Assistant's turn, beside its profile, and of the model it was trained from.

All of `leakage`, where that one is known; flips and answers of the model alone where it is not. It takes the weights of
both, in this process and as their files have them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from personae.errors import BadInput
from personae.records import Simulator, Trait
from personae.simulator.address import is_address
from personae.simulator.devices import Running
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.kept_levels import kept_levels
from personae.workflows.measure.leakage import Turns, leakage, turns
from personae.workflows.measure.yardstick import check_same_words
from personae.workflows.nouns_for import world_of
from personae.workflows.watch import Watch

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator


def check_weights(model: str, untrained: str | None, running: Running) -> None:
    """Raise `BadInput` where the weights of `model` or `untrained` are not at hand, as their files have them."""
    for name in (model, untrained or ""):
        if is_address(name):
            raise BadInput(
                f"{name} is held by a server, and --outside reads a model's weights",
                remedy="leave --outside out, or name a model on this machine",
            )
    if running.engine != "local":
        raise BadInput(f"--outside reads a model's weights here, not on {running.engine}", remedy="leave --engine out")
    if running.quantise:
        raise BadInput("--outside reads a model's weights as they are, not squeezed", remedy="leave --quantise out")


def beside(
    named: str, simulator: Simulator, untrained: Simulator | None, traits: Sequence[Trait], seed: int = 0
) -> Turns:
    """What is asked of the model and, where it is known, of the one before it; by whose world, `named` says.

    Both have passed `check_weights`. Raises `BadInput` where they do not read the same tokens.
    """
    base, post = cast("LocalSimulator | None", untrained), cast("LocalSimulator", simulator)
    if base is not None:
        check_same_words(post, base)
    return turns(base, post, tuple(traits), world_of(named), seed)


def outside_turn(asked: Turns, folder: RunFolder, watch: Watch) -> dict[str, Any]:
    """The record of `leakage`; how far the Assistant's own traits moved is measured first, and kept beside it."""
    shift = {}
    if asked.base is not None:
        before = kept_levels(asked.base, asked.traits, folder.file("base-levels.parquet"), watch)
        after = kept_levels(asked.post, asked.traits, folder.file("post-levels.parquet"), watch)
        shift = {trait: after[trait] - before[trait] for trait in before}
    return leakage(asked, shift, folder, watch)
