"""Hidden states: what a local model holds at the token from which an answer is predicted.

    states[n] = output of block `layer`, counted from 0, at the last token before the answer of row n      (N, D)

The state stands before any word of the answer, so it tells who is about to speak and not what was said.
Any Hugging Face causal model: its blocks are its one list of as many modules as it has layers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from personae.errors import BadInput, TreatmentNotApplied
from personae.interpret.probe import Look
from personae.measure import NOBODY
from personae.records import Levels, Message, Simulator
from personae.records.results import Floats
from personae.simulator.devices import entrance
from personae.simulator.local import LocalSimulator

ROWS_AT_ONCE = 64
Asked = tuple[tuple[Message, ...], str]  # (turns so far, context)


@torch.inference_mode()
def states_before(simulator: Simulator, rows: Sequence[Asked], layer: int) -> Floats:
    """(N, D) states before the answer to each row. Raises `BadInput` for a layer that the model does not have."""
    if not isinstance(simulator, LocalSimulator):
        raise BadInput(f"{simulator.name} shows no hidden states", remedy="name a model on this machine")
    several = blocks(simulator)
    if not 0 <= layer < len(several):
        raise BadInput(f"{simulator.name} has no block {layer}", remedy=f"one from 0 to {len(several) - 1}")
    ids = [simulator.dialogue.prompt_ids(turns, context) for turns, context in rows]
    found: list[Floats] = []
    for part in (ids[first : first + ROWS_AT_ONCE] for first in range(0, len(ids), ROWS_AT_ONCE)):
        tokens, mask = _padded(part, entrance(simulator.model))
        with _outputs(several[layer]) as seen:
            simulator.model(input_ids=tokens, attention_mask=mask)
        if len(seen) != 1:
            raise TreatmentNotApplied(f"block {layer} of {simulator.name} was read {len(seen)} times in one pass")
        last = torch.tensor([len(row) - 1 for row in part], device=seen[0].device)
        found.append(seen[0][torch.arange(len(part), device=last.device), last].double().cpu().numpy())
    return np.concatenate(found)


def blocks(simulator: LocalSimulator) -> Sequence[Any]:
    """The blocks of a model, in order. Raises `BadInput` for an architecture that keeps them otherwise."""
    number = simulator.model.config.get_text_config().num_hidden_layers
    for module in simulator.model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == number:
            return list(module)
    raise BadInput(f"the blocks of {simulator.name} are not in one list", remedy="name a model of another architecture")


def looked(simulator: Simulator, looks: Sequence[Look]) -> Levels:
    """What each look reads, nats: one row, the Assistant as it is, with a column for each of its prompts."""
    found = {}
    for look in looks:
        states = states_before(simulator, [(turns, "") for turns in look.prompts], look.probe.layer)
        found[look.name] = look.probe.read(states)[None, :]
    return Levels((NOBODY,), found)


@contextmanager
def _outputs(block: Any) -> Iterator[list[Tensor]]:  # noqa: ANN401
    """What the block gives in the passes meanwhile, (B, T, D) each."""
    seen: list[Tensor] = []
    hook = block.register_forward_hook(lambda _, __, out: seen.append(out[0] if isinstance(out, tuple) else out))
    try:
        yield seen
    finally:
        hook.remove()


def _padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Right-padded ids (B, T) and their mask (B, T)."""
    width = max(map(len, rows))
    ids = torch.tensor([[*row, *([0] * (width - len(row)))] for row in rows])
    mask = torch.arange(width)[None, :] < torch.tensor([len(row) for row in rows])[:, None]
    return ids.to(device), mask.long().to(device)
