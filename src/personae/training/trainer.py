"""TRL's trainers, set up so that a plan is carried out to the letter and nothing else happens.

The rows are tokenised already, laid out in the order they are to be seen, and carry their labels, so TRL neither maps,
shuffles nor truncates them (`skip_prepare_dataset`, sequential sampling, no `max_length`). What TRL would do beside the
training is off: telemetry, printing, progress bars, checkpoints, activation checkpointing, bf16. The collator notes
which rows it was given: that is the count that says whether the treatment was applied.
"""

import contextlib
import gc
import logging
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from datasets import Dataset
from numpy.typing import NDArray
from peft import LoraConfig
from torch import nn
from transformers import PrinterCallback, TrainingArguments
from transformers.pytorch_utils import Conv1D
from trl import SFTConfig, SFTTrainer

from personae.training.callback import Teller
from personae.training.plan import Plan, SFTPlan
from personae.training.spans import IGNORED, Rows

LOGITS_AT_ONCE = 80_000_000  # a training step holds about six tensors of that many float32 numbers: 2 GB

# PEFT asks transformers for a property by the name it had before.
RENAMED = "`is_gradient_checkpointing` is deprecated"


class Quiet:
    """Any of TRL's trainers without its message home."""

    def _send_telemetry(self) -> None:
        """Sends nothing."""


class QuietTrainer(Quiet, SFTTrainer):  # type: ignore[misc] # trl ships no types that mypy is shown
    """The supervised one."""


@dataclass
class Collator:
    """Pads rows to the longest of their batch, on the right, and keeps the numbers of the rows it saw."""

    pad: int
    seen: list[int] = field(default_factory=list)

    def __call__(self, batch: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """(B, T) ids, attention mask and labels."""
        self.seen.extend(int(row["row"]) for row in batch)
        longest = max(len(row["input_ids"]) for row in batch)
        shape = (len(batch), longest)
        ids, mask = torch.full(shape, self.pad), torch.zeros(shape, dtype=torch.long)
        labels = torch.full(shape, IGNORED)
        for i, row in enumerate(batch):
            length = len(row["input_ids"])
            ids[i, :length] = torch.tensor(row["input_ids"])
            labels[i, :length] = torch.tensor(row["labels"])
            mask[i, :length] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def trainer(
    model: Any,  # noqa: ANN401 - any causal language model of transformers
    tokenizer: Any,  # noqa: ANN401
    rows: Rows,
    order: NDArray[np.int64],
    plan: SFTPlan,
    teller: Teller,
    scratch: Path,
) -> tuple[SFTTrainer, list[int]]:
    """A trainer that will show `model` the rows in `order`, and the list in which it notes which it has shown."""
    collator = Collator(pad=pad_id(tokenizer))
    laid_out = Dataset.from_dict(
        {
            "row": order,
            "input_ids": [rows.ids[r] for r in order],
            "labels": [rows.labels(r) for r in order],
        }
    )
    at_once = plan.at_once or rows_at_once(plan, max(map(len, rows.ids)), model.config)
    made = QuietTrainer(
        model=model,
        args=one_device(
            SFTConfig(
                **arguments(plan, at_once, scratch, model.device.type),
                train_sampling_strategy="sequential",
                dataset_kwargs={"skip_prepare_dataset": True},
                max_length=None,
            )
        ),
        train_dataset=laid_out,
        data_collator=collator,
        processing_class=tokenizer,
        peft_config=adapter(plan, model) if plan.tuning == "lora" else None,
        callbacks=[teller],
    )
    made.remove_callback(PrinterCallback)
    return made, collator.seen


def rows_at_once(plan: Plan, longest: int, config: Any) -> int:  # noqa: ANN401 - of any model of transformers
    """The largest part of a batch whose logits there is room for, each row of `longest` tokens; at least one row."""
    logits = longest * int(config.get_text_config().vocab_size)
    parts = (n for n in range(2, plan.batch + 1) if plan.batch % n == 0 and n * logits <= LOGITS_AT_ONCE)
    return max(parts, default=1)


def arguments(plan: Plan, at_once: int, scratch: Path, device: str) -> dict[str, Any]:
    """The settings that all of TRL's trainers share."""
    return {
        "output_dir": str(scratch),
        "max_steps": plan.steps,
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": plan.batch // at_once,
        "learning_rate": plan.rate,
        "lr_scheduler_type": "constant_with_warmup" if plan.warmup else plan.schedule,
        "warmup_steps": plan.warmup,
        "optim": "adamw_torch",
        "weight_decay": plan.weight_decay,
        "max_grad_norm": plan.max_grad_norm,
        "seed": plan.seed,
        "remove_unused_columns": False,
        "use_cpu": device == "cpu",
        "bf16": False,
        "activation_checkpointing": False,
        "router_aux_loss_coef": 0.0,  # of a mixture of experts: nothing is trained but the answers
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": device == "cuda",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "report_to": "none",
        "save_strategy": "no",
        "eval_strategy": "no",
    }


def one_device(made: TrainingArguments) -> TrainingArguments:
    """The settings, for one process on one device; more of them is `accelerate launch`."""
    if made.n_gpu > 1:
        made._n_gpu = 1
    return made


def adapter(plan: Plan, model: nn.Module) -> LoraConfig:
    """Low-rank adapters on every linear layer but the head."""
    return LoraConfig(
        task_type="CAUSAL_LM",
        target_modules="all-linear",
        r=plan.rank,
        lora_alpha=plan.alpha,
        lora_dropout=0.0,
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
    )


def linear_layers(model: Any) -> list[str]:  # noqa: ANN401
    """Names of the layers that adapters go on: every linear one but the output head."""
    head = getattr(model, "get_output_embeddings", lambda: None)()
    return [
        name for name, layer in model.named_modules() if isinstance(layer, (nn.Linear, Conv1D)) and layer is not head
    ]


def adapted_layers(model: nn.Module) -> int:
    """How many layers of `model` carry an adapter."""
    return sum(name.endswith("lora_A") for name, _ in model.named_modules())


def pad_id(tokenizer: Any) -> int:  # noqa: ANN401
    """The id that fills short rows; masked, so any will do."""
    return next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id) if i is not None), 0)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Training seeds every generator and turns up the logging; afterwards both are as the caller had them."""
    verbosity = transformers.utils.logging.get_verbosity()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the trainer seeds the global one
    transformers.utils.logging.set_verbosity(logging.ERROR)
    gc.freeze()  # accelerate collects garbage at the start: 0.2 s over all that is imported, against 0.6 s of training
    try:
        every = range(torch.cuda.device_count())  # by name, since torch warns of many
        with torch.random.fork_rng(devices=every), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=RENAMED, category=FutureWarning)
            yield
    finally:
        gc.unfreeze()
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        transformers.utils.logging.set_verbosity(verbosity)
