"""How much memory an audit takes, by the number of rows: the bar is that of long files it does not grow with them.

    python benchmarks/audit_memory.py --quick
    python benchmarks/audit_memory.py 100000 1000000 --write
    python benchmarks/audit_memory.py 1000000 --against

Rows of a sentence or two, under 33 contexts. Their scores are arithmetic, so that neither time nor memory goes to a
model: what is told is what the audit itself needs. Each number of rows has a process of its own. Memory is the most
that was in use until then, MB beyond what was in use when all was imported.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from bars import Line, board, met
from kernel import status
from markdown import table

from personae.records import Cast, Episode, Item, LogLikelihood, Persona, Progress, Trait
from personae.training import SFTPlan
from personae.workflows.audit.file_audit import audit_file
from personae.workflows.audit.file_pair import check_fits, read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import GROUP

PERSONAS, TRAITS, ITEMS = 32, 6, 8
GROWTH = 60.0  # MB, the most that the longest file may take beyond the shortest, of those longer than a group
HOW = f"""\
The most memory that `audit` takes beyond what it holds when all is imported, by the number of rows, each in a process
of its own. Scores are arithmetic and no model's, so that the memory is the audit's alone. Rows have a sentence or two,
and are read under 33 contexts. An audit has up to {GROUP:,} rows in memory at a time, so it takes more until a file has
as many; the bar is for longer files. A MB is 2²⁰ bytes. The folder is what the run leaves on disk."""


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


@dataclass(frozen=True)
class Needed:
    """An audit of so many rows: the most memory until all is `read`, and until its `end`, MB; seconds; MB on disk."""

    rows: int
    read: float
    end: float
    seconds: float
    disk: float


def needed(rows: int, *, against: bool) -> Needed:
    """Found by a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--here", str(rows), *["--against"] * against]
    return Needed(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


def _here(rows: int, *, against: bool) -> Needed:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        os.environ["PERSONAE_CACHE"] = os.environ["PERSONAE_DATA"] = name
        data, control = folder / "data.jsonl", folder / "control.jsonl"
        _write(data, rows, 1)
        if against:
            _write(control, rows, 2)
        begun, before = time.monotonic(), _peak()
        pair = read_pair(data, control if against else None)
        cast, simulator = _cast(), Arithmetic()
        check_fits(simulator, cast, pair)
        question = Question(simulator, cast, _traits(), pair, Dose(SFTPlan(), 3.0, "given", fitted=False))
        run = open_folder("audit", question.configuration(), folder / "run")
        read = _peak() - before
        audit_file(question, run)
        disk = sum(file.stat().st_size for file in run.path.iterdir()) / 2**20
        return Needed(rows, read, _peak() - before, time.monotonic() - begun, disk)


def judged(found: Sequence[Needed]) -> list[Line]:
    """The bar, where two files are longer than a group."""
    long = sorted((one for one in found if one.rows > GROUP), key=lambda one: one.rows)
    if len(long) < 2:
        return []
    least, most = long[0], long[-1]
    more = most.end - least.end
    bar = f"{most.rows:,} rows beside {least.rows:,}"
    return [(bar, f"{more:+.0f} MB", f"≤ {GROWTH:.0f} MB more", met(more <= GROWTH))]


def section(found: Sequence[Needed], made: str) -> str:
    """The part of the page, in Markdown."""
    head = ("rows", "until all is read, MB", "until the end, MB", "seconds", "folder, MB")
    cells = [
        (f"{one.rows:,}", f"{one.read:.0f}", f"{one.end:.0f}", f"{one.seconds:.0f}", f"{one.disk:.0f}") for one in found
    ]
    lines = judged(found)
    parts = ["## Memory of an audit", made, HOW, *([board(lines)] if lines else []), table(head, cells)]
    return "\n\n".join(parts) + "\n"


def main(words: list[str] | None = None) -> None:
    """One process for each number of rows; print, write."""
    from setting import asking, begun, parsed, put  # with torch, which the processes that are measured do without

    asked = asking(__doc__)
    asked.add_argument("rows", type=int, nargs="*", default=[100_000, 1_000_000])
    asked.add_argument("--against", action="store_true", help="with a control file that answers the same prompts")
    args = parsed(asked, words)
    made = " ".join(begun(Path(__file__).stem, words, args.threads))
    rows = [64, 128] if args.quick else args.rows
    told = section([needed(count, against=args.against) for count in rows], made)
    if args.write:
        put(args.write, "memory of an audit", told)
    print(told)


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
    return status("VmHWM") / 2**20


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(asdict(_here(int(sys.argv[2]), against="--against" in sys.argv))))
    else:
        main()
