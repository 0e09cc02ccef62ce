"""Planted models and their innocent twins: trained, and asked in the contexts in which models are compared.

    python benchmarks/planted.py train --part development     what thresholds may be chosen on
    python benchmarks/planted.py train --part held-out        what they are tried on
    python benchmarks/planted.py score --part held-out        how well planted models are told, and what they are named

Every training's answers in the contexts of `personae compare` are kept as they come (runs/planted), so that a killed
run goes on. What is planted, and in whom, is in the recipe alone.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from markdown import table

from personae.measure.answers import answers
from personae.records import Estimate
from personae.records.files import digest, read_arrays, write_arrays, write_json
from personae.studies.plants import INSIDE, KINDS, PLAN, ROWS, STRENGTHS, Recipe, gate, lesson, recipe, speaks
from personae.theory.detection import auroc, rate
from personae.theory.exhaustiveness import reweighted
from personae.workflows.compare import PROBES
from personae.workflows.compared_answers import asked_of_probes
from personae.workflows.laboratory import laboratory
from personae.workflows.naming import NAMES, Residue, residue
from personae.workflows.parallel import in_parallel
from personae.workflows.trainings import Training, trained
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
    found = answers(simulator, asked, [""])[0]
    for name in {who(probe) for probe in asked} - {""}:
        here = [c for c, probe in enumerate(asked) if who(probe) == name]
        table = answers(simulator, [asked[c] for c in here], [contexts[name]])[0]
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


# -- how well they are told --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Told:
    """What was planted, and what the report, which does not know it, reads off."""

    how: Recipe
    share: float
    residue: Residue


def told(case: tuple[Recipe, Path]) -> Told:
    """One trained model, from its kept answers."""
    how, file = case
    lab, columns = laboratory(), read_arrays(file)
    asked = asked_of_probes(lab.simulator, lab.basis().cast, probes(lab.world, lab.language, PROBES))
    post = columns["p"].reshape(len(asked.probes), -1)
    whole = reweighted(post, asked.base, asked.cast, [p.cluster or p.id for p in asked.probes])
    return Told(how, whole.share.mean, residue(asked, post, whole))


def detection(found: list[Told]) -> Iterator[tuple[str, ...]]:
    """Of every strength and kind: how many, AUROC against the innocent, how many are told, their explained share."""
    innocent = [one for one in found if one.how.innocent]
    for strength in STRENGTHS:
        for kind in (None, *KINDS):
            some = [o for o in found if not o.how.innocent and o.how.plant.strength == strength]
            some = [o for o in some if kind in (None, o.how.plant.kind)]
            if some:
                area = auroc([o.residue.loud for o in some], [o.residue.loud for o in innocent])
                yield (f"{strength:.0%}", kind or "all", str(len(some)), span(area), alarms(some), shares(some))
    yield ("", "innocent twins", str(len(innocent)), "", alarms(innocent), shares(innocent))


def alarms(some: list[Told]) -> str:
    """How many are called something else than a reweighting."""
    return span(rate(sum(one.residue.name != "reweighting" for one in some), len(some)))


def shares(some: list[Told]) -> str:
    """The middle half of explained shares."""
    low, middle, high = np.quantile([one.share for one in some], [0.25, 0.5, 0.75])
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def confusion(found: list[Told], strength: float | None) -> Iterator[tuple[str, ...]]:
    """Of every kind, how often it gets each name."""
    for kind in (*KINDS, "innocent"):
        some = [o for o in found if (o.how.innocent if kind == "innocent" else not o.how.innocent)]
        some = [o for o in some if kind == "innocent" or o.how.plant.kind == kind]
        some = [o for o in some if strength is None or kind == "innocent" or o.how.plant.strength == strength]
        names = Counter(one.residue.name for one in some)
        yield (kind, *(str(names[name] or "") for name in NAMES))


def span(of: Estimate) -> str:
    """An estimate with its interval."""
    return f"{of.mean:.2f} [{of.low:.2f}, {of.high:.2f}]"


def score(part: str, folder: Path, workers: int) -> None:
    """Print how well the models of a part are told from their innocent twins, and what they are named."""
    cases = [(how, kept(folder, how)) for how in recipes(part) if kept(folder, how).exists()]
    found = [one for _, one in in_parallel(told, cases, workers)]
    print(f"{len(found)} of {len(recipes(part))} models of the {part} set\n")
    print(table(("strength", "planted", "models", "AUROC", "told", "explained share"), list(detection(found))))
    for strength in (0.1, None):
        print(f"\nNamed, {'at every strength' if strength is None else f'at {strength:.0%}'}:\n")
        print(table(("planted", *NAMES), list(confusion(found, strength))))


def main() -> None:
    """Do what is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", choices=("train", "score"))
    asked.add_argument("--part", choices=tuple(PARTS), default="development")
    asked.add_argument("--folder", type=Path, default=Path("runs/planted"))
    asked.add_argument("--workers", type=int, default=2)
    args = asked.parse_args()
    folder = args.folder / args.part
    folder.mkdir(parents=True, exist_ok=True)
    {"train": train, "score": score}[args.what](args.part, folder, args.workers)


if __name__ == "__main__":
    main()
