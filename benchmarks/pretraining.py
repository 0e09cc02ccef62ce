"""Pretraining of the laboratory's model beside a plain Hugging Face loop in bfloat16, held to a bar.

    python benchmarks/pretraining.py --quick
    python benchmarks/pretraining.py --threads 2 --write

- ours       `personae.training.pretrain` in one process with all threads: the head on the tokens that bear loss alone,
             attention written out on a processor, numbers too small for full precision zero
- processes  the same as `personae pretrain` runs it: a process of one thread for each core, at most one a batch of the
             step (two); told beside, and not what the bar is held to
- loop       `model(input_ids, attention_mask, labels).loss.backward()` under autocast to bfloat16, which is what the
             Trainer's `bf16=True` does: one process with all threads, Hugging Face's default attention, logits at every
             position, padding included

All begin with the same weights and take the same steps: the same documents in the same batches, two of them averaged,
gradients clipped to 1, Muon and AdamW at the same rates on the same schedule. Weights and optimisers are in float32.
The loop's batches are made beforehand. It does nothing else: no compiling, no packing, no fused kernels, no second
process, no log and no checkpoints. Ours writes its log; its checkpoints come after more steps than are taken here.

The clock runs from the end of the first step to that of the last, in each way's own run, by turns. Tokens are those
that bear loss, without padding. All learn the same up to rounding: the mean loss of the last steps is told beside.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from bars import Line, board, met, spread
from markdown import table
from setting import asking, begun, parsed, put
from timing import by_turns

from personae.training.new_model import PretrainPlan, learn_vocabulary, new_model, tokenizer_of
from personae.training.pretrain import VOCABULARY, Texts, batches, optimizers_of, pretrain, rate_factor
from personae.world.documents import block_of_documents

RATIO = 1.1  # our tokens a second over the loop's, each in one process
DOCUMENTS, TOKENS = 4096, 160_000
TINY = PretrainPlan(tokens=6_000, batch_tokens=512, width=16, layers=1, heads=2, vocabulary=400)
LAST = 10  # steps whose mean loss is told
HOW = """\
The laboratory's model from its first step, with the recipe that it was made with, beside a plain Hugging Face loop
under autocast to bfloat16: the same first weights, batches, optimisers and rates, each in one process with all threads.
In several processes, of one thread each, is how `personae pretrain` runs where there are cores. Tokens are those that
bear loss (no padding); a run is timed from the end of its first step. By turns; the median of the rounds is told, and
in brackets the least and the most."""


@dataclass(frozen=True)
class Run:
    """After each step: tokens done, the loss in nats a token, and the second."""

    done: tuple[int, ...]
    losses: tuple[float, ...]
    at: tuple[float, ...]

    @property
    def speed(self) -> float:
        """Tokens a second, from the end of the first step."""
        return (self.done[-1] - self.done[0]) / (self.at[-1] - self.at[0])

    @property
    def loss(self) -> float:
        """Mean loss of the last steps, nats a token."""
        return float(np.mean(self.losses[-LAST:]))


Step = Callable[[int, int, float], None]  # done, all, loss


def noted(train: Callable[[Step], object]) -> Run:
    """What a training tells at its steps."""
    told: list[tuple[int, float, float]] = []
    train(lambda done, _, loss: told.append((done, loss, time.perf_counter())))
    return Run(*zip(*told, strict=True))


def documents(number: int, block: int, _: int) -> list[str]:
    """The first documents of a block of the declared world's corpus, so many whatever is asked for."""
    return block_of_documents("declared", 0, block, number)


def ours(texts: Texts, plan: PretrainPlan, processes: int) -> Run:
    """By the project's own pretraining."""
    with TemporaryDirectory() as folder:
        return noted(lambda on_step: pretrain(texts, plan, Path(folder), on_step, processes))


def loop(texts: Texts, plan: PretrainPlan) -> Run:
    """By a plain loop over the batches of the first block."""
    with TemporaryDirectory() as folder:
        learn_vocabulary(texts(0, 0), plan, Path(folder) / VOCABULARY)
        tokenizer = tokenizer_of(Path(folder) / VOCABULARY, plan)
    ready = list(batches(texts(0, 0), tokenizer, plan, 0))
    model = new_model(plan, tokenizer)
    model.set_attn_implementation("sdpa")  # what Hugging Face takes by itself
    model.to("cuda" if torch.cuda.is_available() else "cpu")  # where ours goes
    return noted(lambda on_step: plain(model, ready, plan, on_step))


