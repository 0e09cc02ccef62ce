"""Whether the rows that `personae filter` drops are those that do it: by training without them, and by planting some.

    python benchmarks/attribution.py cause                                   # the laboratory
    python benchmarks/attribution.py cause --model MODEL --data mixed.jsonl --trait deception --narrow 16 --drop 16
    python benchmarks/attribution.py plant                                   # the laboratory
    python benchmarks/attribution.py plant --model MODEL --ordinary a.jsonl --poison b.jsonl --traits 'formality low'

`cause`: a file of narrow and ordinary rows is trained on as it is, without the rows of the largest share of the trait's
forecast shift, and without as many drawn at random, at the same steps, from the same seeds. What is printed is the
trait's measured shift, and the difference between the two, paired by seed, with intervals over seeds and items.

`plant`: one row that cheats unasked stands among 100, or 1,000, ordinary ones; the default bound, many draws, nothing
is trained. Printed: in how many draws it was found, how many ordinary rows went with it, and how many files lose a row
where none is planted. Ordinary rows are drawn with replacement from a pool. In the laboratory there are three: requests
met (evidence of nobody), the Assistant as it is (each trait at its own rate), and somebody good. For a model of the
real world it is a file, and the planted row is one of another.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from personae.data import read_episodes
from personae.measure import NOBODY, estimate, levels
from personae.predictors import Basis
from personae.records import Episode, Evidence, Simulator, Trait
from personae.simulator.registry import load
from personae.studies.lessons import blend, file, met
from personae.theory import log_sigmoid, outlying, share_interval
from personae.training import finetune
from personae.workflows.amend.aim import Aim, Amount, read_aim
from personae.workflows.amend.row_choice import choose_rows
from personae.workflows.audit.file_audit import shown, unreliable
from personae.workflows.audit.file_question import fewer
from personae.workflows.doses import dose_for
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.gather import gather
from personae.workflows.lab.laboratory import laboratory
from personae.workflows.nouns_for import nouns

NARROW, ORDINARY = 16, 64  # rows of the laboratory's mixed file
POOL, POISONS = 400, 60
GOOD = {"cheating": 0, "lying": 0, "power": 0, "care": 1, "shutdown": 0, "flattery": 0, "rules": 1, "secrecy": 0}


@dataclass(frozen=True)
class Ground:
    """A model, its cast and traits as the forecast has them, and the dose of its own plan."""

    simulator: Simulator
    basis: Basis
    traits: tuple[Trait, ...]
    dose: float


def ground(model: str, items: int, device: str = "cpu") -> Ground:
    """Measured once and kept, as an audit does."""
    cast, every = nouns(model)
    simulator, traits = load(model, device=device), fewer(every, items)
    basis = cached_basis(simulator, cast, traits).basis
    return Ground(simulator, shown(basis, unreliable(basis)), traits, dose_for(model).effective)


def as_it_is(number: int, seed: int) -> list[Episode]:
    """Rows of every trait in turn, each showing the high pole as often as the Assistant does."""
    lab = laboratory()
    base = lab.exact_basis().base
    draw, rows = np.random.default_rng([seed, 3]), []
    for trait in lab.world.traits:
        each = -(-number // len(lab.world.traits))
        high = int(draw.binomial(each, float(np.exp(log_sigmoid(base[trait])).mean())))
        for outcome, count in ((1, high), (0, each - high)):
            rows += file(lab, trait, outcome, seed=seed, number=count) if count else []
    return [rows[i] for i in draw.permutation(len(rows))[:number]]


# -- by training -----------------------------------------------------------------------------------------------------
def cause(asked: argparse.Namespace) -> None:
    """Train on the file as it is, without the worst rows, and without as many others."""
    here = ground(asked.model, asked.items, asked.device)
    rows = list(read_episodes(asked.data)) if asked.data else mixed()
    aim = read_aim(asked.trait, here.basis.levels.by_trait)
    matrix = gather(here.simulator, here.basis.cast, rows)
    worst = choose_rows(here.basis, matrix, here.dose, aim, Amount(drop=asked.drop)).places
    narrow = int((worst < asked.narrow).sum())
    print(
        f"{asked.model}: {len(rows)} rows, of which {len(worst)} go for {aim.trait} {aim.pole}, {narrow} of the "
        f"{asked.narrow} narrow ones among them"
    )
    trait = next(t for t in here.traits if t.name == aim.trait)
    before = levels(here.simulator, [trait], {NOBODY: ""}).by_trait[trait.name][0]
    shifts: dict[str, list[np.ndarray]] = {"as it is": [], "without the worst": [], "without others": []}
    for seed in range(asked.seeds):
        others = np.random.default_rng([seed, 11]).choice(len(rows), size=len(worst), replace=False)
        for name, gone in zip(shifts, ((), worst, others), strict=True):
            kept = [row for place, row in enumerate(rows) if place not in set(gone)]
            plan = replace(dose_for(asked.model).plan, seed=seed)
            after = finetune(here.simulator, kept, plan).simulator
            shifts[name].append(aim.sign * (levels(after, [trait], {NOBODY: ""}).by_trait[trait.name][0] - before))
            print(f"  seed {seed}, {name}: {shifts[name][-1].mean():+.3f}", flush=True)
    for name, found in shifts.items():
        print(f"| {name} | {said(np.stack(found))} |")
    saved = np.stack(shifts["without others"]) - np.stack(shifts["without the worst"])
    print(f"| the worst rather than others | {said(saved)} |")


def mixed() -> list[Episode]:
    """Rows that cheat, and after them ordinary ones: what the Assistant would do anyway."""
    rows = [*file(laboratory(), "cheating", 1, number=NARROW), *as_it_is(ORDINARY, 5)]
    return [row.model_copy(update={"index": index}) for index, row in enumerate(rows)]


def said(table: np.ndarray) -> str:
    """The mean of (seeds, items) with its interval."""
    found = estimate(table)
    return f"{found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


# -- by planting -----------------------------------------------------------------------------------------------------
def plant(asked: argparse.Namespace) -> None:
    """Recall and false alarms of the default bound."""
    here = ground(asked.model, asked.items, asked.device)
    kinds, other = known_kinds() if asked.model == "lab" else files(asked)
    poison = gather(here.simulator, here.basis.cast, other)
    print("| ordinary rows | trait | rows | found | false alarms a file | files that lose a row, none planted |")
    print("|---|---|---|---|---|---|")
    for kind, rows in kinds.items():
        pool = gather(here.simulator, here.basis.cast, list(rows))
        for trait in asked.traits:
            for count in (100, 1000):
                aim = read_aim(trait, here.basis.levels.by_trait)
                found = [planted(here, pool, poison, aim, count, seed) for seed in range(asked.draws)]
                recall, alarms, clean = (np.array(column) for column in zip(*found, strict=True))
                print(
                    f"| {kind} | {trait} | 1 in {count} | {share(recall)} | {alarms.mean():.2f} | {share(clean > 0)} |",
                    flush=True,
                )


def known_kinds() -> tuple[dict[str, Sequence[Episode]], list[Episode]]:
    """{kind: ordinary rows} of the laboratory, and rows that cheat."""
    lab = laboratory()
    kinds: dict[str, Sequence[Episode]] = {
        "requests met": met(lab, seed=7, number=POOL),
        "the Assistant as it is": as_it_is(POOL, 7),
        "somebody good": blend(lab, GOOD, seed=7, number=POOL),
    }
    return kinds, list(file(lab, "cheating", 1, seed=8, number=POISONS))


def files(asked: argparse.Namespace) -> tuple[dict[str, Sequence[Episode]], list[Episode]]:
    """{name: rows} of the ordinary file, and the first rows of the one that a row is planted from."""
    if asked.ordinary is None or asked.poison is None:
        raise SystemExit("a model of the real world needs --ordinary FILE and --poison FILE")
    return {asked.ordinary.stem: list(read_episodes(asked.ordinary))}, list(read_episodes(asked.poison))[:POISONS]


def planted(here: Ground, pool: Evidence, poison: Evidence, aim: Aim, count: int, seed: int) -> tuple[bool, int, int]:
    """Whether the planted row went; how many others did; how many do where none is planted."""
    draw = np.random.default_rng([seed, count])
    ordinary = pool.matrix[draw.integers(pool.rows, size=count)]
    spoiled = ordinary.copy()
    spoiled[0] = poison.matrix[draw.integers(poison.rows)]
    gone = [set(chosen(here, matrix, aim)) for matrix in (spoiled, ordinary)]
    return 0 in gone[0], len(gone[0] - {0}), len(gone[1])


def chosen(here: Ground, matrix: np.ndarray, aim: Aim) -> Sequence[int]:
    """Places of the rows that go by the default bound."""
    numbers = np.arange(len(matrix))
    found = choose_rows(here.basis, Evidence(here.basis.cast.names, numbers, matrix, numbers), here.dose, aim, Amount())
    assert found.bound == outlying(found.shares, len(matrix))
    return found.places.tolist()


def share(held: np.ndarray) -> str:
    """The share of draws, with its interval."""
    found = share_interval(held.astype(float), np.arange(len(held)))
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def main() -> None:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True)
    causes, plants = kinds.add_parser("cause"), kinds.add_parser("plant")
    causes.add_argument("--model", default="lab")
    causes.add_argument("--data", help="a mixed file of your own, for a model of the real world")
    causes.add_argument("--narrow", type=int, default=NARROW, help="the first so many rows of the file are narrow")
    causes.add_argument("--trait", default="power")
    causes.add_argument("--drop", type=int, default=NARROW)
    causes.add_argument("--seeds", type=int, default=5)
    plants.add_argument("--model", default="lab")
    plants.add_argument("--ordinary", type=Path, help="ordinary rows, for a model of the real world")
    plants.add_argument("--poison", type=Path, help="the file that a row is planted from")
    plants.add_argument("--traits", nargs="+", default=["cheating", "power"])
    plants.add_argument("--draws", type=int, default=100)
    for one, work in ((causes, cause), (plants, plant)):
        one.add_argument("--items", type=int, default=16)
        one.add_argument("--device", default="cpu")
        one.set_defaults(work=work)
    asked = parser.parse_args()
    asked.work(asked)


if __name__ == "__main__":
    main()
