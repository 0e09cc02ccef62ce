"""Log-probabilities of a prompt's tokens, asked of a completion server and read out of its answer.

A row is sent as token ids, so both sides speak of the same tokens. There are two forms, of which the user names one:

| form   | request                              | answer, in `choices[0]`                                          |
|--------|--------------------------------------|------------------------------------------------------------------|
| `vllm` | `prompt_logprobs: 1`                 | `prompt_logprobs`: null, then {token id: {`logprob`, ...}} each  |
| `echo` | `echo: true, logprobs: 1` (OpenAI's) | `logprobs.token_logprobs`: null, then a number each; `tokens`    |

Both have the server draw one token more, which is not read (some take a request for none as one without end).
Source: the completion endpoints of vLLM and of OpenAI's API.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from personae.errors import BadInput, RunFailed
from personae.simulator.address import Form
from personae.simulator.server_http import FEW_TRIES, Passing

DRAWN = 1  # tokens that the server draws behind every row
BELOW = -9998.0  # nats; JSON has no infinity, and vLLM writes -9999
ABOVE = 1e-3  # nats; a log-probability rounds to no more than this above zero
BROKEN_OFF = ("abort", "error")  # why an answer ended, in vLLM's words, where it is no whole one
MARKS = "Ġ▁ "  # what vocabularies write for the space before a word
LOG = "the server's own log may say more"


@dataclass(frozen=True)
class Scored:
    """Of a row of T tokens: `logp` (T - 1,) nats of each but the first, and `texts` (T - 1,) as the server reads them.

    A text is "" where the server says none.
    """

    logp: tuple[float, ...]
    texts: tuple[str, ...]


def request(form: Form, model: str, ids: Sequence[int]) -> dict[str, Any]:
    """What is sent to have the row `ids` scored."""
    common = {"model": model, "prompt": list(ids), "max_tokens": DRAWN, "temperature": 0}
    if form == "echo":
        return {**common, "echo": True, "logprobs": 1}
    # With a salt of its own, a row is read from no cache of beginnings, where the server knows salts.
    return {**common, "prompt_logprobs": 1, "repetition_penalty": 1.0, "cache_salt": uuid4().hex}


def read(form: Form, answer: Mapping[str, Any], ids: Sequence[int], where: str) -> Scored:
    """What `answer` says of the row `ids`. Raises `RunFailed` where it does not say it of each token of just that row.

    `BadInput` where the server does not know the form, `Passing` where it broke off, or what it says is no number or of
    another number of tokens; `where` is its URL.
    """
    choice = first_choice(answer, where)
    usage = answer.get("usage")
    read_there = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    if isinstance(read_there, int) and read_there != len(ids):
        raise RunFailed(f"{where}: the server read {read_there} tokens where {len(ids)} were sent")
    found = _echoed(choice, ids, where) if form == "echo" else _prompt_logprobs(choice, ids, where)
    for value in found.logp:
        _check(value, where)
    return found


def drawn(answer: Mapping[str, Any], where: str) -> str:
    """The text that was drawn. Raises `RunFailed` where there is none, `Passing` where the server broke off."""
    text = first_choice(answer, where).get("text")
    if not isinstance(text, str):
        raise RunFailed(f"{where}: the answer holds no text - is this an OpenAI-compatible completion server?")
    return text


def first_choice(answer: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """`choices[0]` of an answer. Raises `Passing` where the server broke off while it made it."""
    choices = answer.get("choices")
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        raise RunFailed(f"{where}: the answer holds no choices - is this an OpenAI-compatible completion server?")
    if (ended := choices[0].get("finish_reason")) in BROKEN_OFF:
        raise Passing(f"the server broke off an answer ({ended})", tries=FEW_TRIES, remedy=LOG)
    return choices[0]


def _prompt_logprobs(choice: Mapping[str, Any], ids: Sequence[int], where: str) -> Scored:
    table = choice.get("prompt_logprobs")
    if not isinstance(table, list):
        raise BadInput(
            f"{where}: the server gives no prompt_logprobs, by which vLLM scores a prompt",
            remedy="if it can echo a prompt with them, write ?form=echo into its URL; a server that only chats cannot",
        )
    _check_length(len(table), (len(ids),), len(ids))
    logp: list[Any] = []  # checked by `read`
    texts: list[str] = []
    for place, (token, entry) in enumerate(zip(ids, table, strict=True)):
        if place == 0:
            continue
        said = entry.get(str(token)) if isinstance(entry, dict) else None
        if not isinstance(said, dict):
            raise RunFailed(
                f"{where}: the log-probability of token {place}, of id {token}, is not among those that came back"
            )
        logp.append(said.get("logprob"))
        texts.append(str(said.get("decoded_token") or ""))
    return Scored(tuple(logp), tuple(texts))


def _echoed(choice: Mapping[str, Any], ids: Sequence[int], where: str) -> Scored:
    said = choice.get("logprobs")
    table = said.get("token_logprobs") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(table, list) or len(table) <= DRAWN < len(ids):
        raise BadInput(
            f"{where}: the server does not echo a prompt with its log-probabilities",
            remedy="a server that only chats cannot score; for vLLM leave ?form=echo out",
        )
    _check_length(len(table), (len(ids), len(ids) + DRAWN), len(ids))
    tokens = said.get("tokens")
    texts = tokens if isinstance(tokens, list) and len(tokens) == len(table) else [""] * len(table)
    return Scored(tuple(table[1 : len(ids)]), tuple(str(text) for text in texts[1 : len(ids)]))


def _check_length(found: int, wanted: tuple[int, ...], sent: int) -> None:
    if found not in wanted:
        said = f"log-probabilities of {found} tokens came back, where {sent} tokens were sent"
        raise Passing(said, tries=FEW_TRIES, remedy=LOG)


def _check(value: object, where: str) -> None:
    """Raise `Passing` for what is no number, `RunFailed` for one that is no log-probability."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not BELOW <= value < math.inf:
        said, remedy = f"a log-probability came back as {value!r}", "check the model's weights and number type"
        raise Passing(said, tries=FEW_TRIES, remedy=remedy)
    if value > ABOVE:
        raise RunFailed(f"{where}: a log-probability came back as {value}, above zero - have it give raw_logprobs")


def differs(own: str, servers: str) -> bool:
    """Whether the server surely reads a token as another text than the tokenizer here does.

    Only where both are plain: vocabularies write spaces, bytes and newlines each in its own way.

    >>> differs(" seal", "Ġseal"), differs(" seal", "▁key"), differs("é", "Ã©")
    (False, True, False)
    """
    a, b = own.strip(MARKS), servers.strip(MARKS)
    plain = all(text and text.isascii() and text.isprintable() for text in (a, b))
    return plain and a != b and not b.startswith("token_id:")
