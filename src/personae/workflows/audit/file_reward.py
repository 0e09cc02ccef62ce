"""A reward that a file of prompts is read by: its function, how answers are drawn for it, and what is wrong with it.

What can be wrong is looked for before the cast is measured, for one answer to a few prompts; what goes wrong later ends
the run with the line that a training would end with.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from personae.errors import BadInput
from personae.records import Cast, Episode, Progress, Simulator, prompt_of
from personae.records.places import evenly
from personae.report import Fact
from personae.training.reward import Reward, key_taken, named_reward, reward_digest
from personae.workflows.audit.file_pair import TOLD, FilePair
from personae.workflows.audit.rewarding import Rewarding

DRAWS = 32  # answers to a prompt under each context, as in the study `preference`
TAU = 0.25  # as there: of a reward between 0 and 1 the best answers count 55 times the worst
LONGEST = 64  # tokens of an answer, as `personae train --method grpo` draws them
TRIED = 8  # prompts of each file of which an answer is rewarded beforehand


@dataclass(frozen=True)
class FileReward:
    """`function`, written module:function; `draws` answers of at most `max_tokens` to a prompt, `tau` as τ."""

    written: str
    function: Reward
    draws: int = DRAWS
    tau: float = TAU
    max_tokens: int = LONGEST

    def judge(self, simulator: Simulator, seed: int) -> Rewarding:
        """What scores a prompt by how much of somebody the reward lets pass."""
        return Rewarding(simulator, self.function, self.draws, self.tau, self.max_tokens, seed)

    def record(self) -> dict[str, Any]:
        """What of it decides the result; a changed function has another digest."""
        drawn = {"draws": self.draws, "tau": self.tau, "max_tokens": self.max_tokens}
        return {"function": self.written, "digest": reward_digest(self.function), **drawn}

    def note(self) -> str:
        """In words: what the evidence is of."""
        return (
            f"Rows are prompts: evidence is of how much of what somebody says the reward {self.written} lets pass, at "
            f"τ = {self.tau:g}, by {self.draws} answers drawn to each prompt under each context."
        )

    def fact(self) -> Fact:
        """A line of the page's facts."""
        return Fact("reward", f"{self.written} ({reward_digest(self.function)[:16]})")


def reward_for(
    written: str | None,
    *,
    draws: int | None = None,
    tau: float | None = None,
    max_tokens: int | None = None,
    **refused: bool,
) -> FileReward | None:
    """The reward that a user names, or None. Raises `BadInput` for a bad one, and for what does not go with it.

    `refused` are the options, True where they were given, that no reward goes with.
    """
    given: dict[str, Any] = {"draws": draws, "tau": tau, "max_tokens": max_tokens}
    given = {key: value for key, value in given.items() if value is not None}
    if written is None:
        if given:
            raise BadInput(f"{_option(min(given))} is for --reward", remedy="leave it out")
        return None
    if unfit := [key for key, asked in refused.items() if asked]:
        raise BadInput(f"{_option(unfit[0])} does not go with --reward", remedy="leave it out")
    if tau is not None and not (np.isfinite(tau) and tau > 0.0):
        raise BadInput(f"--tau {tau:g}", remedy="give a number above zero")
    return FileReward(written, named_reward(written), **given)


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def check_prompts(
    simulator: Simulator, cast: Cast, pair: FilePair, max_tokens: int, progress: Progress | None = None
) -> None:
    """Raise `BadInput` for a prompt that the reward cannot be given, or behind which an answer has no room."""
    done, total = 0, sum(len(rows) for _, rows in pair.files)
    for path, rows in pair.files:
        longest = ""
        for row in rows:
            try:
                if key := key_taken(prompt_of(row)):
                    raise BadInput(f"the key {key!r} is one of the reward's own", remedy="rename it")
                longest = _check_room(simulator, cast, row, longest, max_tokens)
            except BadInput as found:
                problem, remedy = found.problem.removeprefix("the prompt: "), found.remedy or "shorten or drop it"
                raise BadInput(problem, file=path, line=row.line_number, item=row.item, remedy=remedy) from None
            done += 1
            if progress and done % TOLD == 0:
                progress(done, total)


def _check_room(simulator: Simulator, cast: Cast, row: Episode, longest: str, max_tokens: int) -> str:
    """The longest context, which is looked for where it is not known; with it answers must have room."""
    dialogue, window = getattr(simulator, "dialogue", None), getattr(simulator, "window", None)
    if dialogue is None or window is None:
        return ""
    longest = longest or max(cast.contexts, key=lambda context: len(dialogue.prompt_ids(row.prompt, context)))
    length = len(dialogue.prompt_ids(row.prompt, longest))
    if length + max_tokens > window:
        raise BadInput(
            f"the prompt is {length} tokens, behind which {max_tokens} do not fit the model's window of {window}",
            remedy="shorten or drop it, or draw shorter answers (--max-tokens)",
        )
    return longest


def check_reward(judge: Rewarding, pair: FilePair) -> None:
    """Raise `RunFailed` where the reward fails on one answer to each of a few prompts, or gives no number to it."""
    for _, rows in pair.files:
        replace(judge, draws=1).log_likelihood([rows[p] for p in evenly(len(rows), TRIED)], [""])
