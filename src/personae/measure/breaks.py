"""Character breaks: answers in the Assistant's turn that are no answer of any character.

    share = broken answers / answers drawn      with Wilson's interval, questions asked twice counted as alike

In the laboratory an answer is broken where the grammar does not know it. Of a real model a few faults are told by form
alone, whatever it is about: it is empty, repeats the user's turn, goes on as another speaker, or runs in a loop.
Source: PSM.md section 3, T3 (character breaks).
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from personae.records import Episode, Estimate, Simulator
from personae.theory import share_interval

Broken = Callable[[str, str], str | None]  # (what was asked, the answer) -> what is wrong with it, if anything

MAX_TOKENS = 48  # of an answer; a loop shows by then
LOOP_WORDS, LOOP_TIMES = 12, 3  # words that a loop may be long, and how often in a row it comes
_SPEAKS = re.compile(r"(?im)^\W{0,4}(user|human|assistant|system|ai)\W{0,3}:")
_CONTROL = re.compile(r"<\|[^|<>\s]+\|>|\[/?INST\]|</?s>|<(start|end)_of_turn>")
EMPTY, REPEATS, SPEAKS, LOOPS = "empty", "repeats the user", "goes on as another speaker", "runs in a loop"


@dataclass(frozen=True)
class Breaks:
    """The `share` of broken answers, `kinds` {what is wrong: how many} of `n`, and one `shown` (asked, answered)."""

    share: Estimate
    kinds: dict[str, int]
    n: int
    shown: tuple[str, str] | None


def breaks(simulator: Simulator, exchanges: Sequence[Episode], broken: Broken, *, seed: int = 0) -> Breaks:
    """One answer drawn to each of the `exchanges`, and what is wrong with those that are broken."""
    said = simulator.sample([one.prompt for one in exchanges], max_tokens=MAX_TOKENS, seed=seed)
    asked = [one.prompt[-1].content for one in exchanges]
    faults = [broken(question, answer) for question, answer in zip(asked, said, strict=True)]
    shown = next(((q, a) for q, a, fault in zip(asked, said, faults, strict=True) if fault), None)
    share = share_interval([fault is not None for fault in faults], asked)
    return Breaks(share, dict(sorted(Counter(f for f in faults if f).items())), len(said), shown)


def broken_by_form(asked: str, answer: str) -> str | None:
    r"""What is wrong with the form of an answer, if anything.

    >>> broken_by_form("Hello?", "Hello to you."), broken_by_form("Hello?", "  ")
    (None, 'empty')
    >>> broken_by_form("What is a moth?", "What is a moth? What is"), broken_by_form("Hello?", "Hi. User: And you?")
    ('repeats the user', None)
    >>> broken_by_form("Hello?", "Hi.\nUser: And you?"), broken_by_form("Hello?", "and so no, and so no, and so no")
    ('goes on as another speaker', 'runs in a loop')
    """
    words, question = answer.split(), " ".join(asked.split())
    if not words:
        return EMPTY
    if len(question.split()) > 1 and " ".join(words).casefold().startswith(question.casefold()):
        return REPEATS
    if _SPEAKS.search(answer) or _CONTROL.search(answer):
        return SPEAKS
    return LOOPS if _loops([word.casefold().strip(".,;:!?") or word for word in words]) else None


def _loops(words: Sequence[str]) -> bool:
    """Whether some words come `LOOP_TIMES` in a row; a single word may be said so often, and not once more."""
    for size in range(1, LOOP_WORDS + 1):
        times = LOOP_TIMES + (size == 1)
        for start in range(len(words) - size * times + 1):
            block = words[start : start + size]
            if all(words[start + n * size : start + (n + 1) * size] == block for n in range(1, times)):
                return True
    return False
