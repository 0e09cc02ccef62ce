"""From what the user calls a model to a simulator: a name of a model on this machine (see `locating`), or an address.

All but an address, the URL of a served model (see `address`), give a `LocalSimulator`, which can be trained.
"""

from typing import TYPE_CHECKING

from personae.errors import BadInput
from personae.simulator.address import is_address
from personae.simulator.devices import AS_USUAL, AUTO, Running, check_device, check_engine, check_quantised, found_here
from personae.simulator.locating import locate

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.simulator.pool import PoolSimulator
    from personae.simulator.server import ServerSimulator

__all__ = ["check_trainable", "load", "locate", "open_model"]

SQUEEZED = (
    "The model's weights were squeezed into 4 bits as it was read. That makes another model of it; how far its answers "
    "are from those of the files is not measured."
)


def open_model(
    name: str, *, dtype: str = "float32", running: Running = AS_USUAL
) -> "LocalSimulator | PoolSimulator | ServerSimulator":
    """The simulator called `name`, to be scored and sampled: on this machine, on Ray, or behind the server it names.

    Raises `BadInput` where a number type, a device or an engine is asked of a server, which has its own.
    """
    check_engine(running.engine, running.workers)
    _check_named(name)
    if not is_address(name) and running.engine == "ray":
        from personae.simulator.pool import open_pool

        return open_pool(name, dtype, running)
    if not is_address(name):
        return load(name, dtype=dtype, device=running.device, quantise=running.quantise)
    from personae.simulator.server import ServerSimulator

    if dtype != "float32":
        raise BadInput(f"{name} scores in a number type of its own, not {dtype}", remedy="leave --dtype out")
    for option, value in vars(running).items():
        if value != getattr(AS_USUAL, option):
            raise BadInput(f"{name} runs where its server runs it", remedy=f"leave --{option} out")
    return ServerSimulator.connect(name)


def _check_named(name: str) -> None:
    """Raise `BadInput` where `name` is empty, which as a path would be the current folder."""
    if not name.strip():
        raise BadInput("no model is named", remedy="`personae models` lists what can be named")


def check_trainable(name: str, device: str = AUTO) -> None:
    """Raise `BadInput` where `name` can be scored and not trained, since a server holds it, or not on `device`."""
    if is_address(name):
        raise BadInput(
            f"{name} is held by a server, and only a model on this machine can be trained",
            remedy="name one; `audit`, `filter`, `inoculate`, `measure` and `complete` take a server's",
        )
    check_device(device, trains=True)


def load(name: str, *, dtype: str = "float32", device: str = "cpu", quantise: str = "") -> "LocalSimulator":
    """The simulator called `name`. Raises `BadInput`, in one line, for anything that is not a causal model here."""
    from personae.simulator.reading import Reading, read, read_in_float32

    _check_named(name)
    check_trainable(name)
    check_device(device)
    reading = Reading(dtype, found_here(device), quantise)
    check_quantised(quantise, reading.device)
    located = locate(name)  # last, since it may bring the model here
    simulator = read(located, reading)
    if dtype != "float32":
        simulator.in_float32 = lambda: read_in_float32(located, reading, simulator)
    if quantise:
        simulator.caution = SQUEEZED
    return simulator
