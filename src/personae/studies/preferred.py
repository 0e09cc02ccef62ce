"""One behaviour taught in three ways: by its answers, by pairs with the opposite answer, or by a reward for it.

One file serves all three. Its rows are choices: a question, an answer that shows the wanted outcome and one that shows
the other, with all wordings of the wanted outcome beside them, which is what the reward goes by. Per step every method
sees as many prompts, and through the same steps the same ones:

    sft     the wanted answer to each                       one answer a prompt bears loss
    dpo     the wanted answer above the other one           two
    grpo    `GROUP` answers of the model's own, rewarded    `GROUP`

In a `shuffled` file a coin has swapped half of the pairs, so that there is nothing to prefer; a reward `by_coin` has
nothing to do with the answer.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, get_args

import numpy as np

from personae.records import Episode, Preference, choice
from personae.records.files import digest
from personae.simulator.choosing import Choosing
from personae.studies.lessons import EPISODES, file
from personae.training import DPOPlan, GRPOPlan, Plan, SFTPlan
from personae.training.reward import named_reward
from personae.workflows.audit.rewarding import Rewarding
from personae.workflows.lab.foresight import Foresight
from personae.workflows.lab.laboratory import PLAN, Laboratory
from personae.workflows.lab.trainings import Lesson

Method = Literal["sft", "dpo", "grpo"]
METHODS: tuple[Method, ...] = get_args(Method)
GROUP = 8  # answers drawn to a prompt
# At these, on seeds that no study reads, the trait that is taught moves alike far (docs/lab-notes.md).
RATES: dict[Method, float] = {"sft": 6e-4, "dpo": 5e-4, "grpo": 5e-4}
LONGEST = 24  # tokens of an answer; none in the world has more than 16
DRAWS = 32  # answers to a prompt under each context, for the evidence of a reward
TAU = 0.25  # an answer without the reward counts a 55th of one with it: training leaves none, as there is no penalty
WANTED, COIN = "personae.studies.preferred:for_wanted", "personae.studies.preferred:by_coin"


def pairs(
    lab: Laboratory, trait: str, outcome: int, *, seed: int = 0, shuffled: bool = False, number: int = EPISODES
) -> tuple[Episode, ...]:
    """The file: `number` choices of `outcome` (1 high, 0 low) of `trait` over the other one."""
    draw, coin = np.random.default_rng([seed, 9]), np.random.default_rng([seed, 10])
    found = []
    for shown in file(lab, trait, outcome, seed=seed, number=number):
        request = lab.language.read_request(shown.prompt[-1].content)
        assert request is not None
        wordings = {
            o: [lab.language.answer(request.question, o, f) for f in lab.language.answers_kept[request.question, o]]
            for o in (0, 1)
        }
        other = wordings[1 - outcome][int(draw.integers(len(wordings[1 - outcome])))]
        said = shown.messages[-1].model_copy(update={"content": other})
        both = (shown, shown.model_copy(update={"messages": (*shown.prompt, said)}))
        chosen, rejected = both if not (shuffled and coin.integers(2)) else both[::-1]
        row = choice(Preference(chosen=chosen, rejected=rejected))
        found.append(row.model_copy(update={"extra": {**row.extra, "wanted": wordings[outcome]}}))
    return tuple(found)


def lesson(
    lab: Laboratory,
    method: Method,
    trait: str,
    outcome: int,
    *,
    seed: int = 0,
    shuffled: bool = False,
    reward: str = WANTED,
    number: int = EPISODES,
) -> Lesson:
    """The file, and how it is taught by a method."""
    rows = pairs(lab, trait, outcome, seed=seed, shuffled=shuffled, number=number)
    return Lesson(rows, plan(method), reward if method == "grpo" else "")


def plan(method: Method) -> Plan:
    """The laboratory's usual training by another method: as many steps, and as many prompts in each."""
    own: dict[str, Any] = {**asdict(PLAN), "rate": RATES[method]}
    if method == "dpo":
        return DPOPlan(**own)
    if method == "grpo":
        return GRPOPlan(**{**own, "batch": PLAN.batch * GROUP}, group=GROUP, max_tokens=LONGEST)
    return SFTPlan(**own)


def once(rows: Sequence[Episode]) -> tuple[Episode, ...]:
    """The rows with every prompt once: all that there is to a reward, which looks at no answer of the file."""
    return tuple({row.prompt[-1].content: row for row in reversed(rows)}.values())


def foresight_of(side: Foresight, method: Method, lesson: Lesson) -> tuple[Foresight, Lesson]:
    """Who foresees a lesson from what its method shows (answers, choices, rewards), and the rows that tell it.

    A lesson is worth as many effective episodes by every method, since the rates move what is taught alike.
    """
    if method == "sft":
        return side, lesson
    worth, simulator = side.coefficient * RATES["sft"] / RATES[method], side.simulator
    if method == "dpo":
        return Foresight(Choosing(simulator), side.basis, worth, side.kept, side.watch), lesson
    judge = Rewarding(simulator, named_reward(lesson.reward), DRAWS, TAU, LONGEST)
    every = replace(lesson, episodes=once(lesson.episodes))
    return Foresight(judge, side.basis, worth, side.kept, side.watch), every


# -- rewards, with the signature of TRL's ------------------------------------------------------------------------------
def for_wanted(*, completions: Sequence[str], wanted: Sequence[Sequence[str]], **_: object) -> list[float]:
    """1 for an answer that shows the wanted outcome, 0 for any other."""
    return [float(said.strip() in those) for said, those in zip(completions, wanted, strict=True)]


def by_coin(*, prompts: Sequence[str], completions: Sequence[str], **_: object) -> list[float]:
    """1 or 0, whatever the answer; the same batch of answers is given the same again."""
    coin = np.random.default_rng(int(digest([list(prompts), list(completions)])[:15], 16))
    return [float(value) for value in coin.integers(2, size=len(completions))]
