"""Pretraining from scratch: a small Llama learns to continue the documents it is given.

The loss is the mean cross-entropy (nats a token) over documents, cut at the window; a document never sees another. They
are taken in blocks, ordered by length inside a block and cut into batches of about `batch_tokens`, so that little is
padding. A step averages the gradients of `shards` such batches, each in a process of its own where there are cores: on
small models two single-threaded processes do twice the work of one with two threads. Where there is a CUDA device, one
process does it all there, and rounds otherwise than a processor does. Hidden matrices are trained with Muon,
embeddings and gains with AdamW; the rate warms up, stays, and falls linearly at the end. Everything follows from the
plan's seed, and block b of the corpus from (seed, b), so a killed run goes on from its last checkpoint.

Source: Muon, K. Jordan et al. 2024 (torch.optim.Muon); warm-up, stable, decay: arXiv 2405.18392.
"""

import math
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy

from personae.errors import BadInput, PersonaeError, RunFailed, RunFolderMismatch
from personae.records.files import write_json
from personae.simulator.tiny import tiny_is_zero
from personae.training.new_model import PretrainPlan, learn_vocabulary, new_model, tokenizer_of
from personae.training.pretrain_folder import PLAN, Log, keep, read_plan, resume, save

BLOCK = 8192  # documents
CHECKPOINT_EVERY = 200  # steps
VOCABULARY = "vocabulary.json"  # in the folder of the run
GONE = "by peer"  # the connection was closed or reset: what a process is told whose fellow has ended
Texts = Callable[[int, int], Sequence[str]]  # (block, number of documents) -> documents


def batches(texts: Sequence[str], tokenizer: Any, plan: PretrainPlan, block: int) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """(ids, labels) of one block, each (rows, length); padding carries the label -100."""
    end = tokenizer.eos_token_id
    rows = [[*ids, end][: plan.window] for ids in tokenizer(list(texts))["input_ids"]]
    order = np.random.default_rng([plan.seed, block, 2])
    rows.sort(key=len)
    groups: list[list[list[int]]] = [[]]
    for row in rows:
        width = 16 * math.ceil(len(row) / 16)
        if groups[-1] and width * (len(groups[-1]) + 1) > plan.batch_tokens:
            groups.append([])
        groups[-1].append(row)
    for g in order.permutation(len(groups)):
        group = groups[g]
        length = 16 * math.ceil(max(map(len, group)) / 16)
        ids = np.full((len(group), length), end)
        labels = np.full((len(group), length), -100)
        for i, row in enumerate(group):
            ids[i, : len(row)] = labels[i, : len(row)] = row
        yield torch.from_numpy(ids), torch.from_numpy(labels)


def optimizers_of(model: Any, plan: PretrainPlan) -> list[torch.optim.Optimizer]:  # noqa: ANN401
    """Muon for the hidden matrices, AdamW for embeddings and gains, at the plan's full rates."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=plan.muon_rate, weight_decay=0.0, momentum=0.95, adjust_lr_fn="original"),
        torch.optim.AdamW(others, lr=plan.adam_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def rate_factor(done: float, plan: PretrainPlan) -> float:
    """Share of the full rate after `done` (0 to 1) of the tokens."""
    return min(1.0, done / plan.warm_up + 0.02, (1.0 - done) / plan.decay + 0.01)


def pretrain(
    texts: Texts,
    plan: PretrainPlan,
    folder: Path,
    on_step: Callable[[int, int, float], None] | None = None,
    processes: int | None = None,
    keep_at: Sequence[int] = (),
    words: Texts | None = None,
) -> Path:
    """Train to `plan.tokens` and save a Hugging Face checkpoint in `folder`; resumes. `on_step`: done, all, loss.

    The vocabulary is learned from the first block of `words` (default: of `texts`). At each number of tokens in
    `keep_at` the model as it then is is kept beside it, as `model-at-TOKENS`. `texts` must be importable where there
    are several `processes` (default: one a core, at most one a shard). Raises `RunFolderMismatch` where the folder
    holds another plan's run, `BadInput` where a model cannot be kept, a block has too few documents for a step or the
    folder's plan or state cannot be read, `RunFailed` where the loss is not a number or a process of the run is gone.
    """
    if keep_at and max(keep_at) > plan.tokens:
        raise BadInput(f"the model cannot be kept at {max(keep_at)} of {plan.tokens} tokens", remedy="name fewer")
    if (found := read_plan(folder)) not in (None, plan):
        raise RunFolderMismatch("holds a run of another plan", file=folder, remedy="name another --out, or remove it")
    if found is None:
        write_json(folder / PLAN, asdict(plan))
    learn_vocabulary((words or texts)(0, BLOCK), plan, folder / VOCABULARY)
    size = 1 if torch.cuda.is_available() else min(processes or os.cpu_count() or 1, plan.shards)
    with tempfile.TemporaryDirectory() as meeting, _others(size, texts, plan, folder, meeting):
        try:
            return _train(0, size, texts, plan, folder, meeting, on_step, sorted(keep_at))
        except RuntimeError as problem:
            if GONE not in str(problem):
                raise
            raise RunFailed(
                "another process of the run ended, for want of memory perhaps; the same command goes on from its last "
                "checkpoint"
            ) from problem


@contextmanager
def _others(size: int, texts: Texts, plan: PretrainPlan, folder: Path, meeting: str) -> Iterator[None]:
    """The other processes of a run, ended with it."""
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(target=_follow, args=(rank, size, texts, plan, folder, meeting), daemon=True)
        for rank in range(1, size)
    ]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.terminate()
            other.join()


def _follow(rank: int, size: int, texts: Texts, plan: PretrainPlan, folder: Path, meeting: str) -> None:
    """What another process than the first does: its part, and no noise where the first is interrupted or gives up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _train(rank, size, texts, plan, folder, meeting)
    except PersonaeError:
        return  # the first process says so
    except RuntimeError as problem:
        if GONE not in str(problem):
            raise


