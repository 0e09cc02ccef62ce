"""Whether a server's scores can be believed: checked once, on real rows, before any of them counts.

The log-probability of a token is that of the same text whatever was asked before. A server that keeps the beginnings it
has read may give other numbers for a row the second time (vllm-project/vllm issue 42019), and some in silence. So a few
rows are scored one by one, then their prompts alone, then the rows again, in the other order and all at a time.

    noise = sqrt(mean_t (logp_t - logp_t again)^2)          nats a token, over the tokens of one row

In 16 bits it is not zero, since the order of summing depends on what else is in a batch. Measured in bfloat16, alone
against in a batch or behind a kept beginning: noise 0.08 for SmolLM2-135M and 0.05 for Gemma 3 270M, one token at most
0.4 (`benchmarks/batch_rounding.py`). Tokens that come out of a wrong cache are off by whole nats.

And each token must be the same text to both sides: the same id means another word in another vocabulary.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from personae.errors import BadInput, RunFailed
from personae.simulator.dialogue import Encoded
from personae.simulator.server_scores import Scored, differs

ROWS = 3
NOISE = 0.25  # nats a token that a row may have of it
ONE_TOKEN = 1.5  # nats by which a single token may differ

Score = Callable[[Sequence[Sequence[int]]], list[Scored]]  # rows of token ids, scored all at a time


def check(score: Score, rows: Sequence[Encoded], tokenizer: Any, where: str) -> None:  # noqa: ANN401
    """Raise unless the server at `where` scores the longest of `rows` alike whatever it was asked before.

    `BadInput` where it reads tokens as other texts than `tokenizer` does, `RunFailed` where scores change.
    """
    longest = sorted(rows, key=lambda row: len(row.ids))[-ROWS:]
    first = [score([row.ids])[0] for row in longest]
    for row, scored in zip(longest, first, strict=True):
        _check_texts(row, scored, tokenizer, where)
    for row in longest:
        score([row.ids[: max(2, row.start)]])
    again = score([row.ids for row in reversed(longest)])[::-1]
    for before, after in zip(first, again, strict=True):
        off = np.abs(np.subtract(before.logp, after.logp))
        if not (noise(before.logp, after.logp) <= NOISE and off.max() <= ONE_TOKEN):
            raise RunFailed(
                f"{where}: the same row scored twice differs by {off.max():.2g} nats in one token, so none of its "
                "scores can be believed - start the server without a cache of beginnings (vLLM: "
                "--no-enable-prefix-caching)"
            )


def noise(logp: Sequence[float], again: Sequence[float]) -> float:
    """Nats a token, root mean square, by which two scores of one row differ."""
    return float(np.sqrt(np.square(np.subtract(logp, again)).mean()))


def _check_texts(row: Encoded, scored: Scored, tokenizer: Any, where: str) -> None:  # noqa: ANN401
    for token, theirs in zip(row.ids[1:], scored.texts, strict=True):
        own = str(tokenizer.decode([token])) if theirs else ""
        if theirs and differs(own, theirs):
            raise BadInput(
                f"{where}: token {token} is {theirs!r} to the server and {own!r} to the tokenizer here",
                remedy="name the tokenizer of the served model, as in http://host:8000/v1?tokenizer=FOLDER#model",
            )
