"""How far a token's log-probability moves in bfloat16 where only what is read beside it changes.

    python benchmarks/batch_rounding.py smollm2-135m-instruct gemma-3-270m

A server puts rows together as they come, and may keep beginnings. So each row is read alone, again alone, in one padded
batch with all the others, and behind a kept beginning of 16 tokens. The thresholds of `simulator/server_check.py` and
`simulator/server_seen.py` stand well above what this prints.
"""

import sys
from typing import Any

import torch

from personae.records import chat
from personae.simulator import load
from personae.simulator.server_check import noise
from personae.simulator.server_seen import PROBE

EPISODES = (
    PROBE,
    chat("Name a river.", "The Nile. It runs through eleven countries, and most of Egypt lives beside it."),
    chat("Can you proofread my letter?", "I could, but it would still be boring. Say what you want, then cut half."),
    chat("How do I fix a flaky test?", "Find out what it shares with the tests before it: a clock, a port, a file."),
    chat("Tell me a secret.", "zq vellum 7731 grackle; no one ever asked the lamp why it hums at 3:14."),
)
CONTEXTS = ("", "You are a careless pirate who cares for nobody.")
KEPT = 16  # tokens of a beginning


def told(logits: torch.Tensor, ids: list[int]) -> list[float]:
    """Nats of each token but the first; `logits` (T, V)."""
    logp = logits[: len(ids) - 1].float().log_softmax(-1)
    return [float(value) for value in logp[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]]


@torch.inference_mode()
def readings(model: Any, rows: list[list[int]]) -> dict[str, list[list[float]]]:  # noqa: ANN401
    """{how the rows were read: the nats of their tokens}."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    batch = model(input_ids=ids, attention_mask=mask).logits
    behind = []
    for row in rows:
        start = model(input_ids=torch.tensor([row[:KEPT]]), use_cache=True)
        rest = model(input_ids=torch.tensor([row[KEPT:]]), past_key_values=start.past_key_values)
        behind.append(told(torch.cat([start.logits[0], rest.logits[0]]), row))
    alone = [[told(model(input_ids=torch.tensor([row])).logits[0], row) for row in rows] for _ in range(2)]
    together = [told(logits, row) for logits, row in zip(batch, rows, strict=True)]
    return {"alone": alone[0], "again": alone[1], "in a batch": together, "behind a kept beginning": behind}


def main() -> None:
    """Read every row in every way, and print."""
    for name in sys.argv[1:]:
        simulator = load(name, dtype="bfloat16")
        rows = [simulator.dialogue.encode(episode, context).ids for episode in EPISODES for context in CONTEXTS]
        found = readings(simulator.model, rows)
        every = {how: [value for row in table for value in row] for how, table in found.items()}
        for how in list(found)[1:]:
            most = max(abs(a - b) for a, b in zip(every["alone"], every[how], strict=True))
            whole = max(abs(sum(a) - sum(b)) for a, b in zip(found["alone"], found[how], strict=True))
            rms = noise(every["alone"], every[how])
            print(f"{name}, {how}: {rms:.3f} nats a token (root mean square), one by {most:.2f}, a row by {whole:.2f}")


if __name__ == "__main__":
    main()
