"""How far a served model's scores are from those of the same model here.

    vllm serve MODEL --served-model-name name --dtype float32 --no-enable-prefix-caching
    python benchmarks/served.py 'http://localhost:8000/v1#name' MODEL ../shared/data/ms_personality_chat/humorous.jsonl

The first rows of the file are scored under every context of the model's own cast, there and here in float32. Printed:
the distance of an answer's log p, root mean square and the most, nats; that of the evidence, each row less its mean
over the contexts, beside how far evidence is spread; and the seconds, with the check that a server has to pass.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from bars import rms

from personae.data import read_episodes
from personae.records import Simulator
from personae.records.results import Floats
from personae.simulator import load
from personae.simulator.registry import open_model
from personae.workflows.nouns_for import nouns


def evidence(logp: Floats) -> Floats:
    """(N, K) nats for each context, against all of them together."""
    return logp - logp.mean(axis=1, keepdims=True)


def main(words: list[str] | None = None) -> None:
    """Score on both sides, print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("served", help="the URL, and after # what the server calls the model")
    asked.add_argument("model", help="the same model here")
    asked.add_argument("data", type=Path)
    asked.add_argument("--rows", type=int, default=32)
    asked.add_argument("--device", default="cpu", help="of the model here")
    args = asked.parse_args(words)
    cast, _ = nouns(args.model)
    rows = list(read_episodes(args.data, limit=args.rows))

    def scored(simulator: Simulator) -> tuple[Floats, float]:
        begun = time.perf_counter()
        found = simulator.log_likelihood(rows, cast.contexts).logp
        return found, time.perf_counter() - begun

    there, here = scored(open_model(args.served)), scored(load(args.model, device=args.device))
    off, between = there[0] - here[0], evidence(there[0]) - evidence(here[0])
    print(f"{off.size} answers: {rms(off):.3f} nats apart (root mean square), {np.abs(off).max():.3f} at most")
    print(f"evidence: {rms(between):.3f} nats apart, spread {rms(evidence(here[0])):.2f}")
    print(f"{there[1]:.1f} s through the server, {here[1]:.1f} s here on {args.device}")


if __name__ == "__main__":
    main()
