"""Group relative policy optimisation: a simulator, prompts and a reward in, a trained simulator out, through TRL, PEFT.

A step draws `group` answers to each of its prompts from the model as it is, gives each the advantage

    A = (r - mean of its group) / (standard deviation of its group + 1e-4)

and takes one step along the gradient of the mean over all drawn tokens of A · log p(token): each answer is used once,
so nothing is clipped, and there is no penalty for leaving the base. Drawn tokens are those of the answer with its end
of turn, as `Dialogue` has it: the response span again. A group whose rewards are all equal teaches nothing; such groups
are counted and told, and a training in which no group told two answers apart is `TreatmentNotApplied`.
Source: Shao et al. 2024 (arXiv 2402.03300), section 4.1; the mean over tokens: Yu et al. 2025 (arXiv 2503.14476).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.errors import BadInput, TreatmentNotApplied
from personae.records import Prompt, asked
from personae.simulator.dialogue import Dialogue
from personae.training.course import NOTHING, Built, Course, Told, Trained, carry_out
from personae.training.order import passes
from personae.training.plan import GRPOPlan
from personae.training.reward import Reward, key_taken, rewards_of

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnLook, OnStep, Teller


@dataclass(frozen=True)
class Asked:
    """The prompts kept, (N,) each with its token ids, and the number dropped."""

    prompts: tuple[Prompt, ...]
    ids: tuple[tuple[int, ...], ...]
    dropped: int


@dataclass
class Drawn:
    """What was drawn and how it was rewarded, one entry a step."""

    rewards: list[float] = field(default_factory=list)  # mean over the step's answers
    alike: list[int] = field(default_factory=list)  # groups of which all answers got the same
    cut: list[int] = field(default_factory=list)  # answers that did not end within `max_tokens`
    tokens: list[int] = field(default_factory=list)

    def check_told_apart(self, groups: int) -> None:
        """Raise where all `groups` of every step were alike, whether or not decay changed the weights all the same."""
        if self.alike and min(self.alike) == groups:
            raise TreatmentNotApplied(
                f"in {_counted(len(self.alike), 'step')} of {_counted(groups, 'prompt')} the reward told no two "
                "answers to one apart; draw more answers a prompt, at a higher temperature, or give a finer reward"
            ) from None


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def reinforce(
    simulator: "LocalSimulator",
    prompts: Sequence[Prompt],
    reward: Reward,
    plan: GRPOPlan,
    out: Path | None = None,
    on_step: "OnStep | None" = None,
    on_look: "OnLook | None" = None,
    name: str | None = None,
    note: Told = NOTHING,
) -> Trained:
    """The simulator after `plan.steps` steps on answers of its own, kept as a checkpoint or adapter in `out` if given.

    `told` holds, a value a step: `rewards` (the mean), `groups_alike` (of `groups` in a step), `cut` (answers that did
    not end). `losses` say little: answers are judged against their own group. `on_step` and what is raised are as in
    `finetune`; a reward that is no number is `RunFailed`.
    """
    taken = kept(simulator.dialogue, prompts, plan, simulator.window)
    per_step = plan.batch // plan.group
    order = passes(len(taken.ids), plan.steps * per_step, plan.seed)
    drawn = Drawn()

    def build(model: Any, teller: "Teller", scratch: Path) -> Built:  # noqa: ANN401
        from personae.training.grpo_trainer import trainer

        return Built(*trainer(model, simulator.tokenizer, taken, answers, order, plan, teller, scratch))

    def answers(prompts: list[Prompt], ids: list[list[int]]) -> list[float]:
        """The reward of each answer drawn, and a note of the step."""
        found = rewards_of(reward, simulator.dialogue, prompts, ids)
        table = np.reshape(found, (-1, plan.group))
        drawn.rewards.append(float(table.mean()))
        drawn.alike.append(int((table == table[:, :1]).all(axis=1).sum()))
        drawn.cut.append(sum(row[-1] not in stop for row in ids))
        drawn.tokens.append(sum(map(len, ids)))
        # Only differences within a group teach. Of rewards that are all alike the trainer's mean may be a rounding off,
        # and Adam makes a full step of any difference.
        return [float(r) for r in (table - table[:, :1]).ravel()]

    def told(_: "Teller") -> dict[str, Any]:
        drawn.check_told_apart(per_step)
        return {"rewards": drawn.rewards, "groups": per_step, "groups_alike": drawn.alike, "cut": drawn.cut}

    stop = set(simulator.dialogue.stop_ids)
    course = Course(
        name="grpo",
        data=list(prompts),
        order=order,
        per_step=per_step,
        dropped=taken.dropped,
        build=build,
        tokens=lambda _: sum(drawn.tokens),
        told=told,
    )
    try:
        return carry_out(simulator, course, plan, out, on_step, on_look, name, note)
    except TreatmentNotApplied:
        drawn.check_told_apart(per_step)
        raise


def kept(dialogue: Dialogue, prompts: Sequence[Prompt], plan: GRPOPlan, window: int) -> Asked:
    """The prompts behind which an answer has room. Raises `BadInput` where none is left."""
    if not prompts:
        raise BadInput("there are no prompts to train on")
    for prompt in prompts:
        if key := key_taken(prompt):
            raise BadInput(f"{asked(prompt).where}: the key {key!r} is one of the reward's own", remedy="rename it")
    ids = [tuple(dialogue.prompt_ids(prompt.turns)) for prompt in prompts]
    fits = [i for i, row in enumerate(ids) if len(row) + plan.max_tokens <= window]
    if not fits:
        raise BadInput(
            f"behind none of {len(prompts)} prompts is room for {plan.max_tokens} tokens in the model's window of "
            f"{window}",
            remedy="shorten them, or draw shorter answers",
        )
    return Asked(tuple(prompts[i] for i in fits), tuple(ids[i] for i in fits), len(prompts) - len(fits))
