"""What every way of post-training shares: a copy is trained, what was done is counted and checked, and it is kept.

The caller's model is not touched: a float32 copy is trained, and adapters are merged into it at the end, so what comes
back is scored like any other simulator. A step is one AdamW step over exactly the planned rows, and two trainings of
one plan on as many rows see them in the same order. The same plan, rows, machine and number of threads give the same
weights. Rows seen, layers adapted and weights changed are counted; a shortfall is `TreatmentNotApplied`.
"""

import contextlib
import copy
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import TreatmentNotApplied
from personae.records.files import digest, write_json
from personae.training.checkpoint import CARD, save_weights, whole_folder
from personae.training.plan import Plan

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnLook, OnStep, Teller

Told = Mapping[str, Any]
NOTHING: Told = {}


@dataclass(frozen=True)
class Trained:
    """What a training made, and what went into it.

    `losses` (steps,) each under the weights before its step (nats a token for SFT, see the methods); `steps` taken,
    fewer than planned only where `on_step` or `on_look` stopped the run; `rows_used` the different rows seen and
    `rows_dropped` those too long for the model; `tokens` the response tokens that bore loss, a row counted each time it
    was seen; `layers` adapted (0: all weights). `told` is what the method alone has to tell.
    """

    simulator: "LocalSimulator"
    losses: tuple[float, ...]
    steps: int
    rows_used: int
    rows_dropped: int
    tokens: int
    layers: int
    told: Told = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """A trainer about to run, and `seen`, which will hold the numbers of the rows that it was given, in order."""

    trainer: Any
    seen: list[int]


@dataclass(frozen=True)
class Course:
    """What is a method's own: the rows in the order in which they are to be seen, and how its trainer is built.

    `order` (steps x `per_step`,) row numbers; `dropped` rows are too long; `data` is what the card's digest of the data
    is taken over. `tokens(seen)` counts the response tokens that bore loss; `told(steps)` is asked when all is done.
    """

    name: str
    data: object
    order: NDArray[np.int64]
    per_step: int
    dropped: int
    build: "Callable[[Any, Teller, Path], Built]"
    tokens: Callable[[NDArray[np.int64]], int]
    told: Callable[["Teller"], Told] = lambda _: {}


def carry_out(
    simulator: "LocalSimulator",
    course: Course,
    plan: Plan,
    out: Path | None,
    on_step: "OnStep | None",
    on_look: "OnLook | None",
    name: str | None,
    note: Told = NOTHING,
) -> Trained:
    """The simulator after the course, kept as a checkpoint or adapter in `out` if given, `note` on its card.

    Raises `BadInput` for a folder that cannot be used before any work, `RunFailed` for a loss that is no number.
    """
    from personae.training.callback import Teller

    def as_it_is(model: Any) -> "LocalSimulator":  # noqa: ANN401
        bare = model.get_base_model() if plan.tuning == "lora" else model
        return type(simulator).from_parts(bare, simulator.tokenizer, name or f"{simulator.name}+{course.name}")

    teller = Teller(on_step, on_look, as_it_is)
    with contextlib.ExitStack() as stack:
        folder = None if out is None else stack.enter_context(whole_folder(out))
        model, layers = _train(simulator, course, plan, teller, folder)
        losses = tuple(teller.losses)
        seen = course.order[: len(losses) * course.per_step]
        trained = Trained(
            simulator=type(simulator).from_parts(model, simulator.tokenizer, name or f"{simulator.name}+{course.name}"),
            losses=losses,
            steps=len(losses),
            rows_used=len(set(seen.tolist())),
            rows_dropped=course.dropped,
            tokens=course.tokens(seen),
            layers=layers,
            told=course.told(teller),
        )
        if folder is not None:
            write_json(folder / CARD, {**_card(trained, simulator, course, plan), **note})
    return trained


def _card(trained: Trained, base: "LocalSimulator", course: Course, plan: Plan) -> dict[str, object]:
    """What was trained, on what, and how it went."""
    counts = {f.name: getattr(trained, f.name) for f in fields(trained) if f.name not in ("simulator", "told")}
    return {
        "method": course.name,
        "base": base.name,
        "base_digest": base.digest,
        "data_digest": digest(course.data),
        "plan": plan,
        "plan_digest": plan.digest,
        **counts,
        **trained.told,
    }


def _train(
    simulator: "LocalSimulator", course: Course, plan: Plan, teller: "Teller", folder: Path | None
) -> tuple[Any, int]:
    """The trained model as a plain one, and how many layers were adapted.

    Of a base that carries an adapter itself, the two as one are what is trained, and the outcome is kept whole: an
    adapter alone would be read back onto the wrong base.
    """
    from personae.simulator.memory import let_go
    from personae.training.trainer import adapted_layers, linear_layers, undisturbed

    if simulator.device != "cpu":
        let_go()  # of the training before, which holds itself in circles
    adapts, base = plan.tuning == "lora", simulator.model
    if hasattr(base, "peft_config"):
        base = _merged(copy.deepcopy(base))
    linear = linear_layers(base)
    if adapts and not linear:
        raise TreatmentNotApplied(f"{simulator.name} has no linear layer for an adapter to go on")
    model = copy.deepcopy(base).float().requires_grad_(True)
    with undisturbed(), tempfile.TemporaryDirectory() as scratch:
        built = course.build(model, teller, Path(scratch))
        layers = adapted_layers(built.trainer.model)
        if adapts and layers != len(linear):
            raise TreatmentNotApplied(f"adapters went on {layers} of {len(linear)} linear layers")
        built.trainer.train()
        model = built.trainer.model
        _restore(model.get_base_model() if adapts else model, base)
        if base is not simulator.model:
            model = _merged(model)
        if folder is not None:
            save_weights(model, simulator.tokenizer, folder)
        model = _merged(model)
    _check_rows(built.seen, course, plan, teller)
    _check_changed(model, base)
    return model.requires_grad_(False).eval(), layers


def _merged(model: Any) -> Any:  # noqa: ANN401
    """The model with the adapter that it may carry in its own weights."""
    return model.merge_and_unload() if hasattr(model, "peft_config") else model


def _restore(model: Any, base: Any) -> None:  # noqa: ANN401
    """Give the trained model its own class's forward and its base's settings back, which the trainer had replaced."""
    model.__dict__.pop("forward", None)
    for key in ("use_cache", "bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(model.config, key, getattr(base.config, key, None))
    own, before = model.config.get_text_config(), base.config.get_text_config()
    for key in ("output_router_logits", "router_aux_loss_coef"):  # of a mixture of experts
        if hasattr(before, key):
            setattr(own, key, getattr(before, key))
    model.generation_config = copy.deepcopy(base.generation_config)
    model.zero_grad(set_to_none=True)


def _check_rows(seen: list[int], course: Course, plan: Plan, teller: "Teller") -> None:
    """Raise unless the trainer was given the planned rows, in order, as often as planned."""
    steps = len(teller.losses)
    wanted = course.order[: steps * course.per_step].tolist()
    if (steps < plan.steps and not teller.stopped) or seen[: len(wanted)] != wanted:
        raise TreatmentNotApplied(
            f"the trainer took {steps} of {plan.steps} steps and saw {len(seen)} rows, not the {len(wanted)} planned"
        )


def _check_changed(model: Any, base: Any) -> None:  # noqa: ANN401
    """Raise unless some weight differs from its base's."""
    import torch

    before = dict(base.named_parameters())
    if all(torch.equal(p, before[n].to(p.dtype)) for n, p in model.named_parameters()):
        raise TreatmentNotApplied("no weight changed in training; the rate may be too small for float32 to show")