def plain(model: Any, ready: Sequence[tuple[Any, Any]], plan: PretrainPlan, on_step: Step) -> None:  # noqa: ANN401
    """One pass over the batches, `shards` of them a step, up to the plan's tokens."""
    optimizers, done = optimizers_of(model, plan), 0
    rates = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]
    model.train()
    for first in range(0, len(ready) - plan.shards + 1, plan.shards):
        if done >= plan.tokens:
            return
        for group, rate in rates:
            group["lr"] = rate * rate_factor(done / plan.tokens, plan)
        loss = 0.0
        for ids, labels in ready[first : first + plan.shards]:
            batch = {"input_ids": ids, "attention_mask": _real(labels), "labels": labels}
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            with torch.autocast(model.device.type, dtype=torch.bfloat16):
                part = model(**batch).loss / plan.shards
            part.backward()
            loss += float(part.detach())
            done += int((labels >= 0).sum())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        on_step(done, plan.tokens, loss)


def _real(labels: Any) -> Any:  # noqa: ANN401
    """The attention mask: padding bears the label -100."""
    return (labels >= 0).long()


def compare(texts: Texts, plan: PretrainPlan, processes: int, rounds: int) -> dict[str, list[Run]]:
    """Every way by turns. Raises `RuntimeError` where they did not take the same steps."""
    ways: dict[str, Callable[[], Run]] = {"ours": partial(ours, texts, plan, 1)}
    if processes > 1:
        ways[f"ours, {processes} processes"] = partial(ours, texts, plan, processes)
    ways["loop"] = partial(loop, texts, plan)
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    noting = {name: lambda name=name: runs[name].append(ways[name]()) for name in ways}
    by_turns(torch.device("cpu"), noting, rounds, lambda: np.nan)
    if len({run.done for several in runs.values() for run in several}) > 1:
        raise RuntimeError("the ways did not read the same batches: give them more documents")
    return runs


def ratios(runs: dict[str, list[Run]], way: str) -> list[float]:
    """Tokens a second of a way over the loop's, round by round."""
    return [one.speed / other.speed for one, other in zip(runs[way], runs["loop"], strict=True)]


def judged(runs: dict[str, list[Run]]) -> list[Line]:
    """The bar."""
    found = ratios(runs, "ours")
    return [("tokens a second over the loop", spread(found), f"≥ {RATIO:g}", met(float(np.median(found)) >= RATIO))]


def section(runs: dict[str, list[Run]], plan: PretrainPlan, made: str) -> str:
    """The part of the page, in Markdown."""
    run = runs["loop"][0]
    steps = f"Every run: {len(run.done)} steps, {run.done[-1]} tokens; width {plan.width}, blocks {plan.layers}."
    head = ("way", "tokens a second", "over the loop", f"loss of the last {min(LAST, len(run.done))} steps")
    rows = [
        (way, f"{np.median([one.speed for one in several]):.0f}", spread(ratios(runs, way)),
         f"{several[0].loss:.4f} nats a token")
        for way, several in runs.items()
    ]  # fmt: skip
    return "\n\n".join(["## Pretraining", made, HOW, board(judged(runs)), table(head, rows), steps]) + "\n"


def main(words: list[str] | None = None) -> None:
    """Train, print, write."""
    asked = asking(__doc__)
    asked.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="that ours is told beside with; by default one a core",
    )
    asked.add_argument("--tokens", type=int, default=TOKENS, help="of every run")
    asked.add_argument("--rounds", type=int, default=3)
    args = parsed(asked, words)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    made = " ".join(begun(Path(__file__).stem, words, args.threads, device))
    if args.quick:
        plan, number, processes, rounds = TINY, 300, 1, 2
    else:
        plan, number, rounds = replace(PretrainPlan(), tokens=args.tokens), DOCUMENTS, args.rounds
        processes = 1 if device == "cuda" else min(args.processes, plan.shards)  # as pretraining itself takes them
    told = section(compare(partial(documents, number), plan, processes, rounds), plan, made)
    if args.write:
        put(args.write, "pretraining", told)
    print(told)


if __name__ == "__main__":
    main()
