"""Direct preference optimisation: a simulator and preference pairs in, a trained simulator out, through TRL and PEFT.

    loss = - mean over pairs of log σ( β · [ Δ log p(y+) - Δ log p(y-) ] )          nats a pair, log 2 before any step

Δ log p is what training changed of an answer's log-probability, summed over its response span (`training.spans`): the
reference is the untrained model itself, scored once by the evidence engine. A pair of which either answer is too long
for the model is dropped and counted; a pair whose answers are the same teaches nothing, and is refused. What else is
checked, counted and kept: `training.course`.
Source: Rafailov et al. 2023 (arXiv 2305.18290), equation 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from personae.errors import BadInput
from personae.records import Preference
from personae.simulator.dialogue import UNBOUNDED, Dialogue, Encoded
from personae.training.course import NOTHING, Built, Course, Told, Trained, carry_out
from personae.training.order import passes
from personae.training.plan import DPOPlan

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnLook, OnStep, Teller


@dataclass(frozen=True)
class Pairs:
    """The pairs kept, (N,) each as two encoded rows, and the number dropped."""

    pairs: tuple[Preference, ...]
    chosen: tuple[Encoded, ...]
    rejected: tuple[Encoded, ...]
    dropped: int

    def tokens(self, pair: int) -> int:
        """Length of both response spans of a pair."""
        return sum(len(side[pair].ids) - side[pair].start for side in (self.chosen, self.rejected))


def prefer(
    simulator: "LocalSimulator",
    preferences: Sequence[Preference],
    plan: DPOPlan,
    out: Path | None = None,
    on_step: "OnStep | None" = None,
    on_look: "OnLook | None" = None,
    name: str | None = None,
    note: Told = NOTHING,
) -> Trained:
    """The simulator after `plan.steps` steps on the pairs, kept as a checkpoint or adapter in `out` if given.

    `told` holds, a value a step and under the weights before it, the `margins` (the mean of what stands in the
    brackets above, nats). `on_step` and what is raised are as in `finetune`.
    """
    data = encoded(simulator.dialogue, preferences, simulator.window)
    order = passes(len(data.pairs), plan.rows, plan.seed)

    def build(model: Any, teller: "Teller", scratch: Path) -> Built:  # noqa: ANN401
        from personae.training.dpo_trainer import trainer

        reference = _reference(type(simulator).from_parts(model, simulator.tokenizer, simulator.name), data)
        return Built(*trainer(model, simulator.tokenizer, data, reference, order, plan, teller, scratch))

    course = Course(
        name="dpo",
        data=list(preferences),
        order=order,
        per_step=plan.batch,
        dropped=data.dropped,
        build=build,
        tokens=lambda seen: sum(data.tokens(pair) for pair in seen),
        told=lambda teller: {"margins": tuple(log["rewards/margins"] / plan.beta for log in teller.logs)},
    )
    return carry_out(simulator, course, plan, out, on_step, on_look, name, note)


def encoded(dialogue: Dialogue, preferences: Sequence[Preference], window: int | None = None) -> Pairs:
    """The pairs as rows to train on. Raises `BadInput` for two answers that are one, and where no pair is left."""
    if not preferences:
        raise BadInput("there are no preference pairs to train on")
    for pair in preferences:
        if pair.chosen.response.strip() == pair.rejected.response.strip():
            raise BadInput(f"{pair.chosen.where}: both answers are the same", remedy="drop the row")
    rows = [tuple(dialogue.encode(e, window=UNBOUNDED) for e in (p.chosen, p.rejected)) for p in preferences]
    fits = [i for i, pair in enumerate(rows) if window is None or max(len(side.ids) for side in pair) <= window]
    if not fits:
        raise BadInput(
            f"all {len(preferences)} pairs hold an answer that is longer than the model's window of {window} tokens",
            remedy="shorten them, or use a model with a longer window",
        )
    return Pairs(
        pairs=tuple(preferences[i] for i in fits),
        chosen=tuple(rows[i][0] for i in fits),
        rejected=tuple(rows[i][1] for i in fits),
        dropped=len(preferences) - len(fits),
    )


def _reference(untrained: "LocalSimulator", data: Pairs) -> NDArray[np.float64]:
    """(2, N) log-probabilities of the chosen and the rejected answers, nats."""
    episodes = [p.chosen for p in data.pairs] + [p.rejected for p in data.pairs]
    return untrained.log_likelihood(episodes, [""]).logp[:, 0].reshape(2, -1)
