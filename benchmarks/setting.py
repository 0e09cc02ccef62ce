"""What the scripts that time something share: what they are asked, an idle machine, and their part of one page.

Each script owns a part of `docs/benchmarks.md` between two marks, and leaves the others alone.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import markdown
import torch
import transformers

import personae

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEAD = """# Beside others

How fast, beside what others do on the same tokens, and whether it is as fast as it has been. A bar stands under what
was once measured, so that it fails when something has become slower and not when a machine is busy. Every part is
written by the command that it names, and says how busy the machine was when it began.
"""
BUSY = 0.5  # load average before the start


def asking(description: str | None) -> argparse.ArgumentParser:
    """A parser of what every such script is asked."""
    asked = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--threads", type=int, help="of the processor; by default torch's own number")
    asked.add_argument("--write", nargs="?", type=Path, const=PAGE, help="a page; by default docs/benchmarks.md")
    asked.add_argument("--quick", action="store_true", help="a smoke run on a tiny shape; its figures mean nothing")
    return asked


def parsed(asked: argparse.ArgumentParser, words: Sequence[str] | None) -> argparse.Namespace:
    """What is asked for; a smoke run is not put on the page."""
    args = asked.parse_args(words)
    if args.quick and args.write and args.write.resolve() == PAGE:
        asked.error("figures of --quick mean nothing: give --write a page of your own")
    return args


def begun(script: str, words: Sequence[str] | None, threads: int | None, device: str = "cpu") -> tuple[str, str]:
    """Take so many threads and say where a machine is busy; the sentences that tell by what, and where, it is made."""
    if threads:
        torch.set_num_threads(threads)
    busy = os.getloadavg()[0]
    if busy > BUSY:
        print(f"the machine is busy (load average {busy:.1f}): ratios say little and seconds nothing", file=sys.stderr)
    told = sys.argv[1:] if words is None else words  # and no page tells where somebody keeps their files
    told = [Path(word).name if Path(word).is_absolute() else word for word in told]
    command = shlex.join(["python", f"benchmarks/{script}.py", *told])
    return f"Written by `{command}`.", f"{versions()}. {place(torch.device(device), torch.get_num_threads(), busy)}."


def versions() -> str:
    """Of what computes."""
    return f"personae {personae.__version__}, torch {torch.__version__}, transformers {transformers.__version__}"


def place(device: torch.device, threads: int, load: float) -> str:
    """Where it ran: the device, cores and threads, and how busy the machine was before."""
    card = f"{torch.cuda.get_device_name(device)}, " if device.type == "cuda" else ""
    able = torch.backends.cpu.get_cpu_capability()
    return f"{card}{os.cpu_count()} cores ({able}), {threads} thread(s), load average {load:.1f} at the start"


def put(page: Path, script: str, part: str) -> None:
    """Put the part of a script on the page, in the place of what it had."""
    markdown.put(page, script, part, HEAD)
