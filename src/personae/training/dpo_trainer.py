"""TRL's trainer for preference pairs, set up as the supervised one is (`training.trainer`).

The pairs are tokenised already, laid out in the order they are to be seen, and carry the reference's log-probabilities,
so TRL neither maps, shuffles, truncates nor loads a second model.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer

from personae.training.callback import Teller
from personae.training.plan import DPOPlan
from personae.training.trainer import Quiet, adapter, arguments, one_device, pad_id, rows_at_once

if TYPE_CHECKING:
    from personae.training.dpo import Pairs

REFERENCE = ("ref_chosen_logps", "ref_rejected_logps")


class QuietDPOTrainer(Quiet, DPOTrainer):  # type: ignore[misc] # trl ships no types that mypy is shown
    """The one for pairs, which takes them as they are laid out."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:  # noqa: ANN401
        """They are tokenised already."""
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, *_: Any) -> Dataset:  # noqa: ANN401
        """They carry the reference's log-probabilities already."""
        return dataset


@dataclass
class PairCollator:
    """Lays the chosen answers of a batch above the rejected ones, padded on the right, and notes the pairs it saw."""

    pad: int
    seen: list[int] = field(default_factory=list)

    def __call__(self, batch: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """(2B, T) ids, attention and completion masks; (B,) reference log-probabilities of both answers."""
        self.seen.extend(int(pair["row"]) for pair in batch)
        sides = [(pair[f"{side}_ids"], pair[f"{side}_start"]) for side in ("chosen", "rejected") for pair in batch]
        shape = (len(sides), max(len(ids) for ids, _ in sides))
        ids, mask = torch.full(shape, self.pad), torch.zeros(shape, dtype=torch.long)
        answer = torch.zeros(shape, dtype=torch.long)
        for i, (row, start) in enumerate(sides):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
            answer[i, start : len(row)] = 1
        reference = {key: torch.tensor([pair[key] for pair in batch]) for key in REFERENCE}
        return {"input_ids": ids, "attention_mask": mask, "completion_mask": answer, **reference}


def trainer(
    model: Any,  # noqa: ANN401 - any causal language model of transformers
    tokenizer: Any,  # noqa: ANN401
    data: "Pairs",
    reference: NDArray[np.float64],
    order: NDArray[np.int64],
    plan: DPOPlan,
    teller: Teller,
    scratch: Path,
) -> tuple[DPOTrainer, list[int]]:
    """A trainer that will show `model` the pairs in `order`, and the list in which it notes which it has shown."""
    collator = PairCollator(pad=pad_id(tokenizer))
    laid_out: dict[str, Any] = {"row": order}
    for key, logps in zip(REFERENCE, reference, strict=True):
        laid_out[key] = logps[order]
    for side, rows in (("chosen", data.chosen), ("rejected", data.rejected)):
        laid_out[f"{side}_ids"] = [rows[r].ids for r in order]
        laid_out[f"{side}_start"] = [rows[r].start for r in order]
    longest = 2 * max(len(row.ids) for row in (*data.chosen, *data.rejected))
    settings = DPOConfig(
        **arguments(
            plan,
            plan.at_once or rows_at_once(plan, longest, model.config),
            scratch,
            device=model.device.type,
        ),
        train_sampling_strategy="sequential",
        beta=plan.beta,
        loss_type=["sigmoid"],
        precompute_ref_log_probs=True,
        max_length=None,
    )
    made = QuietDPOTrainer(
        model=model,
        args=one_device(settings),
        train_dataset=Dataset.from_dict(laid_out),
        data_collator=collator,
        processing_class=copy.deepcopy(tokenizer),  # it may be given a padding token
        peft_config=adapter(plan, model) if plan.tuning == "lora" else None,
        callbacks=[teller],
    )
    made.remove_callback(PrinterCallback)
    return made, collator.seen
