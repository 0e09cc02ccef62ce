"""A trainer callback that tells functions of the caller's about each step, and lets them stop the run.

The loss told is that of the step just taken, over its rows under the weights *before* the step. A loss that
is not a number ends the run at once.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from personae.errors import RunFailed

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

OnStep = Callable[[int, int, float], object]  # (step, total, loss); False stops the run, anything else goes on
OnLook = Callable[[int, int, "LocalSimulator"], object]  # the same with the model as the step has left it


class Teller(TrainerCallback):
    """Keeps loss and log of every step, tells `on_step` and `on_look` of each, and knows whether they stopped the run.

    `seen` makes a simulator of what is being trained, in place; whoever looks must leave it as it is.
    """

    def __init__(
        self,
        on_step: OnStep | None = None,
        on_look: OnLook | None = None,
        seen: "Callable[[Any], LocalSimulator] | None" = None,
    ) -> None:
        self.losses: list[float] = []
        self.logs: list[dict[str, float]] = []  # all that the trainer measured in the step
        self.stopped = False
        self._on_step, self._on_look, self._seen = on_step, on_look, seen

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        model: Any = None,  # noqa: ANN401 - the model that is being trained, adapters and all
        **_: Any,  # noqa: ANN401 - the trainer passes the optimiser and more
    ) -> TrainerControl:
        """Called by the trainer after each step with `logs["loss"]`, and once at the end without."""
        if logs is None or "loss" not in logs:
            return control
        loss = float(logs["loss"])
        self.losses.append(loss)
        self.logs.append(dict(logs))
        if not math.isfinite(loss):
            raise RunFailed(
                f"the training loss is {loss} at step {state.global_step} of {state.max_steps}; "
                "a lower rate, or a look at the model's weights, is the way out"
            )
        step, total = state.global_step, state.max_steps
        if self._on_step is not None and self._on_step(step, total, loss) is False:
            self.stopped = control.should_training_stop = True
        if self._on_look and self._seen and self._on_look(step, total, self._seen(model)) is False:
            self.stopped = control.should_training_stop = True
        return control
