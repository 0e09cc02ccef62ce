"""A language model behind an OpenAI-compatible server as a `Simulator`: scored and sampled there, laid out here.

The same `Dialogue` over the same tokenizer as for a local model makes the token ids, and these are what is sent, so the
response span is the local one to the token. Scores agree with those of the same weights read here as far as the
server's number type does.

A server that fails in mid-work raises `RunFailed`; what a workflow has kept by then stays.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from personae.errors import BadInput
from personae.records import Episode, LogLikelihood, Message, Progress, TokenScores
from personae.records.files import canonical
from personae.simulator import server_scores
from personae.simulator.address import SERVERS_OWN, Address, read_address
from personae.simulator.dialogue import UNBOUNDED, Dialogue, Encoded, check_room, laid_out, response_ids
from personae.simulator.pieces import pieces
from personae.simulator.server_check import check
from personae.simulator.server_http import Server, each
from personae.simulator.server_scores import DRAWN, Scored
from personae.simulator.server_seen import PROBE, met_before
from personae.simulator.server_tokenizer import digest_of, open_tokenizer

ROWS_AT_ONCE = 4096  # encoded at a time, so that memory does not grow with the number of episodes
COMPLETIONS = "/completions"
CAUTION = (
    "The model was scored by a server, in a number type of the server's own: how far that is from float32 is not "
    "known, and in 16 bits a row that is scored again may differ."
)


class ServerSimulator:
    """The model that `address` names, which `card` describes as the server does, read with `tokenizer`."""

    caution = CAUTION  # what a reader of its numbers must know
    device = SERVERS_OWN

    def __init__(self, address: Address, card: Mapping[str, Any], tokenizer: Any) -> None:  # noqa: ANN401
        self.address, self.card, self.tokenizer = address, card, tokenizer
        self.dialogue = Dialogue(tokenizer)
        self.model = str(card["id"])
        self.name = f"{address.base}#{self.model}"
        self._server = Server(address.base, address.timeout)
        self._checked = False

    @classmethod
    def connect(cls, name: str) -> "ServerSimulator":
        """The simulator that the address `name` stands for, once its server has answered."""
        address = read_address(name)
        card = served(Server(address.base, address.timeout), address)
        names = [address.tokenizer] if address.tokenizer else [str(card.get(k) or "") for k in ("root", "id", "parent")]
        return cls(address, card, open_tokenizer(names))

    @cached_property
    def digest(self) -> str:
        """sha256 over what is known of it: URL, served name and origin, form of scores, tokenizer with its template.

        The weights are not seen, so a fixed answer is scored to tell apart models that took the same name in turn.
        """
        known: dict[str, Any] = {key: self.card.get(key) for key in ("id", "root", "parent")}
        known |= {"base": self.address.base, "form": self.address.form, "tokenizer": digest_of(self.tokenizer)}
        probe = self.dialogue.encode(PROBE).ids[: self.window]
        known["met_before"] = met_before(canonical(known), self._score(probe).logp)
        return laid_out(hashlib.sha256(canonical(known).encode()).hexdigest())

    @property
    def window(self) -> int:
        """How many tokens of a row the server can read, with room for the one that it draws behind it."""
        return self._limit - DRAWN

    @property
    def _limit(self) -> int:
        said = self.card.get("max_model_len")
        if isinstance(said, int) and said > DRAWN:
            return said
        return min(int(self.tokenizer.model_max_length), UNBOUNDED)

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """(N, K) nats of every response under every context. Raises `BadInput` where one does not fit the window."""
        logp = np.full((len(episodes), len(contexts)), np.nan)
        tokens = np.zeros(len(episodes), dtype=np.int64)
        size, done = max(1, ROWS_AT_ONCE // max(1, len(contexts))), 0
        for first in range(0, len(episodes) if contexts else 0, size):
            part = episodes[first : first + size]
            rows = [self.dialogue.encode(e, context, window=self.window) for e in part for context in contexts]
            self._check(rows)
            for place, nats in each(self._response, rows, self.address.at_once):
                logp[first + place // len(contexts), place % len(contexts)] = nats
                done += 1
                if progress:
                    progress(done, logp.size)
            tokens[first : first + size] = [len(row.ids) - row.start for row in rows[:: len(contexts)]]
        return LogLikelihood(logp=logp, tokens=tokens)

    def by_token(self, episode: Episode, contexts: Sequence[str]) -> TokenScores:
        """The scores of one response by token.

        Raises `BadInput` where it is not the same tokens under all contexts.
        """
        rows = [self.dialogue.encode(episode, context, window=self.window) for context in contexts]
        ids = response_ids(rows, episode.where)
        self._check(rows)
        scored = self._scored([row.ids for row in rows])
        logp = np.array([one.logp[row.start - 1 :] for one, row in zip(scored, rows, strict=True)])
        return TokenScores(ids, tuple(pieces(self.tokenizer, rows[0].ids, rows[0].start)), logp)

    def _check(self, rows: Sequence[Encoded]) -> None:
        """The first rows of all show whether the server's scores can be believed."""
        if not self._checked:
            check(self._scored, rows, self.tokenizer, self.address.base)
            self._checked = True

    def _response(self, row: Encoded) -> float:
        """Nats of the response span; the first token of a row has no score, and is never of the response."""
        return float(sum(self._score(row.ids).logp[row.start - 1 :]))

    def _scored(self, rows: Sequence[Sequence[int]]) -> list[Scored]:
        found = dict(each(self._score, rows, self.address.at_once))
        return [found[place] for place in range(len(rows))]

    def _score(self, ids: Sequence[int]) -> Scored:
        sent = server_scores.request(self.address.form, self.model, ids)
        form, where = self.address.form, self.address.base + COMPLETIONS
        return self._server.post(COMPLETIONS, sent, lambda answer: server_scores.read(form, answer, ids, where))

    def sample(
        self,
        prompts: Sequence[tuple[Message, ...]],
        context: str = "",
        *,
        max_tokens: int = 64,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[str]:
        """One answer to each prompt, drawn from the model's own distribution; temperature 0: the likeliest token."""
        rows = [self.dialogue.prompt_ids(turns, context) for turns in prompts]
        answers = self._drawn(rows, self._stop(), max_tokens, temperature, seed)
        return [self.dialogue.spoken(answer) for answer in answers]

    def _stop(self) -> dict[str, Any]:
        """What ends an answer, as the server is told it."""
        if self.dialogue.one_line:
            return {"stop": ["\n"]}
        if self.address.form == "echo":
            return {"stop": [self.dialogue.end_of_turn.strip()]}
        return {"stop_token_ids": self.dialogue.stop_ids}

    def continuations(
        self, texts: Sequence[str], *, max_tokens: int = 64, temperature: float = 1.0, seed: int = 0
    ) -> list[str]:
        """How the model goes on with each raw text: the model as autocomplete, with no chat around it."""
        turns = [(Message(role="user", content=text),) for text in texts]
        rows = [self.dialogue.prompt_ids(turn, form="text") for turn in turns]
        return self._drawn(rows, {}, max_tokens, temperature, seed)

    def _drawn(
        self, rows: list[list[int]], stop: Mapping[str, Any], max_tokens: int, temperature: float, seed: int
    ) -> list[str]:
        """What the server goes on with after each row, every row with a seed of its own."""
        check_room(rows, max_tokens, temperature, self._limit)
        common = {"model": self.model, "max_tokens": max_tokens, "temperature": temperature, "top_p": 1.0, **stop}
        if self.address.form == "vllm":  # the model's own habits, which vLLM reads from its files, are set aside
            common |= {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
        seeds = np.random.SeedSequence(seed).generate_state(len(rows))
        jobs = [{**common, "prompt": row, "seed": int(own)} for row, own in zip(rows, seeds, strict=True)]
        answers = [""] * len(jobs)
        for place, text in each(self._drawn_once, jobs, self.address.at_once):
            answers[place] = text
        return answers

    def _drawn_once(self, job: Mapping[str, Any]) -> str:
        where = self.address.base + COMPLETIONS
        return self._server.post(COMPLETIONS, job, lambda answer: server_scores.drawn(answer, where))


def served(server: Server, address: Address) -> dict[str, Any]:
    """What the server says of the model that `address` names. Raises `BadInput` where it serves no such model."""
    said = server.get("/models", tries=2).get("data")
    cards = [card for card in said if isinstance(card, dict) and card.get("id")] if isinstance(said, list) else []
    names = [str(card["id"]) for card in cards]
    if not cards:
        raise BadInput(f"{address.base}/models: no model is served there", remedy="see that the server has one")
    if address.model in names:
        return cards[names.index(address.model)]
    if not address.model and len(cards) == 1:
        return cards[0]
    asked = f"no model {address.model!r} is served there" if address.model else "several models are served there"
    raise BadInput(f"{address.base}: {asked}", remedy=f"write {address.base}#NAME, of {', '.join(names[:8])}")
