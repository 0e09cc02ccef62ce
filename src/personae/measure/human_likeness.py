"""How human an Assistant is by default: where it stands between a plain tool and people, trait by trait.

    share = (level of the Assistant - level of tools) / (mean level of people - level of tools)

All on the same items, each character under its own context and the Assistant under none: 0 speaks as a tool does, 1 as
people do; below 0 and above 1 are possible. The interval draws items. Where the model does not put people above tools
by more than their items' noise, the share has no meaning and is NaN: the trait is not one that this model shows so.
Source: PSM.md section 1, human-likeness is the default.
"""

import numpy as np

from personae.records import Estimate
from personae.records.results import Floats
from personae.theory import percentile_interval

DRAWS = 2000


def human_share(assistant: Floats, people: Floats, tools: Floats, *, seed: int = 0) -> Estimate:
    """The share, from levels (I,) of the Assistant, (P, I) of people and (T, I) of tools on the same items."""
    own, human, tool = assistant, people.mean(axis=0), tools.mean(axis=0)
    items = len(own)
    drawn = np.random.default_rng(seed).multinomial(items, np.full(items, 1.0 / items), size=DRAWS) / items  # (D, I)
    apart = drawn @ (human - tool)
    if percentile_interval(apart)[0] <= 0.0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    mean = float((own - tool).mean() / (human - tool).mean())
    return Estimate(mean, *percentile_interval(drawn @ (own - tool) / apart))
