"""A trainer callback that tells a function of the caller's about each step, and lets it stop the run.

The loss told is that of the step just taken, over its rows under the weights *before* the step. A loss that
is not a number ends the run at once.
"""

import math
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from personae.errors import RunFailed

OnStep = Callable[[int, int, float], object]  # (step, total, loss); False stops the run, anything else goes on


class Teller(TrainerCallback):
    """Keeps loss and log of every step, tells `on_step` of each, and knows whether that stopped the run."""

    def __init__(self, on_step: OnStep | None = None) -> None:
        self.losses: list[float] = []
        self.logs: list[dict[str, float]] = []  # all that the trainer measured in the step
        self.stopped = False
        self._on_step = on_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,  # noqa: ANN401 - the trainer passes the model, optimiser and more
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
        if self._on_step is not None and self._on_step(state.global_step, state.max_steps, loss) is False:
            self.stopped = control.should_training_stop = True
        return control
