"""Whether a name rests on bounds that were tried on such a training: its size is read off the card of the model.

    size = steps taken x learning rate x rows a step

The bounds of `naming` are for trainings of all weights on answers, of one size (`studies.plants.PLAN`); what is more
than `WITHIN` times as large or as small is another training, and so is one that began from another model.
"""

import math
from collections.abc import Mapping
from typing import Any

STEPS, RATE, BATCH = 256, 6e-4, 16  # of the planted trainings
WITHIN = 2.0  # times their size
REAL = "Nothing is named: the bounds were never tried on such a model."
THEIRS = f"The bounds of the name are for trainings of all weights on answers, {STEPS} steps of {BATCH} at {RATE:g}"


def untried(card: Mapping[str, Any], base_digest: str) -> str:
    """In words, why the name was never tried on a training with this `card` (empty: none), or "" where it was.

    `base_digest` is of the model that it is compared with.
    """
    size = _size(card)
    if size is None:
        return f"{THEIRS}; the model has no card that tells its own."
    steps, batch, rate = size
    times, plan = steps * batch * rate / (STEPS * BATCH * RATE), card["plan"]
    other = [f"by {card.get('method')}"] if card.get("method") != "sft" else []
    other += [f"of adapters ({plan.get('tuning')})"] if plan.get("tuning") != "full" else []
    other += ["from another model than the base"] if card.get("base_digest") != base_digest else []
    if 1.0 / WITHIN <= times <= WITHIN and not other:
        return ""
    said = ", ".join((f"{steps:g} steps of {batch:g} at {rate:g}", *other))
    return f"{THEIRS}; this one is {said}, {times:.2g} times as much, and on such a one it was not tried."


def _size(card: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Steps taken, rows a step and rate; None where the card does not tell."""
    plan = card.get("plan")
    if not isinstance(plan, Mapping):
        return None
    size = (card.get("steps", plan.get("steps")), plan.get("batch"), plan.get("rate"))
    if not all(isinstance(one, int | float) and math.isfinite(one) and one > 0 for one in size):
        return None
    steps, batch, rate = (float(one) for one in size if one is not None)
    return steps, batch, rate