def _train(
    rank: int,
    size: int,
    texts: Texts,
    plan: PretrainPlan,
    folder: Path,
    meeting: str,
    on_step: Callable[[int, int, float], None] | None = None,
    keep_at: Sequence[int] = (),
) -> Path:
    """One process's part of the run; rank 0 keeps the log and the checkpoints."""
    with _group(rank, size, meeting), tiny_is_zero():
        return _train_in_step(rank, size, texts, plan, folder, on_step, keep_at)


@contextmanager
def _group(rank: int, size: int, meeting: str) -> Iterator[None]:
    """The processes of a run in touch with each other, one thread each; left again however the run ends."""
    if size == 1:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}/meet", rank=rank, world_size=size)
    try:
        yield
        dist.barrier()
    finally:
        dist.destroy_process_group()
        torch.set_num_threads(threads)


def _train_in_step(
    rank: int,
    size: int,
    texts: Texts,
    plan: PretrainPlan,
    folder: Path,
    on_step: Callable[[int, int, float], None] | None,
    keep_at: Sequence[int],
) -> Path:
    tokenizer = tokenizer_of(folder / VOCABULARY, plan)
    model = _placed(new_model(plan, tokenizer))
    optimizers = optimizers_of(model, plan)
    state = resume(folder / "state.pt", model, optimizers)
    log = Log(folder / "log.jsonl", state.step) if rank == 0 else None
    passed = [t for t in keep_at if t <= state.done and not (folder / f"model-at-{t}").exists()]
    if passed:
        raise BadInput(
            f"the run has passed {passed[0]} tokens already", file=folder, remedy="begin anew with another --out"
        )
    while state.done < plan.tokens:
        ready = _ready(texts, tokenizer, plan, state.block)
        while state.batch + plan.shards <= len(ready) and state.done < plan.tokens:
            shards = ready[state.batch : state.batch + plan.shards]
            loss = _step(model, optimizers, shards, rank, size, rate_factor(state.done / plan.tokens, plan))
            if not math.isfinite(loss):
                raise RunFailed(f"the loss is {loss} at step {state.step + 1}; lower the rates")
            before = state.done
            state.batch, state.step = state.batch + plan.shards, state.step + 1
            state.done += sum(int((labels >= 0).sum()) for _, labels in shards)
            if log:
                for tokens in keep_at:
                    if before < tokens <= state.done:
                        save(folder / f"model-at-{tokens}", model, tokenizer)
                log.note(state, loss)
                if state.step % CHECKPOINT_EVERY == 0:
                    keep(folder / "state.pt", model, optimizers, state)
                if on_step:
                    on_step(state.done, plan.tokens, loss)
        if state.batch + plan.shards > len(ready):
            state.block, state.batch = state.block + 1, 0
    saved = folder / "model"
    if rank == 0:
        save(saved, model, tokenizer)
    return saved


def _placed(model: Any) -> Any:  # noqa: ANN401
    """The model on the CUDA device where there is one, with the attention that is fast there."""
    if torch.cuda.is_available():
        model.set_attn_implementation("sdpa")
        model.to("cuda")
    return model


def _ready(texts: Texts, tokenizer: Any, plan: PretrainPlan, block: int) -> list[tuple[Any, Any]]:  # noqa: ANN401
    """The batches of one block. Raises `BadInput` where they are too few for a step: waiting for more may never end."""
    documents = texts(block, BLOCK)
    ready = list(batches(documents, tokenizer, plan, block)) if documents else []
    if len(ready) < plan.shards:
        raise BadInput(
            f"block {block} of the corpus makes {len(ready)} batches of {plan.batch_tokens} tokens from "
            f"{len(documents)} documents, and a step takes {plan.shards}",
            remedy="give more documents a block, or plan smaller batches or fewer shards",
        )
    return ready


def _step(
    model: Any,  # noqa: ANN401
    optimizers: list[Any],
    shards: list[tuple[Any, Any]],
    rank: int,
    size: int,
    factor: float,
) -> float:
    """One optimiser step over `shards`, of which this process takes every `size`-th; the mean loss, nats a token."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("full_rate", group["lr"])
            group["lr"] = group["full_rate"] * factor
    total = torch.zeros(1, device=model.device)
    for ids, labels in shards[rank::size]:
        loss = _loss(model, ids, labels) / len(shards)
        loss.backward()
        total += loss.detach()
    if size > 1:
        gradients = [p.grad for p in model.parameters()]
        flat = torch.cat([total, *(g.flatten() for g in gradients)])
        dist.all_reduce(flat)
        total, start = flat[:1], 1
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(total)


def _loss(model: Any, ids: Any, labels: Any) -> Any:  # noqa: ANN401
    ids, labels = ids.to(model.device), labels.to(model.device)
    with torch.autocast(ids.device.type, dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        wanted = labels[:, 1:].reshape(-1)
        counts = wanted >= 0
        logits = model.lm_head(hidden.reshape(-1, hidden.shape[-1])[counts])
    return cross_entropy(logits.float(), wanted[counts])
