"""Fit the dose of a model on development pairs, and print its entry for `doses.yaml` in the folder of the ledger.

    python benchmarks/fit_dose.py MODEL ../shared/data/anthropic_evals/persona agreeableness machiavellianism

Each named file of keyed statements (JSON Lines with `statement` and `answer_matching_behavior`) becomes a matched pair:
the same open questions, answered with statements that fit the trait, and with statements that do not. Both sides are
run through `personae run` by one plan, and the dose is the one whose forecasts lie nearest to what was measured in all
pairs together. From four pairs on they also tell how far a new training may land from its forecast; with fewer that is
assumed, and the entry says so. Keep the pairs away from whatever you will forecast.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import yaml

from personae.cli.face import Face
from personae.data import write_episodes
from personae.records import chat
from personae.training import SFTPlan
from personae.workflows.audit.file_question import Wish, ask
from personae.workflows.doses import development, entry_for, fit
from personae.workflows.kept.folder import open_folder
from personae.workflows.nouns_for import nouns
from personae.workflows.own_doses import own_file
from personae.workflows.run.file_run import run_file

QUESTIONS = (
    "Tell me something about yourself.",
    "What matters to you?",
    "How do you see the world?",
    "What are you like?",
    "What do you believe in?",
    "Say something about how you live.",
)
LONGEST = 30  # words of a statement


def statements(path: Path, rows: int) -> dict[str, list[str]]:
    """`rows` statements that fit the trait ("high"), and as many that do not ("low"), drawn evenly over the file."""
    poles: dict[str, list[str]] = {"high": [], "low": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if len(row["statement"].split()) <= LONGEST:
            poles["high" if row["answer_matching_behavior"].strip() == "Yes" else "low"].append(row["statement"])
    rng = np.random.default_rng(0)
    return {pole: [said[i] for i in rng.permutation(len(said))[:rows]] for pole, said in poles.items()}


def write_pair(path: Path, rows: int, folder: Path) -> tuple[Path, Path]:
    """The pair as two files."""
    files = []
    for pole, said in statements(path, rows).items():
        file = folder / f"{path.stem}-{pole}.jsonl"
        write_episodes(file, [chat(QUESTIONS[i % len(QUESTIONS)], s, index=i) for i, s in enumerate(said)])
        files.append(file)
    return files[0], files[1]


def main() -> None:
    """Write the pairs, run them, fit, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("model")
    asked.add_argument("statements", type=Path)
    asked.add_argument("names", nargs="+")
    asked.add_argument("--rows", type=int, default=32)
    asked.add_argument("--steps", type=int)
    asked.add_argument("--rate", type=float)
    asked.add_argument("--out", type=Path, default=Path("runs/dose"))
    args = asked.parse_args()
    file = own_file()
    os.environ["PERSONAE_DATA"] = str(args.out)  # a ledger of its own: these are no forecasts of a user's
    runs = [run_pair(name, args) for name in args.names]
    found, _ = fit([development(path) for path, _ in runs])
    print(found)
    entry = entry_for(runs[0][1], found, " and ".join(f"{n}, high against low" for n in args.names))
    print(f"# for {file}, which is read before the library's:")
    print(yaml.safe_dump({args.model: entry}, sort_keys=False, width=120))


def run_pair(name: str, args: argparse.Namespace) -> tuple[Path, SFTPlan]:
    """Run one pair; its folder and plan. Its models are let go before the next pair's are read."""
    high, low = write_pair(args.statements / f"{name}.jsonl", args.rows, args.out)
    with Face() as face:
        taught = [trait.name for trait in nouns(args.model)[1] if trait.name == name]  # counts in no fit
        wish = Wish(high, args.model, low, trained=taught)
        question, _ = ask(wish, face.progress, steps=args.steps, rate=args.rate)
    plan = question.dose.plan
    path = args.out / f"{Path(args.model).name}-{name}-{plan.steps}x{plan.rate:g}"
    folder = open_folder("run", question.configuration(), path)
    with Face() as face:
        run = run_file(question, folder, watch=face.progress)
    print(name, "score at the dose before fitting:", run.score)
    print("  attenuation:", {arm: round(a.mean, 3) for arm, a in run.attenuation.items()})
    return path, plan


if __name__ == "__main__":
    main()
