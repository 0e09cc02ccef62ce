"""How far bfloat16 scores are from float32 on a file, and how much sooner they are there.

    python benchmarks/precision.py MODEL ../shared/data/ms_personality_chat/humorous.jsonl --rows 8

The first rows of the file are scored under every context of the model's own cast, in both number types by turns.
Printed: the error that `personae audit --dtype bfloat16` reports, and the ratio of processor seconds, float32 over
bfloat16, the median of the rounds (processor time, so that whatever else runs on the machine counts less).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from personae.data import read_episodes
from personae.records import Cast, Episode
from personae.simulator import load
from personae.simulator.local import LocalSimulator
from personae.simulator.numerics import rounding_error
from personae.workflows.audit.precision import precision_note
from personae.workflows.nouns_for import nouns


def seconds(simulator: LocalSimulator, cast: Cast, episodes: list[Episode]) -> float:
    """Processor seconds to score the episodes under every context."""
    begun = time.process_time()
    simulator.log_likelihood(episodes, cast.contexts)
    return time.process_time() - begun


def main() -> None:
    """Compare, time by turns, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("model")
    asked.add_argument("data", type=Path)
    asked.add_argument("--rows", type=int, default=8)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--threads", type=int, default=1)
    args = asked.parse_args()
    torch.set_num_threads(args.threads)
    cast, _ = nouns(args.model)
    episodes = list(read_episodes(args.data, limit=args.rows))
    low, exact = load(args.model, dtype="bfloat16"), load(args.model)
    found = rounding_error(low, "bfloat16", cast, episodes)
    print(precision_note(found))
    print("bias, nats:", {name: round(nats, 3) for name, nats in sorted(found.bias.items(), key=lambda b: b[1])})
    times = np.array([[seconds(s, cast, episodes) for s in (exact, low)] for _ in range(args.rounds)])
    ratio = float(np.median(times[:, 0] / times[:, 1]))
    answers = len(episodes) * len(cast.contexts)
    print(f"{answers} answers: float32 {np.median(times[:, 0]):.1f} s, bfloat16 {np.median(times[:, 1]):.1f} s", end="")
    print(f", {ratio:.1f} times as fast on {args.threads} thread(s)")


if __name__ == "__main__":
    main()
