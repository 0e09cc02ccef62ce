"""What a pretraining run leaves in its folder: plan, log, the state that a killed run goes on from, and the models."""

import io
import json
import pickle
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from personae.errors import BadInput
from personae.records.files import Damaged, write_bytes, write_text
from personae.training.checkpoint import save_weights, whole_folder
from personae.training.new_model import PretrainPlan

LOG_EVERY = 50  # steps
PLAN = "plan.json"


@dataclass
class State:
    """Where a run stands: the next batch of a block, and what was done so far."""

    block: int = 0
    batch: int = 0
    step: int = 0
    done: int = 0


def read_plan(folder: Path) -> PretrainPlan | None:
    """The plan of the run in `folder`; None where it has none. Raises `BadInput` for one that cannot be read."""
    path = folder / PLAN
    if not path.exists():
        return None
    try:
        return PretrainPlan(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as problem:
        remedy = "delete the file, and the run's own command writes it again"
        raise BadInput("is no plan of a pretraining run", file=path, remedy=remedy) from problem


class Log:
    """The mean loss of every `LOG_EVERY` steps, a line each; lines beyond `step`, where a run resumes, are dropped.

    Its seconds go on from those of the last line kept.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path, self.started = path, time.monotonic()
        self.losses: list[float] = []
        if path.exists():
            kept = list(_up_to(step, path.read_text(encoding="utf-8")))
            write_text(path, "".join(kept))
            self.started -= json.loads(kept[-1])["seconds"] if kept else 0

    def note(self, state: State, loss: float) -> None:
        """Count a step's loss, nats a token."""
        self.losses.append(loss)
        if state.step % LOG_EVERY == 0:
            mean, seconds = sum(self.losses) / len(self.losses), round(time.monotonic() - self.started)
            line = {"step": state.step, "tokens": state.done, "loss": round(mean, 4), "seconds": seconds}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            self.losses.clear()


def _up_to(step: int, log: str) -> Iterator[str]:
    """The lines of a log up to `step`; a line that a kill cut short is none."""
    for line in log.splitlines(keepends=True):
        if not line.endswith("\n") or json.loads(line)["step"] > step:
            return
        yield line


def resume(path: Path, model: Any, optimizers: list[Any]) -> State:  # noqa: ANN401
    """Where the run that left the file `path` stood, its weights loaded; the beginning where there is none."""
    if not path.exists():
        return State()
    try:
        kept = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, EOFError, pickle.UnpicklingError) as problem:
        raise Damaged(path) from problem
    model.load_state_dict(kept["model"])
    for optimizer, saved in zip(optimizers, kept["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return State(**kept["state"])


def keep(path: Path, model: Any, optimizers: list[Any], state: State) -> None:  # noqa: ANN401
    """All that a run goes on from, in the file `path`; a kill while it is written leaves the one before."""
    kept = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "state": asdict(state)}
    whole = io.BytesIO()
    torch.save(kept, whole)
    write_bytes(path, whole.getvalue())


def save(folder: Path, model: Any, tokenizer: Any) -> None:  # noqa: ANN401
    """A Hugging Face checkpoint in `folder`, whole or not at all, in place of any that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    with whole_folder(folder) as beside:
        save_weights(model, tokenizer, beside)
