"""Mean states of answers beside the loop of persona_vectors, in bfloat16 on two shapes, held to a bar.

    python benchmarks/activations.py --quick
    python benchmarks/activations.py --threads 2 --write

    mean[n, l] = output of block l, averaged over the response tokens of row n

- ours   `personae.interpret.states.mean_states`: batches of like length, no head, means in float32
- loop   what `get_hidden_p_and_r` in `generate_vec.py` of github.com/safety-research/persona_vectors does: one row
         after another through the whole model with `output_hidden_states=True`, recording what gradients would need,
         and a mean in the model's own type for every layer
- bare   the same loop, recording nothing

Both loops leave out what is made there besides: the embedding, the means over prompts, the last token of each prompt.
All read the same token ids with the same model in memory, by turns. Batches, no head, and numbers too small for full
precision taken as zero are all that makes ours sooner than the bare loop: a beginning that rows share is read again by
every one of them.

The loops' last layer stands behind the model's final norm and ours before it, so that one is not compared. A distance
is |a - b| / |b| of a vector, root mean square over rows and layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from bars import Line, board, met, rms, spread
from markdown import table
from peers import Way
from setting import asking, begun, parsed, put
from shapes import Subject, of_shape
from timing import by_turns, timed

from personae.interpret.states import mean_states
from personae.records.results import Floats
from personae.simulator.local import LocalSimulator

ROWS = {"tiny": (2, 2), "S": (32, 8), "M": (8, 4)}  # episodes, personas
RATIO = 1.25  # on every shape, the loop's seconds over ours
OFF = 0.01  # the most that ours may be from the loop; numbers in bfloat16 are 0.004 to 0.008 apart
HOW = """\
Hidden states of every block, averaged over the tokens of an answer, in bfloat16: ours in batches of like length and
without the head, beside the loop of persona_vectors, one row after another through the whole model, which records what
gradients would need; bare, it does not. The same token ids and the same model in memory, by turns; the median of the
rounds, and in brackets the least and the most. A ratio is the loop's time over ours. The shapes are those of the
evidence engine."""
READING = """\
A distance is the length of the difference of two vectors over that of the second, root mean square over rows and
layers, without the last layer, which the loop takes behind the final norm. Truth is the bare loop in float32."""


@dataclass(frozen=True)
class Compared:
    """One shape: seconds of each way by rounds, the distance of ours to the loop, and of both (`off`) to the truth."""

    name: str
    rows: int
    tokens: int
    seconds: dict[str, list[float]]
    apart: float
    off: dict[str, float]

    def ratios(self, way: str = "loop") -> list[float]:
        """How much sooner ours is there, round by round."""
        return [theirs / own for theirs, own in zip(self.seconds[way], self.seconds["ours"], strict=True)]


def ours(subject: Subject) -> Way:
    """(N, L, D) by the project's own function."""
    simulator = LocalSimulator.from_parts(subject.model, None, subject.name)  # rows are ids: no tokenizer is asked
    return lambda: mean_states(simulator, subject.rows)


def loop(subject: Subject, *, bare: bool = False) -> Way:
    """(N, L, D) by one row after another, the last layer behind the final norm."""

    @torch.set_grad_enabled(not bare)
    def means() -> Floats:
        found = []
        for row in subject.rows:
            ids = torch.tensor([row.ids], device=subject.model.device)
            out = subject.model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
            several = [states[0, row.start :].mean(0).detach().cpu() for states in out.hidden_states[1:]]
            found.append(torch.stack(several))
        return torch.stack(found).double().numpy()

    return means


def compare(name: str, rounds: int, device: str) -> Compared:
    """All ways by turns on one shape."""
    subject = of_shape(name, *ROWS[name], device)
    truth = loop(subject, bare=True)()
    subject.model.to(torch.bfloat16)
    some = replace(subject, table=subject.table[:1])
    for way in (ours(some), loop(some)):  # the first time, kernels are loaded
        timed(subject.model.device, way)
    ways = {"ours": ours(subject), "loop": loop(subject), "bare": loop(subject, bare=True)}
    seconds, found, _ = by_turns(subject.model.device, ways, rounds, lambda: np.nan)
    off = {way: distance(means, truth) for way, means in found.items()}
    tokens = sum(len(row.ids) for row in subject.rows)
    return Compared(name, len(subject.rows), tokens, seconds, distance(found["ours"], found["loop"]), off)


def distance(ones: Floats, others: Floats) -> float:
    """|ones - others| / |others| of the vectors (N, L, D), root mean square over all but the last layer."""
    several, beside = ones[:, :-1], others[:, :-1]
    off = np.linalg.norm(several - beside, axis=-1) / np.linalg.norm(beside, axis=-1)
    return rms(off)


def judged(found: Sequence[Compared]) -> list[Line]:
    """Every bar, one shape after another."""
    lines: list[Line] = []
    for one in found:
        held = met(float(np.median(one.ratios())) >= RATIO)
        lines.append((f"bfloat16 over the loop: {one.name}", spread(one.ratios()), f"≥ {RATIO:g}", held))
        lines.append((f"distance to the loop: {one.name}", f"{one.apart:.4f}", f"≤ {OFF:g}", met(one.apart <= OFF)))
    return lines


def section(found: Sequence[Compared], made: str) -> str:
    """The part of the page, in Markdown."""
    head = (
        "shape",
        "rows",
        "tokens",
        "ours, s",
        "loop, s",
        "bare, s",
        "loop",
        "bare",
        "ours to truth",
        "loop to truth",
    )
    parts = ["## Mean states of answers", made, HOW, board(judged(found)), table(head, map(_cells, found)), READING]
    return "\n\n".join(parts) + "\n"


def _cells(one: Compared) -> tuple[str, ...]:
    seconds = [f"{np.median(one.seconds[way]):.2f}" for way in ("ours", "loop", "bare")]
    off = [f"{one.off[way]:.4f}" for way in ("ours", "loop")]
    return one.name, str(one.rows), str(one.tokens), *seconds, spread(one.ratios()), spread(one.ratios("bare")), *off


def main(words: list[str] | None = None) -> None:
    """Compare, print, write."""
    asked = asking(__doc__)
    asked.add_argument("--shapes", nargs="+", choices=list(ROWS), default=["S", "M"])
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--device", default="cpu")
    args = parsed(asked, words)
    made = " ".join(begun(Path(__file__).stem, words, args.threads, args.device))
    shapes, rounds = (["tiny"], 2) if args.quick else (args.shapes, args.rounds)
    told = section([compare(name, rounds, args.device) for name in shapes], made)
    if args.write:
        put(args.write, "activations", told)
    print(told)


if __name__ == "__main__":
    main()
