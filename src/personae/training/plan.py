"""How much training: the plan that two arms of a comparison share.

A plan says everything that decides the result but the model, the rows and the reward. Steps are optimiser steps, each
over exactly `batch` rows: episodes (SFT), pairs (DPO) or answers drawn (GRPO), so plans of as many steps and rows are
matched budgets. The rate is AdamW's, held constant after `warmup` steps that rise to it from a rate of 0.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from personae.errors import BadInput
from personae.records.files import digest

Tuning = Literal["full", "lora"]
Schedule = Literal["constant"]
SEEDS = 2**32  # how many the generators take, from 0 on


@dataclass(frozen=True)
class Plan:
    """What all methods (SFT, DPO, GRPO) share.

    `tuning` is of all weights (`full`) or of low-rank adapters on every linear layer (`lora`), for which alone `rank`
    and `alpha` count (the adapter's output is scaled by alpha / rank). `max_grad_norm` 0 clips nothing. `at_once` is
    how many rows go through the model together (None: as many as their length and the model's vocabulary leave room
    for): it bounds memory and leaves the step what it is, up to rounding.
    """

    steps: int = 5
    batch: int = 16
    rate: float = 3e-4
    tuning: Tuning = "full"
    rank: int = 8
    alpha: float = 16.0
    seed: int = 0
    warmup: int = 0
    schedule: Schedule = "constant"
    max_grad_norm: float = 1.0
    weight_decay: float = 0.0
    at_once: int | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out."""
        for name, least in (("steps", 1), ("batch", 1), ("rank", 1), ("seed", 0), ("warmup", 0)):
            _whole(name, getattr(self, name), least)
        for name in ("rate", "alpha"):
            _number(name, getattr(self, name), "more than 0", getattr(self, name) > 0)
        for name in ("max_grad_norm", "weight_decay"):
            _number(name, getattr(self, name), "0 or more", getattr(self, name) >= 0)
        if self.warmup >= self.steps:
            raise BadInput(
                f"the plan's warmup is {self.warmup} of {self.steps} steps", remedy="leave steps at the full rate"
            )
        _one_of("tuning", self.tuning, get_args(Tuning))
        _one_of("schedule", self.schedule, get_args(Schedule))
        if self.seed >= SEEDS:
            raise BadInput(f"the plan's seed is {self.seed}", remedy="give a whole number below 2**32")
        if self.at_once is not None:
            _whole("at_once", self.at_once, 1)
            if self.batch % self.at_once:
                raise BadInput(
                    f"the plan's at_once is {self.at_once}, which does not divide the batch of {self.batch}",
                    remedy="every step must see exactly `batch` rows",
                )

    @property
    def digest(self) -> str:
        """sha256 (hex) over every field."""
        return digest(self)

    @property
    def rows(self) -> int:
        """How many rows the steps see together, a row counted each time it is seen."""
        return self.steps * self.batch


@dataclass(frozen=True)
class SFTPlan(Plan):
    """Supervised fine-tuning: the loss is the mean negative log-likelihood of the response tokens, nats a token."""


@dataclass(frozen=True)
class DPOPlan(Plan):
    """Training on preference pairs; `beta` is how many log-odds of a choice one nat of change is worth.

    A small beta lets the model move far from its base before a pair counts as learnt.
    """

    beta: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out."""
        super().__post_init__()
        _number("beta", self.beta, "more than 0", self.beta > 0)


@dataclass(frozen=True)
class GRPOPlan(Plan):
    """Training on a reward: every step draws `batch` answers, `group` to a prompt, each of at most `max_tokens` tokens.

    `temperature` divides the logits, in drawing and in the gradient alike; at 1 the answers are the model's own.
    """

    group: int = 8
    max_tokens: int = 64
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out."""
        super().__post_init__()
        _whole("group", self.group, 2)
        _whole("max_tokens", self.max_tokens, 1)
        _number("temperature", self.temperature, "more than 0", self.temperature > 0)
        if self.batch % self.group:
            raise BadInput(
                f"the plan's group of {self.group} answers does not divide the batch of {self.batch}",
                remedy="every prompt of a step is answered by a whole group",
            )


def _whole(name: str, value: object, least: int) -> None:
    """Raise unless `value` is a whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadInput(f"the plan's {name} is {value!r}", remedy=f"give a whole number of at least {least}")


def _number(name: str, value: object, wanted: str, holds: bool) -> None:
    """Raise unless `value` is a finite number of which `holds`."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value) or not holds:
        raise BadInput(f"the plan's {name} is {value!r}", remedy=f"give a number, {wanted}")


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise unless `value` is one of `allowed`."""
    if value not in allowed:
        raise BadInput(f"the plan's {name} is {value!r}", remedy=f"choose from {', '.join(allowed)}")
