"""Ways to the same numbers: nats of each row's response, from the same token ids, by the same model in memory.

- ours     `personae.simulator.engine`, what `personae audit` does
- lm-eval  EleutherAI's `HFLM._loglikelihood_tokens`, with its defaults: rows in the order of length, `size` at a time,
           whole rows, whole logits. Installed by `pip install -e '.[bench]'`
- batches  the same plan in a few lines, where lm-eval is not installed; its log-softmax is in float32 always
- loop     one row after another, whole logits: the slow truth

Each is made ready first and then called, so that making ready counts for nobody.
"""

import importlib.metadata
import importlib.util
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from shapes import Subject
from torch.nn.utils.rnn import pad_sequence

from personae.simulator.dialogue import Encoded
from personae.simulator.engine import score
from personae.simulator.network import Network, Row, exact_network

Scores = NDArray[np.float64]  # (rows,) nats
Way = Callable[[], Scores]
LOGITS_BYTES = {"cuda": 16e9}  # and 4e9 elsewhere; the peer holds them twice, so larger batches are not tried


def lm_eval_version() -> str | None:
    """The version that is installed, if one is."""
    return importlib.metadata.version("lm_eval") if importlib.util.find_spec("lm_eval") else None


def ours(subject: Subject) -> Way:
    """The engine over the whole table, with the short cuts that are exact for the model."""
    with torch.inference_mode():
        exact = exact_network(subject.model, [Row(row[0].ids, row[0].start) for row in subject.table])

    def scores() -> Scores:  # a new network each time, as an audit makes one: a head in float32 is paid for
        network = Network(subject.model, splits=exact.splits, shares=exact.shares)
        return score(network, subject.table).ravel()

    return scores


def peer(model: Any, rows: Sequence[Encoded], size: int) -> Way:  # noqa: ANN401
    """lm-eval with batches of `size`, or batches like its own where it is not installed."""
    return lm_eval(model, rows, size) if lm_eval_version() else batches(model, rows, size)


def lm_eval(model: Any, rows: Sequence[Encoded], size: int) -> Way:  # noqa: ANN401
    """EleutherAI's harness on token ids that are handed to it; its tokenizer is never asked."""
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    reader = HFLM(pretrained=model, backend="causal", tokenizer=_no_words(), batch_size=size)
    requests = [(None, list(row.ids[: row.start]), list(row.ids[row.start :])) for row in rows]

    def scores() -> Scores:
        return np.array([nats for nats, _ in reader._loglikelihood_tokens(requests, disable_tqdm=True)])

    return scores


def batches(model: Any, rows: Sequence[Encoded], size: int) -> Way:  # noqa: ANN401
    """`size` rows of like length at a time, the longest first."""
    order = sorted(range(len(rows)), key=lambda n: -len(rows[n].ids))

    @torch.inference_mode()
    def scores() -> Scores:
        found = np.zeros(len(rows))
        for first in range(0, len(rows), size):
            chosen = order[first : first + size]
            ids = pad_sequence([torch.tensor(rows[n].ids) for n in chosen], batch_first=True).to(model.device)
            logp = torch.log_softmax(model(input_ids=ids).logits.float(), dim=-1)
            for i, n in enumerate(chosen):
                start, stop = rows[n].start, len(rows[n].ids)
                found[n] = float(logp[i, start - 1 : stop - 1].gather(1, ids[i, start:stop, None]).sum())
        return found

    return scores


def loop(model: Any, rows: Sequence[Encoded]) -> Way:  # noqa: ANN401
    """One row after another."""
    return batches(model, rows, 1)


def affordable(subject: Subject, sizes: Sequence[int]) -> list[int]:
    """Those sizes of a batch whose logits can be held; the smallest in any case."""
    longest, room = max(len(row.ids) for row in subject.rows), LOGITS_BYTES.get(subject.model.device.type, 4e9)
    return [size for size in sorted(sizes) if size * longest * subject.vocabulary * 4 <= room] or [min(sizes)]


def _no_words() -> Any:  # noqa: ANN401
    """A tokenizer for a reader that insists on one."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(WordLevel({"": 0}, unk_token=""))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="")
