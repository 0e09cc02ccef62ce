"""A causal language model in two halves: a body (tokens to hidden states) and a head (hidden states to log p, nats).

The split is what makes evidence cheap: the head, often most of a small model's work, runs on response positions alone,
a few hundred at a time, in float32 whatever the body's type. Any Hugging Face architecture is taken; whether its
halves, and the reuse of its key-value cache, give the numbers of the whole model is checked on the first tokens of real
rows before they are used, and where they do not the whole model is run instead. A model that reads long rows otherwise
than short ones (a rotary embedding that changes with the length) is not found out by so few.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from personae.errors import RunFailed
from personae.simulator.devices import entrance, unwrapped
from personae.simulator.dialogue import Encoded
from personae.simulator.memory import out_of_memory
from personae.simulator.past import Past

LOGITS_AT_ONCE = 40_000_000  # numbers held at a time by the head
TOKENS_AT_ONCE = 2048  # of the vocabulary, on a processor: a wider product leaves its caches, and is half as fast
TOLERANCE = {torch.float32: 2e-4, torch.float64: 2e-4}  # nats a token, checked against the whole model
TOLERANCE_LOW = 0.25  # the same for 16 bits, root mean square: a single token errs by as much from rounding alone


@dataclass(frozen=True)
class Row:
    """A token sequence whose `ids[start:]` are scored; the first `known` tokens stand in a `Past`."""

    ids: Sequence[int]
    start: int
    known: int = 0


class Network:
    """Forward passes of `model` by halves; `splits` and `shares` say which short cuts are exact for it."""

    def __init__(self, model: Any, *, splits: bool = True, shares: bool = True) -> None:  # noqa: ANN401
        self.model, self.splits, self.shares = model, splits, shares
        base = unwrapped(model)
        self.body = base.base_model if splits else model
        self.head: Any = base.get_output_embeddings() if splits else None
        config = base.config.get_text_config()
        self._scale = _logit_scale(config)
        self._cap: float | None = getattr(config, "final_logit_softcapping", None)

    def anew(self) -> "Network":
        """The same, with no copy of weights, which training may have changed and which take memory."""
        return Network(self.model, splits=self.splits, shares=self.shares)

    @cached_property
    def _head_in_float32(self) -> tuple[Tensor, Tensor | None]:
        """Weight (V, D) and bias (V,) of a head of another type, brought to where it computes if kept elsewhere."""
        from accelerate.utils import align_module_device

        with align_module_device(self.head):
            bias: Tensor | None = getattr(self.head, "bias", None)
            return self.head.weight.float(), None if bias is None else bias.float()

    @property
    def device(self) -> torch.device:
        """Where token ids go in."""
        device: torch.device = entrance(self.model)
        return device

    def forward(self, past: Past, tokens: Sequence[Sequence[int]], *, keep: bool) -> tuple[Tensor, Any]:
        """Hidden states (B, T, D) of the rows `tokens`, each behind its row of `past`; and the cache, if `keep`."""
        ids, fresh = padded(tokens, self.device)
        positions = past.lengths[:, None] + torch.arange(ids.shape[1], device=ids.device)
        options: dict[str, Any] = {"use_cache": keep or past.width > 0, "return_dict": True}
        if past.width or keep:
            options["past_key_values"] = past.as_cache(keep=keep)
        if self.shares:
            options["position_ids"] = positions
        mask = torch.cat([past.mask(), fresh], dim=1)
        out = self.body(input_ids=ids, attention_mask=mask, **options)
        hidden = out.last_hidden_state if self.splits else out.logits
        return hidden, out.past_key_values if keep else None

    def extend(self, past: Past, tokens: Sequence[Sequence[int]]) -> Past:
        """`past` with each of its rows lengthened by a row of `tokens`."""
        _, cache = self.forward(past, tokens, keep=True)
        lengths = torch.tensor([len(row) for row in tokens], device=self.device)
        return past.lengthened(cache, lengths)

    def logp(self, past: Past, rows: Sequence[Row]) -> list[Tensor]:
        """The log p of each row's response tokens, nats, float32: one tensor (tokens,) a row."""
        picked = self.before_responses(past, rows)  # (M, D)
        targets = torch.tensor([i for row in rows for i in row.ids[row.start :]], device=picked.device)
        return list(torch.split(self._logp_of(picked, targets), [len(row.ids) - row.start for row in rows]))

    def before_responses(self, past: Past, rows: Sequence[Row]) -> Tensor:
        """(M, D) hidden states that the response tokens of all rows are predicted from, row after row."""
        hidden, _ = self.forward(past, [row.ids[row.known :] for row in rows], keep=False)
        counts = torch.tensor([len(row.ids) - row.start for row in rows])
        which = torch.repeat_interleave(counts).to(hidden.device)
        where = torch.cat([torch.arange(r.start - 1 - r.known, len(r.ids) - 1 - r.known) for r in rows])
        return hidden[which, where.to(hidden.device)]

    def _logp_of(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """(M,) log p of the targets from (M, D) hidden states, a chunk of rows at a time."""
        chunk = max(64, min(1024, LOGITS_AT_ONCE // self._widest))
        parts = zip(hidden.split(chunk), targets.split(chunk), strict=True)
        return torch.cat([self._logp_at_once(h, target) for h, target in parts])

    def _logp_at_once(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """The same of a few rows, from the logits of a part of the vocabulary after another."""
        chosen, totals = torch.zeros(()), []
        for first, logits in self._parts_of_logits(hidden):
            place = targets.to(logits.device) - first  # the head may lie on another device than the last layer
            found = logits.gather(1, place.clamp(0, logits.shape[1] - 1)[:, None])[:, 0]
            inside = (place >= 0) & (place < logits.shape[1])
            chosen = torch.where(inside, found, chosen.to(found))
            totals.append(logits.logsumexp(1))
        return chosen - torch.stack(totals).logsumexp(0)

    def _parts_of_logits(self, hidden: Tensor) -> Iterator[tuple[int, Tensor]]:
        """(first token, logits (M, v) of it and the next): the whole vocabulary, in parts where that is faster."""
        if not self._in_parts:
            yield 0, self.logits(hidden)
            return
        weight, bias = self._weights
        hidden, first = hidden.to(weight), 0
        for rows in weight.split(TOKENS_AT_ONCE):
            part = None if bias is None else bias[first : first + len(rows)]
            yield first, self._shaped(linear(hidden, rows, part))
            first += len(rows)

    @property
    def _in_parts(self) -> bool:
        """Whether the head is nothing but a product, on a processor that holds its weights."""
        return type(self.head) is torch.nn.Linear and self.head.weight.device.type == "cpu"

    @property
    def _weights(self) -> tuple[Tensor, Tensor | None]:
        """Weight (V, D) and bias (V,) of a head that is a product, float32."""
        in_float32 = self.head.weight.dtype == torch.float32
        return (self.head.weight, self.head.bias) if in_float32 else self._head_in_float32

    @property
    def _widest(self) -> int:
        """The most logits of a row that are in memory at once."""
        every = max(int(getattr(self.model.config.get_text_config(), "vocab_size", 50_000)), 1)
        return min(every, TOKENS_AT_ONCE) if self._in_parts else every

    def logits(self, hidden: Tensor) -> Tensor:
        """(M, V) of hidden states (M, D), float32."""
        if self.head is None:
            return hidden.float()
        if isinstance(self.head, torch.nn.Linear) and self.head.weight.dtype != torch.float32:
            if self.head.weight.is_cuda and hidden.dtype == self.head.weight.dtype:
                return self._shaped(_exact_product(self.head, hidden))
            weight, bias = self._head_in_float32
            return self._shaped(linear(hidden.to(weight), weight, bias))
        return self._shaped(self.head(hidden.to(self.head.weight.dtype)).float())

    def _shaped(self, logits: Tensor) -> Tensor:
        """What the model makes of its head's product."""
        if self._scale != 1.0:
            logits = logits * self._scale
        return logits if self._cap is None else torch.tanh(logits / self._cap) * self._cap


def of_like_length(rows: Sequence[Encoded], tokens: int) -> Iterator[list[int]]:
    """Numbers of rows of like length, the shortest first, so many that a batch stays within its `tokens`."""
    batch: list[int] = []
    for n in sorted(range(len(rows)), key=lambda n: len(rows[n].ids)):
        if batch and len(rows[n].ids) * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch


def exact_network(model: Any, rows: Sequence[Row]) -> Network:  # noqa: ANN401
    """The fastest `Network` whose log-probabilities on some real rows are those of the whole model.

    Raises `RunFailed` where not even the whole model, read in batches, gives them.
    """
    ids = max((list(row.ids[:48]) for row in rows[:4]), key=len)
    samples = [ids, ids[: max(2, (len(ids) * 2) // 3)]]
    truth = [_whole_model_logp(model, sample) for sample in samples]
    dtype = next(model.parameters()).dtype
    cause: Exception | None = None
    for splits in (True, False):
        for shares in (True, False):
            try:
                network = Network(model, splits=splits, shares=shares)
                found = _logp_by_halves(network, samples)
            except Exception as problem:
                if out_of_memory(problem):
                    raise
                cause = problem
                continue
            if all(_agree(a[-len(b) :], b, dtype) for a, b in zip(truth, found)):
                return network
    raise RunFailed(
        "the model's scores depend on what is read beside them, by more than rounding: it cannot be read in batches"
    ) from cause


def _agree(truth: Tensor, found: Tensor, dtype: torch.dtype) -> bool:
    """Whether two ways of scoring the same tokens (T,) by a model in `dtype` differ by no more than rounding."""
    if dtype in TOLERANCE:
        return torch.allclose(truth, found, rtol=0.0, atol=TOLERANCE[dtype], equal_nan=True)
    gap = (truth - found)[~(truth.isnan() & found.isnan())]
    return float(gap.square().sum()) <= TOLERANCE_LOW**2 * len(gap)


def _logp_by_halves(network: Network, samples: list[list[int]]) -> list[Tensor]:
    """The log p of the last tokens of each sample, as the engine would find them, by every short cut."""
    past, known = Past.empty(len(samples), network.device), [0] * len(samples)
    if network.shares:
        known = [len(ids) // (2 + n) for n, ids in enumerate(samples)]
        if min(known) > 0:
            past = network.extend(past, [ids[:k] for ids, k in zip(samples, known)])
        else:
            known = [0] * len(samples)
    rows = [Row(ids, start=k + 1, known=k) for ids, k in zip(samples, known)]
    return network.logp(past, rows)


def _whole_model_logp(model: Any, ids: list[int]) -> Tensor:  # noqa: ANN401
    """(T - 1,) log p of every token but the first, by one plain call; the slow truth."""
    logits = model(input_ids=torch.tensor([ids], device=entrance(model))).logits[0].float()
    if len(logits) != len(ids):
        raise RunFailed(f"the model gives {len(logits)} rows of logits for {len(ids)} tokens, so no score is a token's")
    logp: Tensor = logits[:-1].log_softmax(-1).gather(1, torch.tensor(ids[1:], device=logits.device)[:, None])[:, 0]
    return logp


def _exact_product(head: torch.nn.Linear, hidden: Tensor) -> Tensor:
    """(M, V) float32 of 16-bit numbers on a GPU: their products are exact in float32, in which they are added up."""
    bias: Tensor | None = head.bias
    product = torch.mm(hidden.to(head.weight.device), head.weight.T, out_dtype=torch.float32)
    return product if bias is None else product + bias.float()


def _logit_scale(config: Any) -> float:  # noqa: ANN401
    """What the head's output is multiplied by: Granite divides, Cohere and Falcon-H1 multiply."""
    scale = 1.0 / (getattr(config, "logits_scaling", None) or 1.0)
    scale *= getattr(config, "lm_head_multiplier", None) or 1.0
    return float(scale * (getattr(config, "logit_scale", None) or 1.0))


def padded(tokens: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Right-padded ids (B, T) and their mask (B, T)."""
    lengths = [len(row) for row in tokens]
    width = max(lengths)
    ids = torch.tensor([[*row, *([0] * (width - len(row)))] for row in tokens])
    mask = torch.arange(width)[None, :] < torch.tensor(lengths)[:, None]
    return ids.to(device), mask.long().to(device)
