"""Supervised fine-tuning: a simulator and episodes in, a trained simulator out, through TRL and PEFT.

Loss is on exactly the response span of each row (`training.spans`), the mean over the span tokens of a step's rows,
nats a token. The caller's model is not touched: a float32 copy is trained, and adapters are merged into it at the end,
so what comes back is scored like any other simulator. A step is one AdamW step over exactly `plan.batch` rows, and two
trainings of one plan on as many rows see them in the same order. The same plan, rows, machine and number of threads
give the same weights. Rows seen, layers adapted and weights changed are counted; a shortfall is `TreatmentNotApplied`.
"""

import contextlib
import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import TreatmentNotApplied
from personae.records import Episode
from personae.records.files import digest, write_json
from personae.training.checkpoint import CARD, save_weights, whole_folder
from personae.training.order import passes
from personae.training.plan import SFTPlan
from personae.training.spans import Rows, rows

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnStep, Teller


@dataclass(frozen=True)
class Trained:
    """What a training made, and what went into it.

    `losses` (steps,) nats a token, each under the weights before its step; `steps` taken, fewer than planned only where
    `on_step` stopped the run; `rows_used` the different rows seen and `rows_dropped` those too long for the model;
    `tokens` the response tokens that bore loss, a row counted each time it was seen; `layers` adapted (0: all weights).
    """

    simulator: "LocalSimulator"
    losses: tuple[float, ...]
    steps: int
    rows_used: int
    rows_dropped: int
    tokens: int
    layers: int


def finetune(
    simulator: "LocalSimulator",
    episodes: Sequence[Episode],
    plan: SFTPlan,
    out: Path | None = None,
    on_step: "OnStep | None" = None,
    name: str | None = None,
) -> Trained:
    """The simulator after `plan.steps` steps on the episodes, kept as a checkpoint or adapter in `out` if given.

    `on_step` is called with (step, total, loss) after each step, and stops the run by returning False. Raises
    `BadInput` before any work for rows or a folder that cannot be used, `RunFailed` for a loss that is no number.
    """
    data = rows(simulator.dialogue, episodes, simulator.window)
    order = passes(len(data.ids), plan.rows, plan.seed)
    with contextlib.ExitStack() as stack:
        folder = None if out is None else stack.enter_context(whole_folder(out))
        model, losses, layers = _train(simulator, data, order, plan, on_step, folder)
        seen = order[: len(losses) * plan.batch]
        trained = Trained(
            simulator=type(simulator).from_parts(model, simulator.tokenizer, name or f"{simulator.name}+sft"),
            losses=losses,
            steps=len(losses),
            rows_used=len(set(seen.tolist())),
            rows_dropped=data.dropped,
            tokens=sum(data.tokens(row) for row in seen),
            layers=layers,
        )
        if folder is not None:
            write_json(folder / CARD, _card(trained, simulator, episodes, plan))
    return trained


def _card(trained: Trained, base: "LocalSimulator", episodes: Sequence[Episode], plan: SFTPlan) -> dict[str, object]:
    """What was trained, on what, and how it went."""
    counts = {f.name: getattr(trained, f.name) for f in fields(trained) if f.name != "simulator"}
    return {
        "method": "sft",
        "base": base.name,
        "base_digest": base.digest,
        "data_digest": digest(list(episodes)),
        "plan": plan,
        "plan_digest": plan.digest,
        **counts,
    }


def _train(
    simulator: "LocalSimulator",
    data: Rows,
    order: NDArray[np.int64],
    plan: SFTPlan,
    on_step: "OnStep | None",
    folder: Path | None,
) -> tuple[Any, tuple[float, ...], int]:
    """The trained model as a plain one, the loss of each step, and how many layers were adapted."""
    from personae.training.callback import Teller
    from personae.training.trainer import adapted_layers, linear_layers, trainer, undisturbed

    adapts = plan.method == "lora"
    linear = linear_layers(simulator.model)
    if adapts and not linear:
        raise TreatmentNotApplied(f"{simulator.name} has no linear layer for an adapter to go on")
    model = copy.deepcopy(simulator.model).float().requires_grad_(True)
    teller = Teller(on_step)
    with undisturbed(), tempfile.TemporaryDirectory() as scratch:
        made, collator = trainer(model, simulator.tokenizer, data, order, plan, teller, Path(scratch))
        layers = adapted_layers(made.model)
        if adapts and layers != len(linear):
            raise TreatmentNotApplied(f"adapters went on {layers} of {len(linear)} linear layers")
        made.train()
        model = made.model
        _restore(model.get_base_model() if adapts else model, simulator.model)
        if folder is not None:
            save_weights(model, simulator.tokenizer, folder)
        if adapts:
            model = model.merge_and_unload()
    _check_rows(collator.seen, order, plan, teller)
    _check_changed(model, simulator.model)
    return model.requires_grad_(False).eval(), tuple(teller.losses), layers


def _restore(model: Any, base: Any) -> None:  # noqa: ANN401
    """Give the trained model its own class's forward and its base's settings back, which the trainer had replaced."""
    model.__dict__.pop("forward", None)
    for key in ("use_cache", "bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(model.config, key, getattr(base.config, key, None))
    model.generation_config = copy.deepcopy(base.generation_config)
    model.zero_grad(set_to_none=True)


def _check_rows(seen: list[int], order: NDArray[np.int64], plan: SFTPlan, teller: "Teller") -> None:
    """Raise unless the trainer was given the planned rows, in order, as often as planned."""
    steps = len(teller.losses)
    wanted = order[: steps * plan.batch].tolist()
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
