"""Whether a server's scores can be believed: checked once, on real rows, before any of them counts.

The log-probability of a token is that of the same text whatever was asked before. A server that keeps the beginnings it
has read may give other numbers for a row the second time (vllm-project/vllm issue 42019), and some in silence. So a few
rows are scored, then their prompts alone, then the rows again in the other order; each token must come out the same.
And each token must be the same text to both sides: the same id means another word in another vocabulary.
"""

from collections.abc import Callable, Sequence
from typing import Any

from personae.errors import BadInput, RunFailed
from personae.simulator.dialogue import Encoded
from personae.simulator.server_scores import Scored, differs

ROWS = 3
SAME = 0.25  # nats a token: weights of 16 bits round to less than half of it, a wrong row is off by more


def check(score: Callable[[Sequence[int]], Scored], rows: Sequence[Encoded], tokenizer: Any, where: str) -> None:  # noqa: ANN401
    """Raise unless the server at `where` scores the longest of `rows` alike in two orders, token by token.

    `BadInput` where it reads tokens as other texts than `tokenizer` does, `RunFailed` where a token's score changes.
    """
    longest = sorted(rows, key=lambda row: len(row.ids))[-ROWS:]
    first = [score(row.ids) for row in longest]
    for row, scored in zip(longest, first, strict=True):
        _check_texts(row, scored, tokenizer, where)
    for row in longest:
        score(row.ids[: max(2, row.start)])
    for row, before in reversed(list(zip(longest, first, strict=True))):
        off = max(abs(a - b) for a, b in zip(before.logp, score(row.ids).logp, strict=True))
        if not off <= SAME:
            raise RunFailed(
                f"{where}: the same row scored twice differs by {off:.2g} nats in one token, so none of its scores can "
                "be believed - start the server without a cache of beginnings (vLLM: --no-enable-prefix-caching)"
            )


def _check_texts(row: Encoded, scored: Scored, tokenizer: Any, where: str) -> None:  # noqa: ANN401
    for token, theirs in zip(row.ids[1:], scored.texts, strict=True):
        own = str(tokenizer.decode([token])) if theirs else ""
        if theirs and differs(own, theirs):
            raise BadInput(
                f"{where}: token {token} is {theirs!r} to the server and {own!r} to the tokenizer here",
                remedy="name the tokenizer of the served model, as in http://host:8000/v1?tokenizer=FOLDER#model",
            )
