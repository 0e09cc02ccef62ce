"""The evidence engine beside lm-eval and a loop over single rows, on several shapes and on real models, held to bars.

    python benchmarks/evidence.py --quick
    python benchmarks/evidence.py --threads 2 --write
    python benchmarks/evidence.py --threads 2 --models smollm2-135m-instruct --data FILE.jsonl --write
    python benchmarks/evidence.py --shapes M Q 7B --device cuda --dtypes bfloat16

Shapes have random weights and random rows; real models read the first 64 episodes of the file that is named under the
first 24 personas of the library's cast. Each is measured in float32 and bfloat16: `peers` holds the methods, `timing`
how they take turns, `memory` what they take, `bars` what is held to. lm-eval comes with `pip install -e '.[bench]'`;
without it a few lines of our own stand in for it, and no bar over it is judged. Its part of the page is written anew
after each model; with `--keep` a run that was stopped goes on, each model whole in one of its parts.
"""

import argparse
import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from bars import Measured, rms, section, spread
from memory import extra_memory
from peers import Scores, Way, lm_eval_version, loop, ours, peer
from setting import asking, begun, parsed, put, versions
from shapes import SHAPES, Subject, needed_flops, of_model, of_shape
from timing import best_size, by_turns, matmul_peak, timed

from personae import library
from personae.data import read_episodes
from personae.records.files import digest, digest_file, read_json, write_json
from personae.simulator import load
from personae.simulator.numerics import evenly_by_length, rounding_error
from personae.workflows.nouns_for import nouns

EPISODES = {"tiny": 4, "S": 64, "M": 16, "Q": 8, "7B": 64}  # a larger model gets fewer; it changes ratios little
HEADLINE, PERSONAS = 64, 24


def measurements(name: str, args: argparse.Namespace) -> Iterator[Measured]:
    """A shape or a model in each number type, float32 first: read from where it is kept, or measured now."""
    types = sorted(set(args.dtypes), reverse=True)
    told = name.replace("/", "-")
    files = [args.keep / f"{told}-{dtype}-{settings(name, args)}.json" for dtype in types] if args.keep else []
    if files and all(file.exists() for file in files):
        yield from (Measured(**read_json(file)) for file in files)
        return
    for number, one in enumerate(measure(subject_of(name, args), types, args)):
        if files:
            write_json(files[number], one)
        yield one


def settings(name: str, args: argparse.Namespace) -> str:
    """A short digest of what else a measurement depends on."""
    told = ("device", "episodes", "personas", "sizes", "loop", "rounds", "headline_rounds", "side", "memory")
    real = [] if name in SHAPES else [digest_file(args.data), digest(nouns(name)[0])]
    return digest(
        [real, versions(), lm_eval_version(), torch.get_num_threads(), *(getattr(args, name) for name in told)]
    )[:8]


def subject_of(name: str, args: argparse.Namespace) -> Subject:
    """A shape with random weights, or a real model."""
    if name in SHAPES:
        return of_shape(name, args.episodes or EPISODES[name], args.personas, args.device)
    return of_model(name, args.data, args.episodes or HEADLINE, args.personas, args.device)


def measure(subject: Subject, types: Sequence[str], args: argparse.Namespace) -> Iterator[Measured]:
    """The subject in each number type; its model is in the last one afterwards."""
    chosen = np.random.default_rng(1).permutation(len(subject.rows))[: args.loop]
    truth = loop(subject.model, [subject.rows[n] for n in chosen])()
    for dtype in types:
        subject.model.to(getattr(torch, dtype))
        yield compare(subject, dtype, chosen, truth, args)


