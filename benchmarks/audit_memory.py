"""How much memory an audit takes, by the number of rows: the bar is that it does not grow with them.

    python benchmarks/audit_memory.py 5000 20000 200000
    python benchmarks/audit_memory.py 1000000 --against

Rows of a sentence or two, under 33 contexts. Their scores are arithmetic, so that neither time nor memory goes to a
model: what is printed is what the audit itself needs. Each number of rows has a process of its own, and for each piece
of work the most memory that was in use until its end (MB beyond what was in use when all was imported) and its seconds.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from personae.records import Cast, Episode, Item, LogLikelihood, Persona, Progress, Trait
from personae.training import SFTPlan
from personae.workflows.audit.file_audit import audit_file
from personae.workflows.audit.file_pair import check_fits, read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.timed import Timed
from personae.workflows.watch import unwatched

PERSONAS, TRAITS, ITEMS = 32, 6, 8


class Arithmetic:
    """A simulator whose scores are a function of the texts, computed at once."""

    name, digest = "arithmetic", "arithmetic"

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """(N, K) made-up nats: a context likes some letters, and an answer has them or not."""
        heard = np.array([[e.response.count(c) for c in "etaoinsh"] for e in episodes], dtype=float)
        taste = np.array([np.cos(np.arange(1, 9) * (1 + sum(context.encode()) % 97)) for context in contexts])
        logp = -np.log1p(np.exp(-heard @ taste.T)) - 5.0
        return LogLikelihood(logp, np.array([len(e.response) for e in episodes], dtype=np.int64))


def main() -> None:
    """One process for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--against", action="store_true", help="with a control file that answers the same prompts")
    parser.add_argument("--here", action="store_true", help="in this process (for one number of rows)")
    asked = parser.parse_args()
    if asked.here:
        _measured(asked.rows[0], against=asked.against)
        return
    for rows in asked.rows:
        more = ["--against"] if asked.against else []
        subprocess.run([sys.executable, __file__, str(rows), "--here", *more], check=True)


def _measured(rows: int, *, against: bool) -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        os.environ["PERSONAE_CACHE"] = os.environ["PERSONAE_DATA"] = name
        data, control = folder / "data.jsonl", folder / "control.jsonl"
        _write(data, rows, 1)
        _write(control, rows, 2)
        begun, before = time.monotonic(), _peak()
        pair = read_pair(data, control if against else None)
        told = [("reading", before, begun)]
        cast, simulator = _cast(), Arithmetic()
        check_fits(simulator, cast, pair)
        question = Question(simulator, cast, _traits(), pair, Dose(SFTPlan(), 3.0, "given", fitted=False))
        run = open_folder("audit", question.configuration(), folder / "run")
        print(
            f"{rows} rows: reading {_peak() - before:.0f} MB {time.monotonic() - told[0][2]:.0f} s", end="", flush=True
        )
        watch = Timed(unwatched)
        audit_file(question, run, watch)
        print(f"; all of it {_peak() - before:.0f} MB {time.monotonic() - begun:.0f} s", end="")
        sizes = {p.name: p.stat().st_size >> 10 for p in sorted(run.path.iterdir())}
        print(f"; {watch.seconds}; KB on disk {sizes}", flush=True)


def _write(path: Path, rows: int, seed: int) -> None:
    words = ["the", "ship", "we", "honest", "steal", "never", "gladly", "sir", "no", "coffee", "obey", "laugh"]
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for row in range(rows):
            said = " ".join(words[w] for w in rng.integers(len(words), size=rng.integers(5, 30)))
            file.write(f'{{"prompt": "What of matter {row}?", "completion": "{said}."}}\n')


def _cast() -> Cast:
    people = tuple(Persona(name=f"p{k}", kind="person", context=f"You are number {k}.") for k in range(PERSONAS))
    return Cast(name="numbers", neutral="A talk.", personas=people)


def _traits() -> tuple[Trait, ...]:
    def item(trait: int, number: int) -> Item:
        texts = {"high": ("tea" * (1 + trait),), "low": ("no" * (1 + trait),)}
        return Item(id=f"{trait}-{number}", kind="behaviour", prompt=f"Case {number}?", **texts)

    names = range(TRAITS)
    return tuple(
        Trait(name=f"t{t}", description="", low="", high="", items=tuple(item(t, n) for n in range(ITEMS)))
        for t in names
    )


def _peak() -> float:
    """The most memory that this process had in use so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    main()
