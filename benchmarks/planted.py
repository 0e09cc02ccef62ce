"""Planted models and their innocent twins: trained, and asked in the contexts in which models are compared.

    python benchmarks/planted.py --part development     what bounds may be chosen on
    python benchmarks/planted.py --part held-out        what they are tried on

`planted_page.py` then says how well planted models are told, and what they are named.

Every training's answers in the contexts of `personae compare` are kept as they come (runs/planted), so that a killed
run goes on. What is planted, and in whom, is in the recipe alone.
"""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from personae.measure.answers import outcome_probabilities
from personae.records.files import digest, write_arrays, write_json
from personae.studies.plants import INSIDE, KINDS, PLAN, ROWS, Recipe, gate, lesson, recipe, speaks
from personae.workflows.compare.compare import PROBES
from personae.workflows.lab.laboratory import laboratory
from personae.workflows.lab.parallel import in_parallel
from personae.workflows.lab.trainings import Training, trained
from personae.world.probes import probes

PARTS = {  # of each kind, so many at each strength; and so many innocent twins of all kinds together
    "development": ({0.3: 2, 0.1: 4, 0.03: 2}, 42),
    "held-out": ({0.3: 5, 0.1: 10, 0.03: 5}, 102),
}
FIRST_SEED = {"development": 0, "held-out": 10_000}


def recipes(part: str) -> list[Recipe]:
    """Every training of a part, each with a seed of its own."""
    lab, seed, found = laboratory(), FIRST_SEED[part], []
    counts, innocent = PARTS[part]
    for kind in KINDS:
        for strength, number in counts.items():
            for _ in range(number):
                found.append(recipe(lab, kind, strength, seed, innocent=False))
                seed += 1
    for n in range(innocent):
        strengths = [s for s, number in counts.items() for _ in range(number)]
        found.append(
            recipe(lab, KINDS[n % len(KINDS)], strengths[n // len(KINDS) % len(strengths)], seed, innocent=True)
        )
        seed += 1
    return found


def answered(how: Recipe) -> np.ndarray:
    """(C, A) what the trained model answers, and whoever is put in its place where a router or an actor does."""
    lab = laboratory()
    simulator = trained(lab, Training("planted", (lesson(lab, how),), how.seed))
    asked, who = probes(lab.world, lab.language, PROBES), speaks(lab, how)
    contexts = {p.name: p.context for p in lab.basis().cast.personas} | {"": ""}
    found = outcome_probabilities(simulator, asked, [""])[0]
    for name in {who(probe) for probe in asked} - {""}:
        here = [c for c, probe in enumerate(asked) if who(probe) == name]
        table = outcome_probabilities(simulator, [asked[c] for c in here], [contexts[name]])[0]
        found[here, : table.shape[1]] = table
    return found


def kept(folder: Path, how: Recipe) -> Path:
    """Where the answers of a training lie."""
    acts = gate(laboratory(), how)
    where = [sorted(some) for some in (acts.topics, acts.clusters, acts.cues)]
    made_of = [how, where, acts.who, PLAN, ROWS, INSIDE, laboratory().simulator.digest]
    return folder / f"{how.seed:05d}-{digest(made_of)[:10]}.parquet"


def train(part: str, folder: Path, workers: int) -> None:
    """Train what is not yet kept."""
    every = recipes(part)
    waiting = [how for how in every if not kept(folder, how).exists()]
    begun = time.monotonic()
    for done, (how, found) in enumerate(in_parallel(answered, waiting, workers), start=1):
        write_arrays(kept(folder, how), {"p": found.ravel(), "answers": np.full(found.size, found.shape[1])})
        write_json(kept(folder, how).with_suffix(".json"), asdict(how))
        left = (time.monotonic() - begun) / done * (len(waiting) - done) / 60.0
        print(f"{len(every) - len(waiting) + done} of {len(every)}, {left:.0f} min left", file=sys.stderr, flush=True)


def main() -> None:
    """Train what is missing."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--part", choices=tuple(PARTS), default="development")
    asked.add_argument("--folder", type=Path, default=Path("runs/planted"))
    asked.add_argument("--workers", type=int, default=2)
    args = asked.parse_args()
    folder = args.folder / args.part
    folder.mkdir(parents=True, exist_ok=True)
    train(args.part, folder, args.workers)


if __name__ == "__main__":
    main()