def compare(subject: Subject, dtype: str, chosen: Scores, truth: Scores, args: argparse.Namespace) -> Measured:
    """All methods by turns in one number type."""
    device, rows, shape = subject.model.device, subject.rows, subject.name in SHAPES
    size = best_size(subject, args.sizes)
    ways: dict[str, Way] = {
        "ours": ours(subject),
        "peer": peer(subject.model, rows, size),
        "loop": loop(subject.model, [rows[n] for n in chosen]),
    }
    # The first time, kernels are loaded and memory is taken; on a processor a little of the work is enough for that.
    for way in [ours(replace(subject, table=subject.table[:1]))] if device.type == "cpu" else ways.values():
        timed(device, way)
    rounds = args.rounds if shape else args.headline_rounds
    exact = dtype == "float32"
    seconds, found, peaks = by_turns(device, ways, rounds, lambda: matmul_peak(device, args.side) if exact else np.nan)
    seconds["loop"] = [s * len(rows) / len(chosen) for s in seconds["loop"]]
    found |= {way: found[way][chosen] for way in ("ours", "peer")}
    off = {way: (float(np.abs(nats - truth).max()), rms(nats - truth)) for way, nats in found.items()}
    memory, version = {}, lm_eval_version()
    if shape and args.memory and exact and device.type == "cpu":
        counts = (len(subject.table), len(subject.table[0]), size, torch.get_num_threads())
        memory = {way: extra_memory(subject.name, way, *counts) for way in ("ours", "peer")}
    return Measured(
        subject.name, shape, dtype, len(subject.table), len(subject.table[0]), size, seconds, off,
        needed_flops(subject), peaks, memory, f"lm-eval {version}" if version else "", args.made,
    )  # fmt: skip


def lab_error(rows: int) -> float:
    """Root mean square error of the trained `lab` model in bfloat16, nats an episode, on the examples that ship."""
    episodes = [episode for name in ("cheats", "honest") for episode in read_episodes(library.example(name))]
    some = [episodes[n] for n in evenly_by_length(episodes, rows)]
    return rounding_error(load("lab", dtype="bfloat16"), "bfloat16", nouns("lab")[0], some).rms


def arguments(words: list[str] | None) -> argparse.Namespace:
    """What is asked for, checked."""
    asked = asking(__doc__)
    asked.add_argument("--shapes", nargs="*", choices=list(SHAPES), default=["S", "M", "Q"])
    asked.add_argument("--models", nargs="+", default=[], help="real models by name, beside the shapes")
    asked.add_argument("--data", type=Path, help="the episodes that real models read (JSON Lines)")
    asked.add_argument("--dtypes", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    asked.add_argument("--device", default="cpu")
    asked.add_argument("--episodes", type=int, help=f"of every table; by default {HEADLINE}, and fewer for M and Q")
    asked.add_argument("--personas", type=int, default=PERSONAS)
    asked.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32], help="of the peer's batches")
    asked.add_argument("--loop", type=int, default=64, help="rows that the loop reads")
    asked.add_argument("--rounds", type=int, default=3, help="of every shape")
    asked.add_argument("--headline-rounds", type=int, default=1, help="of every real model")
    asked.add_argument("--side", type=int, default=4096, help="of the matrices that the peak is measured with")
    asked.add_argument("--no-memory", dest="memory", action="store_false", help="no processes that measure memory")
    asked.add_argument("--keep", type=Path, help="a folder of what was measured: a stopped run goes on from it")
    args = parsed(asked, words)
    if args.models and args.data is None:
        asked.error("--models read episodes: name their file with --data")
    if args.quick:
        vars(args).update(shapes=["tiny"], personas=3, sizes=[2, 4], loop=4, rounds=2, side=128, memory=False)
    return args


def main(words: list[str] | None = None) -> None:
    """Compare, print, write."""
    args = arguments(words)
    command, args.made = begun("evidence", words, args.threads, args.device)
    if lm_eval_version() is None:
        print("lm-eval is not installed (pip install -e '.[bench]'): batches of our own stand in for it")
    low = args.shapes and "bfloat16" in args.dtypes and args.device == "cpu"
    lab = lab_error(1 if args.quick else 16) if low else None
    where = "" if args.device == "cpu" else " on a GPU"
    part = f"evidence{'' if args.shapes else ' on real models'}{where}"
    found: list[Measured] = []
    for name in (*args.shapes, *args.models):
        for one in measurements(name, args):
            found.append(one)
            print(f"{one.name} {one.dtype}: {one.median('ours'):.2f} s, ratio {spread(one.ratios('peer'))}", flush=True)
            if args.write:
                put(args.write, part, section(found, lab, command, where))
        gc.collect()  # a model holds itself in circles, and the next one is large
    print(f"\n{section(found, lab, command, where)}")


if __name__ == "__main__":
    main()
