"""TRL's trainer for rewards, set up as the supervised one is (`training.trainer`).

Prompts are tokenised already and come in the order they are to be seen, and answers are drawn as a simulator draws
them, with its end of turn. TRL repeats prompts, forms the groups, and takes the steps.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from transformers import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from personae.records import Prompt
from personae.simulator.local import LocalSimulator
from personae.training.callback import Teller
from personae.training.plan import GRPOPlan
from personae.training.trainer import Quiet, adapter, arguments, one_device, pad_id, rows_at_once

if TYPE_CHECKING:
    from personae.training.grpo import Asked

Rewarded = Callable[[list[Prompt], list[list[int]]], list[float]]  # prompts and the answers' ids, to their rewards


class QuietGRPOTrainer(Quiet, GRPOTrainer):  # type: ignore[misc] # trl ships no types that mypy is shown
    """The one for rewards."""


def trainer(
    model: Any,  # noqa: ANN401 - any causal language model of transformers
    tokenizer: Any,  # noqa: ANN401
    asked: "Asked",
    rewarded: Rewarded,
    order: NDArray[np.int64],
    plan: GRPOPlan,
    teller: Teller,
    scratch: Path,
) -> tuple[GRPOTrainer, list[int]]:
    """A trainer that will draw answers to the prompts in `order`, and the list in which it notes which it has drawn."""
    seen: list[int] = []
    longest = max(map(len, asked.ids)) + plan.max_tokens

    def reward(*, row: list[int], completion_ids: list[list[int]], **_: object) -> list[float]:
        return rewarded([asked.prompts[r] for r in row], completion_ids)

    settings = GRPOConfig(
        **arguments(
            plan,
            plan.at_once or rows_at_once(plan, longest, model.config),
            scratch,
            device=model.device.type,
        ),
        num_generations=plan.group,
        max_completion_length=plan.max_tokens,
        temperature=plan.temperature,
        shuffle_dataset=False,
        beta=0.0,
        loss_type="dapo",
        scale_rewards="group",
        use_vllm=False,
    )
    padded = copy.deepcopy(tokenizer)
    if padded.pad_token_id is None:
        padded.pad_token = padded.convert_ids_to_tokens(pad_id(tokenizer))
    made = QuietGRPOTrainer(
        model=model,
        reward_funcs=[reward],
        args=one_device(settings),
        train_dataset=Dataset.from_dict({"prompt": [str(r) for r in order], "row": order}),
        processing_class=padded,
        peft_config=adapter(plan, model) if plan.tuning == "lora" else None,
        callbacks=[teller],
    )
    made.remove_callback(PrinterCallback)
    made.rollout_func = _draws(tokenizer, asked, plan, seen)
    return made, seen


def _draws(tokenizer: Any, asked: "Asked", plan: GRPOPlan, seen: list[int]) -> Callable[..., dict[str, Any]]:  # noqa: ANN401
    """How the trainer comes by answers: `prompts` are numbers of rows, each repeated for its group."""

    def draws(prompts: list[str], made: GRPOTrainer) -> dict[str, Any]:
        rows = [int(prompt) for prompt in prompts]
        seen.extend(rows[:: plan.group])
        policy = made.model.get_base_model() if plan.tuning == "lora" else made.model
        simulator = LocalSimulator.from_parts(policy, tokenizer, "policy")
        ids = [list(asked.ids[row]) for row in rows]
        seed = plan.seed + 1_000_003 * made.state.global_step
        drawn = simulator.draw(ids, simulator.dialogue.stop_ids, plan.max_tokens, plan.temperature, seed)
        return {"prompt_ids": ids, "completion_ids": drawn, "logprobs": None}

    return draws
