"""The language model, which enacts personas and is none: backends of the `Simulator` protocol, and models by name.

Nothing heavy is imported here: `load` brings in torch when a model is really asked for.
"""

from typing import TYPE_CHECKING, Any

from personae.simulator.dialogue import Dialogue, Encoded

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

__all__ = ["Dialogue", "Encoded", "load"]


def load(name: str, **options: Any) -> "LocalSimulator":  # noqa: ANN401
    """The simulator called `name`; see `personae.simulator.registry.load`."""
    from personae.simulator.registry import load as load_by_name

    return load_by_name(name, **options)
