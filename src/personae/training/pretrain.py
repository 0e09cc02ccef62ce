"""Pretraining from scratch: a small Llama learns to continue the documents it is given.

The loss is the mean cross-entropy (nats a token) over whole documents; a document never sees another. Documents are
taken in blocks, ordered by length inside a block and cut into batches of about `batch_tokens`, so that little is
padding. Hidden matrices are trained with Muon, embeddings and gains with AdamW; the rate warms up, stays, and falls
linearly over the last third. Everything follows from the plan's seed, and block b of the corpus from (seed, b), so a
killed run goes on from its last checkpoint to the same weights.

Source: Muon, K. Jordan et al. 2024 (torch.optim.Muon); warm-up, stable, decay: arXiv 2405.18392.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from personae.errors import RunFailed, RunFolderMismatch

BLOCK = 8192  # documents
CHECKPOINT_EVERY = 200  # steps
Texts = Callable[[int, int], Sequence[str]]  # (block, number of documents) -> documents


@dataclass(frozen=True)
class PretrainPlan:
    """What determines a pretraining run. `tokens` in all; rates for Muon's and AdamW's parameters."""

    tokens: int = 50_000_000
    batch_tokens: int = 8192
    width: int = 128
    layers: int = 4
    heads: int = 4
    vocabulary: int = 2048
    window: int = 512
    muon_rate: float = 0.02
    adam_rate: float = 0.003
    warm_up: float = 0.01
    decay: float = 0.4
    seed: int = 0


def new_model(plan: PretrainPlan, tokenizer: Any) -> Any:  # noqa: ANN401 - transformers is untyped
    """A `LlamaForCausalLM` with random weights, drawn by the plan's seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(plan.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=plan.width * 3,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        max_position_embeddings=plan.window,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).float()
    model.set_attn_implementation("eager")  # on a CPU, at these lengths, a fifth faster than the fused one
    return model


def fast_tokenizer(texts: Sequence[str], plan: PretrainPlan) -> Any:  # noqa: ANN401
    """The world's tokenizer as a Hugging Face fast tokenizer with the chat template."""
    from transformers import PreTrainedTokenizerFast

    from personae.world.tokenizer import CHAT_TEMPLATE, END, learn_tokenizer

    core = learn_tokenizer(texts, plan.vocabulary)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        chat_template=CHAT_TEMPLATE,
        model_max_length=plan.window,
        clean_up_tokenization_spaces=False,
    )


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


def _optimizers(model: Any, plan: PretrainPlan) -> list[torch.optim.Optimizer]:  # noqa: ANN401
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
) -> Path:
    """Train to `plan.tokens` and save a Hugging Face checkpoint in `folder`; resumes. `on_step`: tokens done, all, loss.

    Raises `RunFolderMismatch` where the folder holds another plan's run, `RunFailed` where the loss is not a number.
    """
    plan_file, state_file = folder / "plan.json", folder / "state.pt"
    if plan_file.exists() and json.loads(plan_file.read_text()) != asdict(plan):
        raise RunFolderMismatch("holds a run of another plan", file=folder, remedy="name another --out, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    plan_file.write_text(json.dumps(asdict(plan), indent=1) + "\n")
    tokenizer = fast_tokenizer(texts(0, BLOCK), plan)
    model = new_model(plan, tokenizer)
    optimizers = _optimizers(model, plan)
    block = skip = step = done = 0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        block, skip, step, done = (state[k] for k in ("block", "skip", "step", "done"))
    body = model.model
    losses: list[float] = []
    log = (folder / "log.jsonl").open("a")
    started = time.time()
    while done < plan.tokens:
        for b, (ids, labels) in enumerate(batches(texts(block, BLOCK), tokenizer, plan, block)):
            if b < skip:
                continue
            loss = _step(model, body, optimizers, ids, labels, rate_factor(done / plan.tokens, plan))
            if not math.isfinite(loss):
                raise RunFailed(f"the loss is {loss} at step {step}; lower the rates")
            losses.append(loss)
            step, done, skip = step + 1, done + int((labels >= 0).sum()), b + 1
            if on_step:
                on_step(done, plan.tokens, loss)
            if step % 50 == 0:
                mean = sum(losses[-50:]) / len(losses[-50:])
                log.write(
                    json.dumps(
                        {"step": step, "tokens": done, "loss": round(mean, 4), "seconds": round(time.time() - started)}
                    )
                    + "\n"
                )
                log.flush()
            if step % CHECKPOINT_EVERY == 0:
                _keep(state_file, model, optimizers, block=block, skip=skip, step=step, done=done)
            if done >= plan.tokens:
                break
        else:
            block, skip = block + 1, 0
    log.close()
    saved = folder / "model"
    shutil.rmtree(saved, ignore_errors=True)
    model.save_pretrained(saved)
    tokenizer.save_pretrained(saved)
    return saved


def _step(model: Any, body: Any, optimizers: list[Any], ids: Any, labels: Any, factor: float) -> float:  # noqa: ANN401
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("full_rate", group["lr"])
            group["lr"] = group["full_rate"] * factor
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = body(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        wanted = labels[:, 1:].reshape(-1)
        keep = wanted >= 0
        logits = model.lm_head(hidden.reshape(-1, hidden.shape[-1])[keep])
    loss = cross_entropy(logits.float(), wanted[keep])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def _keep(path: Path, model: Any, optimizers: list[Any], **counts: int) -> None:  # noqa: ANN401
    beside = path.with_suffix(".new")
    torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], **counts}, beside)
    beside.replace(path)
