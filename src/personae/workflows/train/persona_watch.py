"""A callback for a trainer of one's own: any `transformers.Trainer`, TRL's among them, watched as `train --watch` is.

    SFTTrainer(model, args, train_dataset=rows, callbacks=[PersonaWatch("lab", stop_if="moved>0.5")])

The model is measured where the callback is made, so before any training; the trainer may hold it, or another copy of
it, with adapters or without. Looking leaves weights and draws as they are.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from personae.errors import BadInput
from personae.records import Cast, Progress, Trait
from personae.records.files import write_text
from personae.simulator.local import LocalSimulator
from personae.simulator.registry import load
from personae.workflows.train.watching import LOG, read_limits, watching

APART = 0.05  # total variation: of `lab`, bfloat16 makes 0.001, eight steps of cheating 0.13


class PersonaWatch(TrainerCallback):
    """Explained share and posterior, ten times in a training, told and added to `watch.jsonl` in its output folder.

    `model` is what will be trained, by a name that `--model` takes, or as a simulator (`LocalSimulator.from_parts`),
    whose name then says which cast and traits fit it. `cast` and `traits` take their place. `stop_if` and `warn_if`
    are bounds, such as `share<0.8` or `moved>0.5` (nats). `device` is where a model given by name is measured.

    Raises `BadInput` for what is no bound or no model, and at the training's start for more than one process, for a
    learned prompt, or where the model that is to be trained does not answer as `model` does.
    """

    def __init__(
        self,
        model: str | LocalSimulator,
        *,
        cast: Cast | None = None,
        traits: Sequence[Trait] | None = None,
        stop_if: str | Sequence[str] = (),
        warn_if: str | Sequence[str] = (),
        device: str = "auto",
        tell: Callable[[str], object] = print,
    ) -> None:
        stop, warn = ([given] if isinstance(given, str) else given for given in (stop_if, warn_if))
        limits = read_limits(stop, warn, ("stop_if", "warn_if"))
        base = load(model, device=device) if isinstance(model, str) else model
        name = model if isinstance(model, str) else model.name

        @contextmanager
        def watch(what: str, _unit: str) -> Iterator[Progress]:
            tell(what)
            yield lambda done, total: None

        self._watching = watching(name, base, limits, Path(LOG), tell, watch, cast=cast, traits=traits)
        self._name, self._tokenizer = name, base.tokenizer

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,  # noqa: ANN401 - the model that is being trained, adapters and all
        **_: Any,  # noqa: ANN401 - the trainer passes the optimiser and more
    ) -> None:
        """Called by the trainer before the first step, and before the next one where a training goes on."""
        if args.world_size > 1:
            raise BadInput("a training in several processes cannot be watched", remedy="train in one, or leave it out")
        if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
            raise BadInput("a learned prompt changes no weight, and weights are looked at", remedy="train with LoRA")
        log = Path(args.output_dir or "") / LOG
        self._watching = replace(self._watching, log=log)
        if state.global_step:
            if log.exists():  # steps after the checkpoint are taken, and looked at, again
                lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
                write_text(log, "".join(line for line in lines if json.loads(line)["step"] <= state.global_step))
            return
        log.unlink(missing_ok=True)
        with self._seen(model) as seen:
            apart = self._watching.apart(seen)
        if apart > APART:
            raise BadInput(
                f"what is to be trained answers otherwise than {self._name}: {apart:.2f} of what is said differs",
                remedy="give PersonaWatch that model itself: LocalSimulator.from_parts(model, tokenizer, name)",
            )

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,  # noqa: ANN401
        **_: Any,  # noqa: ANN401
    ) -> TrainerControl:
        """Called by the trainer after each step, with the weights as it has left them."""
        with self._seen(model) as seen:
            if not self._watching(state.global_step, state.max_steps, seen):
                control.should_training_stop = True
        return control

    @contextmanager
    def _seen(self, model: Any) -> Iterator[LocalSimulator]:  # noqa: ANN401
        """What is being trained, in place, asked in the words in which it was asked before.

        In the number type of its weights: what a trainer puts around its forward pass (accelerate's mixed precision) is
        set aside meanwhile.
        """
        bare = model.get_base_model() if hasattr(model, "get_base_model") else model
        around = bare.__dict__.get("forward") if hasattr(bare, "_original_forward") else None
        if around is not None:
            bare.forward = bare._original_forward
        try:
            yield LocalSimulator.from_parts(bare, self._tokenizer, self._name)
        finally:
            if around is not None:
                bare.forward = around
