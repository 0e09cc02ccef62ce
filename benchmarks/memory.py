"""Memory that a way of scoring takes beyond the loaded model: the peak of a fresh process, less what it held before.

    python benchmarks/memory.py M ours 16 24 --threads 2
    python benchmarks/memory.py M peer 16 24 --size 8 --threads 2

Printed: bytes. The peak is the kernel's own (VmHWM), set back after loading; where it cannot be, nothing is printed.
"""

import argparse
import gc
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from kernel import status
from peers import Way, ours, peer
from shapes import SHAPES, of_shape


def extra_memory(shape: str, way: str, episodes: int, personas: int, size: int, threads: int) -> int | None:
    """Bytes, float32 on the processor, found by a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), shape, way, str(episodes), str(personas)]
    command += ["--size", str(size), "--threads", str(threads)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(printed[-1]) if printed else None


def extra_here(way: Way) -> int | None:
    """Bytes by which the peak of this process rises while `way` runs."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # sets the peak back to what is held now
        before = status("VmRSS")
        way()
        return status("VmHWM") - before
    except OSError:
        return None


def main(words: list[str] | None = None) -> None:
    """Load, make ready, score, print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("shape", choices=SHAPES)
    asked.add_argument("way", choices=["ours", "peer"])
    asked.add_argument("episodes", type=int)
    asked.add_argument("personas", type=int)
    asked.add_argument("--size", type=int, default=8, help="rows of the peer's batch")
    asked.add_argument("--threads", type=int)
    args = asked.parse_args(words)
    if args.threads:
        torch.set_num_threads(args.threads)
    subject = of_shape(args.shape, args.episodes, args.personas, "cpu")
    one = replace(subject, table=[subject.table[0][:1]])
    for first in (ours(one), peer(one.model, one.rows, 1)):  # kernels are loaded and the heap has grown, for both alike
        first()
    way = ours(subject) if args.way == "ours" else peer(subject.model, subject.rows, args.size)
    found = extra_here(way)
    if found is not None:
        print(found)


if __name__ == "__main__":
    main()
