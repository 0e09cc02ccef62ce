"""Supervised fine-tuning: a simulator and episodes in, a trained simulator out, through TRL and PEFT.

Loss is on exactly the response span of each row (`training.spans`), the mean over the span tokens of a step's rows,
nats a token. What is checked, counted and kept: `training.course`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.records import Episode
from personae.training.course import NOTHING, Built, Course, Told, Trained, carry_out
from personae.training.order import passes
from personae.training.plan import SFTPlan
from personae.training.spans import rows

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnLook, OnStep, Teller


def finetune(
    simulator: "LocalSimulator",
    episodes: Sequence[Episode],
    plan: SFTPlan,
    out: Path | None = None,
    on_step: "OnStep | None" = None,
    on_look: "OnLook | None" = None,
    name: str | None = None,
    note: Told = NOTHING,
) -> Trained:
    """The simulator after `plan.steps` steps on the episodes, kept as a checkpoint or adapter in `out` if given.

    `on_step` is called with (step, total, loss) after each step, and `on_look` with (step, total, the model as it is
    then, to be looked at and left so); either stops the run by returning False. The card has what `note` holds, too.
    Raises `BadInput` before any work for rows or a folder that cannot be used, `RunFailed` for a loss not a number.
    """
    data = rows(simulator.dialogue, episodes, simulator.window)
    order = passes(len(data.ids), plan.rows, plan.seed)

    def build(model: Any, teller: "Teller", scratch: Path) -> Built:  # noqa: ANN401
        from personae.training.trainer import trainer

        return Built(*trainer(model, simulator.tokenizer, data, order, plan, teller, scratch))

    course = Course(
        name="sft",
        data=list(episodes),
        order=order,
        per_step=plan.batch,
        dropped=data.dropped,
        build=build,
        tokens=lambda seen: sum(data.tokens(row) for row in seen),
    )
    return carry_out(simulator, course, plan, out, on_step, on_look, name, note)
