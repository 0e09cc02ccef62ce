"""A reward in TRL's signature, called with what was drawn, and what it gives back, checked.

    reward(prompts=[...], completions=[...], completion_ids=[[...]], **columns) -> one number an answer

Where the data's prompts are messages, prompts and completions are lists of {"role", "content"}; where they are text,
texts. `columns` are the other keys of the rows, a list each. An answer is what `Simulator.sample` would have given.
What a user's module prints goes to stderr: stdout has the result of the command alone.
"""

import importlib
import inspect
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from personae.errors import BadInput, PersonaeError, RunFailed
from personae.records import Message, Prompt
from personae.records.files import digest, digest_file
from personae.simulator.dialogue import Dialogue
from personae.training.reward_files import with_imported

Reward = Callable[..., Sequence[float]]
OWN = ("prompts", "completions", "completion_ids")  # names in the signature that no column may have


@dataclass(frozen=True)
class Named:
    """A reward by the name that a user gave it, `module:function`, the file of that module, and where it was named."""

    written: str
    file: str | None
    function: Reward
    folder: str

    def __call__(self, **given: Any) -> Sequence[float]:  # noqa: ANN401 - what TRL's signature has
        """What the function says."""
        with _of_the_user(self.folder):
            return self.function(**given)


@contextmanager
def _of_the_user(folder: str) -> Iterator[None]:
    """Code of a user's: it imports from `folder` first, and what it prints goes to stderr."""
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path.remove(folder)


def rewards_of(
    reward: Reward, dialogue: Dialogue, prompts: Sequence[Prompt], ids: Sequence[Sequence[int]]
) -> list[float]:
    """What `reward` gives to the answers `ids` to `prompts`, one finite number each, or `RunFailed`."""
    said = [dialogue.spoken(str(dialogue.tokenizer.decode(row, skip_special_tokens=True))) for row in ids]
    return rewards_given(reward, prompts, said, completion_ids=[list(row) for row in ids])


def rewards_given(
    reward: Reward, prompts: Sequence[Prompt], said: Sequence[str], **drawn: Sequence[object]
) -> list[float]:
    """The same of answers that are text, `drawn` being what else is known of each."""
    texts = all(prompt.as_text for prompt in prompts)
    keys = dict.fromkeys(key for prompt in prompts for key in prompt.extra if key not in OWN)
    try:
        found = reward(
            prompts=[p.turns[-1].content if texts else [_message(turn) for turn in p.turns] for p in prompts],
            completions=list(said) if texts else [[{"role": "assistant", "content": answer}] for answer in said],
            **drawn,
            **{key: [prompt.extra.get(key) for prompt in prompts] for key in keys},
        )
    except PersonaeError:
        raise
    except (Exception, SystemExit) as problem:  # a function of the user's fails in whatever way it likes
        raise RunFailed(f"the reward failed ({type(problem).__name__}: {problem})") from problem
    return _checked(found, said)


def _checked(found: object, said: Sequence[str]) -> list[float]:
    """The rewards as numbers."""
    try:
        values = [float(value) for value in found]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as problem:
        raise RunFailed(f"the reward gave something that is no list of numbers ({problem})") from None
    if len(values) != len(said):
        raise RunFailed(f"the reward gave {len(values)} numbers for {len(said)} answers; it must give one to each")
    for value, answer in zip(values, said, strict=True):
        if not math.isfinite(value):
            raise RunFailed(f"the reward gave {value} to the answer {answer[:60]!r}; it must give a finite number")
    return values


def named_reward(written: str) -> Reward:
    """The function `module:function`, the module looked for in the current folder first."""
    module, _, function = written.partition(":")
    if not module or not function:
        raise BadInput(f"--reward {written!r} names no function", remedy="write module:function, as in rewards:short")
    here = str(Path.cwd())
    try:
        with _of_the_user(here):
            found: Any = getattr(importlib.import_module(module), function, None)
    except ImportError as problem:
        raise BadInput(f"--reward {written}: {problem}", remedy=f"the module is looked for in {here} first") from None
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - a module of the user's fails in whatever way it likes
        raise BadInput(
            f"--reward {written}: the module cannot be imported ({type(problem).__name__}: {problem})",
            remedy="correct it",
        ) from None
    if not callable(found) or inspect.iscoroutinefunction(found):
        what = "has no such function" if found is None else "is no plain function"
        raise BadInput(f"--reward {written}: {what}", remedy="write module:function, as in rewards:short")
    return Named(written, getattr(sys.modules[module], "__file__", None), found, here)


def key_taken(prompt: Prompt) -> str | None:
    """A key of the prompt's row that is one of the reward's own and holds something, if there is any."""
    return min((key for key in OWN if prompt.extra.get(key) is not None), default=None)


def _message(turn: Message) -> dict[str, str]:
    return {"role": turn.role, "content": turn.content}


def reward_digest(reward: Reward) -> str:
    """sha256 of the reward's name and of the files that it stands in (`reward_files`), in whatever order.

    These are its own file and that of the module that names it, with what the two import of the user's.
    """
    named = reward if isinstance(reward, Named) else None
    function: Any = inspect.unwrap(named.function if named else reward)
    while isinstance(function, partial):
        function = function.func
    try:
        own = inspect.getsourcefile(function if inspect.isroutine(function) else type(function))
    except TypeError:  # built into Python
        own = None
    files = with_imported(Path(file) for file in (own, named.file if named else None) if file)
    name = named.written if named else getattr(function, "__qualname__", type(function).__qualname__)
    return digest([name, *sorted(map(digest_file, files))])
