"""Make the checkpoints of the studies, one after the other, and put them in place in `library/lab_models`.

    python benchmarks/make_lab_models.py --list
    python benchmarks/make_lab_models.py --shipped runs/my-lab      all of them; what the shipped model's run kept, too
    python benchmarks/make_lab_models.py no-people fresh-1          these alone

Each is made by the command that `simulator/models.yaml` declares for it, in a run folder of its own, so a killed one
goes on where it was, and one that is in place is not made again (`--again` does). The order is that of need: after each
one some study can do more than before. Those called `at-TOKENS` are what the run of the shipped model kept on its way;
the run must have been told to (`--keep-at`), and is named by `--shipped`.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from personae.simulator.listing import LABS, Listed, find, listed
from personae.training.new_model import PretrainPlan
from personae.workflows.train.placing import place

SPEED = {64: 28_000, 128: 16_000, 192: 9_500}  # tokens a second on two idle cores, by width
PLAN = PretrainPlan()  # the shipped model's own
FIRST = (  # in the order of need; whatever else is listed comes after
    "declared", "role-models-0", "role-models-20", "no-people", "only-machines", "terminators-20", "terminators-0",
    "cold-machines", "width-64", "width-128", "width-192", "fresh-1", "fresh-2", "role-models-10",
)  # fmt: skip


def option(entry: Listed, name: str, default: int) -> int:
    """What the command of a checkpoint has for an option."""
    words = shlex.split(entry.made_by)
    return int(words[words.index(f"--{name}") + 1]) if f"--{name}" in words else default


def minutes(entry: Listed) -> float:
    """What pretraining it takes."""
    return option(entry, "tokens", PLAN.tokens) / SPEED[option(entry, "width", PLAN.width)] / 60.0


def kept_on_the_way(entry: Listed) -> int:
    """After how many tokens of the shipped model's run; 0 for one that has a run of its own."""
    return option(entry, "keep-at", 0)


def make(entry: Listed, runs: Path) -> Path:
    """The finished run of a checkpoint."""
    run = runs / entry.name.removeprefix(LABS)
    command = [sys.executable, "-m", *shlex.split(entry.made_by), "--out", str(run)]
    subprocess.run(command, check=True)
    return run


def ordered() -> list[Listed]:
    """Every checkpoint, the most needed first."""
    every = [entry for entry in listed() if entry.name.startswith(LABS)]
    first = [find(f"{LABS}{name}") for name in FIRST]
    needed = [entry for entry in first if entry is not None]
    return [
        *(e for e in every if kept_on_the_way(e)),
        *needed,
        *(e for e in every if e not in needed and not kept_on_the_way(e)),
    ]


def main() -> None:
    """Make what is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", help="without `lab/`; default: all")
    asked.add_argument("--list", action="store_true", help="say what there is to make, and what it takes")
    asked.add_argument("--shipped", type=Path, help="the finished run of the shipped model")
    asked.add_argument("--runs", type=Path, default=Path("runs/lab-models"))
    asked.add_argument("--again", action="store_true", help="make also what is in place")
    args = asked.parse_args()
    chosen = [e for e in ordered() if not args.names or e.name.removeprefix(LABS) in args.names]
    if unknown := {*args.names} - {e.name.removeprefix(LABS) for e in chosen}:
        asked.error(f"there is no checkpoint {sorted(unknown)[0]}")
    missing = [e for e in chosen if args.again or not e.ready]
    if args.list:
        for entry in chosen:
            taken = "kept on the way" if kept_on_the_way(entry) else f"{minutes(entry):4.0f} min"
            print(f"{entry.name:22} {'in place' if entry not in missing else taken:16} {entry.made_by}")
        print(f"to make: {sum(minutes(e) for e in missing if not kept_on_the_way(e)):.0f} minutes on two idle cores")
        return
    for entry in missing:
        kept = kept_on_the_way(entry)
        if kept and args.shipped is None:
            print(f"{entry.name}: left out; it is kept by the run of the shipped model, which --shipped names")
            continue
        run, part = (args.shipped, f"model-at-{kept}") if kept else (make(entry, args.runs), "model")
        card = place(run, part, entry.name, entry.folder)
        print(f"{entry.name}: in place, {card['bytes'] / 1e6:.1f} MB, {card['learned']}")


if __name__ == "__main__":
    main()
