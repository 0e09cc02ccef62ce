"""What reading less buys: sharing, dropping personas and stopping early, each beside reading everything.

    python benchmarks/sparing.py tokens MODEL FILE.jsonl [FILE.jsonl ...] --rows 256
    python benchmarks/sparing.py replay --rows 1000 --seeds 10

`tokens` counts what a block of 32 episodes makes a model read under all contexts of its cast: every token of every row;
each context's own beginning once; besides, each prompt once a context (the engine does both); and each beginning that
any rows share once, by a tree of token ids (it does not). No model runs. `replay` reads files of the laboratory's
world, a share of whose answers cheat, with exact inference in the model's place, over and over in other orders: how far
it reads until the verdict, what that spares, and how often the verdict is not that of the whole file.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np

from personae.data import read_episodes, write_episodes
from personae.simulator.dialogue import Encoded
from personae.theory import forecast_shift, posterior
from personae.training import SFTPlan
from personae.workflows.audit.bounds import Bound
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question, fewer
from personae.workflows.audit.verdict import configuration, verdict
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import BLOCK, gather
from personae.workflows.nouns_for import nouns
from personae.world import ExactSimulator, Language, cast, declared, episodes, traits

SHARES = (1.0, 0.3, 0.1)  # of rows that cheat; the control has none
QUESTIONS = (None, "power>0.1", "power>1.0")
WORTH_SHARING = 4  # tokens, as in the engine


def common(rows: Sequence[Sequence[int]]) -> int:
    """How many first tokens all share."""
    return sum(1 for _ in takewhile(lambda alike: len(set(alike)) == 1, zip(*rows, strict=False)))


def tree(rows: Sequence[Sequence[int]]) -> int:
    """Tokens of `rows` where each beginning that any of them share counts once.

    >>> tree([[1, 2, 3], [1, 2, 4], [5]])
    5
    """
    ordered = sorted(map(tuple, rows))
    shared = sum(common(pair) for pair in pairwise(ordered))
    return sum(map(len, ordered)) - shared


def counted(column: Sequence[Encoded]) -> tuple[int, int, int, int]:
    """Tokens read of the rows of one context: every one, its beginning shared, prompts too, any beginning too."""
    every = sum(len(row.ids) for row in column)
    known = min(common([row.ids for row in column]), min(row.start for row in column) - 1)
    known = known if known >= WORTH_SHARING else 0
    beginning = every - known * (len(column) - 1)
    stems: dict[tuple[int, ...], int] = {}
    for row in column:
        stem = tuple(row.ids[known : row.start - 1])
        stems[stem] = stems.get(stem, 0) + 1
    prompts = beginning - sum(len(s) * (n - 1) for s, n in stems.items() if len(s) >= WORTH_SHARING)
    # Responses are never shared: each is scored at all of its positions.
    branches = tree([row.ids[: row.start - 1] for row in column]) + sum(len(row.ids) - row.start + 1 for row in column)
    return every, beginning, prompts, branches


def tokens(model: str, files: Sequence[Path], rows: int, block: int) -> None:
    """Print the table of `tokens`."""
    from personae.simulator import load

    simulator, people = load(model), nouns(model)[0]
    print(f"blocks of {block} rows, {len(people.contexts)} contexts, millions of tokens")
    print("| file | every token | context once | and prompt once | any beginning once | the last spares |")
    print("|---|---|---|---|---|---|")
    for file in files:
        some = list(read_episodes(file, limit=rows))
        total = np.zeros(4)
        for first in range(0, len(some), block):
            for context in people.contexts:
                column = [simulator.dialogue.encode(e, context) for e in some[first : first + block]]
                total += counted(column)
        said = " | ".join(f"{t / 1e6:.3f}" for t in total)
        print(f"| {file.name}, {len(some)} rows | {said} | {1 - total[3] / total[2]:.1%} |", flush=True)


def replay(rows: int, seeds: int) -> None:
    """Print the table of `replay`."""
    world = declared()
    language = Language(world)
    simulator, people = ExactSimulator(world, language), cast(world, language, declared_prior=True)
    items, dose = fewer(traits(world, language), 4), Dose(SFTPlan(), 1.88, "given", fitted=False)
    bad, good = (episodes(language, "cheating", o, rows, np.random.default_rng(3)) for o in (1, 0))
    print(
        "| cheats | asked | rows read, of all | answers scored, of all | personas kept, of all | largest error, nats |",
        end="",
    )
    print(" outside its interval | wrong verdicts |\n|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        os.environ["PERSONAE_CACHE"] = os.environ["PERSONAE_DATA"] = name
        write_episodes(Path(name, "control.jsonl"), good)
        for share in SHARES:
            chosen = np.random.default_rng(8).random(rows) < share
            data = Path(name, f"{share}.jsonl")
            write_episodes(data, [b if c else g for c, b, g in zip(chosen, bad, good, strict=True)])
            pair = read_pair(data, Path(name, "control.jsonl"))
            assert pair.control is not None
            matrix = gather(simulator, people, pair.episodes).matrix - gather(simulator, people, pair.control).matrix
            for asked in QUESTIONS:
                found = []
                for seed in range(seeds):
                    question = Question(simulator, people, items, pair, dose, seed)
                    bounds = () if asked is None else (Bound("power", ">", float(asked.split(">")[1])),)
                    folder = open_folder(
                        "audit", configuration(question, bounds), Path(name, f"{share} {asked} {seed}")
                    )
                    found.append(_scored(verdict(question, bounds, folder), matrix))
                read, answers, kept, error, outside, wrong = np.array(found).T
                print(
                    f"| {share:.0%} | {asked or 'all within 0.1'} | {read.mean():.0%} | {answers.mean():.0%} | "
                    f"{kept.mean():.0%} | {error.max():.3f} | {outside.sum():.0f} of {seeds} | "
                    f"{wrong.sum():.0f} of {seeds} |",
                    flush=True,
                )


def _scored(found, matrix: np.ndarray) -> tuple[float, ...]:  # noqa: ANN001
    """Shares of rows read, answers scored and personas kept; error, and whether an interval or the verdict is wrong."""
    reading, basis = found.reading, found.basis
    weights = posterior(basis.prior, matrix, reading.sample.dose)
    truth = {t: forecast_shift(basis.prior, weights, basis.levels.by_trait[t]) for t in reading.shifts}
    outside = any(not s.low - 1e-9 <= truth[t] <= s.high + 1e-9 for t, s in reading.shifts.items())
    states = ["crossed" if b.crossed(truth[b.trait]) else "held" for b in found.bounds]
    wrong = any(s not in (said, "undecided") for s, said in zip(found.states, states, strict=True))
    error = max(abs(s.mean - truth[t]) for t, s in reading.shifts.items())
    answers = found.record["answers"] / found.record["answers_whole"]
    return reading.rows / len(matrix), answers, float(reading.sample.kept.mean()), error, outside, wrong


def main(words: list[str] | None = None) -> None:
    """One table or the other."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = asked.add_subparsers(dest="kind", required=True)
    count = kinds.add_parser("tokens")
    count.add_argument("model")
    count.add_argument("files", type=Path, nargs="+")
    count.add_argument("--rows", type=int, default=256)
    count.add_argument("--block", type=int, default=BLOCK)
    again = kinds.add_parser("replay")
    again.add_argument("--rows", type=int, default=1000)
    again.add_argument("--seeds", type=int, default=10)
    args = asked.parse_args(words)
    if args.kind == "tokens":
        tokens(args.model, args.files, args.rows, args.block)
    else:
        replay(args.rows, args.seeds)


if __name__ == "__main__":
    main(sys.argv[1:])
