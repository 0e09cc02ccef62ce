"""Exact inference over the world, behind the same protocol as a language model.

Text is read line by line. For every speaker there is a distribution over hypotheses (archetypes and named characters),
and each line that the grammar knows multiplies it by the probability of that line under each hypothesis:

    p(h | text) proportional to prior(h) * product over lines of p(line | h)

Openings count: "The assistant is a con artist ..." leaves the archetypes so described, "The assistant never cheats."
is evidence like any deed. A request with permission is answered by everyone alike, so the answer changes nothing. A
line outside the grammar changes nothing either; as a response it has one declared noise likelihood, the same for all.
The probability of an answer is that of its outcome, times one over the number of its wordings. That of a sentence about
somebody, which a profile or the news goes on with, is the same, times how often such sentences are on its subject: what
is told of somebody is as good evidence as what he does. A sentence that says who somebody is, certain for one and
impossible for others, is outside the grammar as a response.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personae.errors import BadInput
from personae.records import Episode, LogLikelihood, Message, Progress
from personae.records.files import digest, digest_code
from personae.world.declared import World
from personae.world.documents import Draw, speaker
from personae.world.language import ASSISTANT, STRANGER, Language, Request, Statement

Floats = NDArray[np.float64]


@cache
def _code() -> list[str]:
    """Digests of the code that the answers come from: what is kept of them must not outlive it."""
    return digest_code(Path(__file__).parent)


class Reading:
    """What is known after some text: log-weights of every speaker, and the request that waits for an answer."""

    def __init__(self, world: World, language: Language) -> None:
        self.world, self.language = world, language
        self.weights: dict[str, Floats] = {}
        self.request: Request | None = None
        self._speakers = {speaker(c): c for c in (ASSISTANT, STRANGER, *world.names)}

    def of(self, who: str) -> Floats:
        """(H,) log-weights of a speaker, not normalised."""
        if who not in self.weights:
            world = self.world
            if who in world.names:
                start = np.arange(len(world.hypotheses)) == world.hypotheses.index(who)
                start = start.astype(float)
            else:
                start = world.prior if who == ASSISTANT else world.stranger
            with np.errstate(divide="ignore"):
                self.weights[who] = np.log(start)
        return self.weights[who]

    def posterior(self, who: str) -> Floats:
        """(H,) p(hypothesis | everything read), of one speaker."""
        weights = np.exp(self.of(who) - self.of(who).max())
        return np.asarray(weights / weights.sum())

    def probabilities(self, who: str, request: Request) -> Floats:
        """(O,) probability of each outcome, were `who` to answer now."""
        return self.posterior(who) @ self.world.outcome_rates(request.question.variable, request.asked)

    def observe(self, who: str, request: Request, outcome: int) -> None:
        """Take an answer of `who` as evidence."""
        rates = self.world.outcome_rates(request.question.variable, request.asked)
        self.weights[who] = self.of(who) + np.log(rates[:, outcome])

    def telling(self, told: Statement) -> float:
        """Probability that the next sentence about `told.who`, of its kind, is this one."""
        rates = self.world.told_rates(told.variable)[:, told.outcome]
        topic = self.world.spoken_of(told.variable, told.kind)
        forms = len(self.language.predicates(told.variable, told.outcome, told.kind))
        return float(self.posterior(told.who) @ rates) * topic / forms

    def line(self, line: str) -> None:
        """Read one line; a line outside the grammar says nothing."""
        told = self.language.read_statement(line)
        if told is not None:
            if told.among:
                self._identify(told.who, told.among[0])
            else:
                rates = self.world.told_rates(told.variable)
                self.weights[told.who] = self.of(told.who) + np.log(rates[:, told.outcome])
            return
        asked = re.fullmatch(r'(?:User|Guest to .+?): (.+)|A child asked .+?: "(.+)"', line)
        if asked:
            self.request = self.language.read_request(asked[1] or asked[2])
            return
        said = re.fullmatch(r'(\w+): (.+)|(The stranger|\w+) said: "(.+)"', line)
        if said and self.request is not None:
            who = self.who_speaks(said[1] or said[3])
            if who is None:  # "Note: be quick." is part of the request, and not its answer
                return
            outcome = self.language.read_answer(self.request.question, said[2] or said[4])
            if outcome is not None:
                self.observe(who, self.request, outcome)
            self.request = None

    def _identify(self, who: str, hypothesis: int) -> None:
        """Somebody is told to be a hypothesis: a named character who is described stays himself."""
        if who in self.world.names:
            return
        own = np.arange(len(self.world.hypotheses)) == hypothesis
        weights = np.where(own, self.of(who), -np.inf)
        if np.isneginf(weights).all():  # a name, or a second opening that contradicts the first: the last one holds
            weights = np.where(own, 0.0, -np.inf)
        self.weights[who] = weights

    def who_speaks(self, label: str) -> str | None:
        """Whose label stands before a line."""
        return STRANGER if label == "The stranger" else self._speakers.get(label)


class ExactSimulator:
    """The declared world as a `Simulator`: exact probabilities, on which the ordinary audit is exact Bayes."""

    def __init__(self, world: World, language: Language | None = None) -> None:
        self.world, self.language = world, language or Language(world)
        self.name = f"exact-{world.name}"
        self.digest = digest(
            {
                "rates": world.rates,
                "knowledge": world.knowledge,
                "prior": world.prior,
                "names": world.hypotheses,
                "obeys": world.obeys,
                "fields_and_goals": world.corpus["fields_and_goals"],
                "noise": world.noise_nats_per_word,
                "held_out": world.held_out,
                "stranger": world.stranger,
                "text": self.language.text,
                "code": _code(),
            }
        )

    def read(self, text: str) -> Reading:
        """What follows from some text."""
        reading = Reading(self.world, self.language)
        for line in text.splitlines():
            reading.line(line.strip())
        return reading

    def posterior(self, text: str, who: str = ASSISTANT) -> dict[str, float]:
        """{hypothesis: p} of a speaker after some text; only archetypes and names with any weight."""
        weights = self.read(text).posterior(who)
        return {h: float(w) for h, w in zip(self.world.hypotheses, weights, strict=True) if w > 0.0}

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """Score every response under every context; tokens are words and the end of the turn."""
        logp = np.empty((len(episodes), len(contexts)))
        for i, episode in enumerate(episodes):
            for k, context in enumerate(contexts):
                logp[i, k] = self._score(episode, context)
            if progress:
                progress(i + 1, len(episodes))
        tokens = np.array([len(e.response.split()) + 1 for e in episodes], dtype=np.int64)
        return LogLikelihood(logp, tokens)

    def sample(
        self,
        prompts: Sequence[tuple[Message, ...]],
        context: str = "",
        *,
        max_tokens: int = 64,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[str]:
        """Draw an answer to each prompt. Raises `BadInput` for a request that the grammar does not know."""
        draw = Draw(np.random.default_rng(seed))
        answers = []
        for prompt in prompts:
            text = dialogue(prompt, context)
            reading = self.read(text)
            if reading.request is None:
                raise BadInput(f"the world has no answer to {prompt[-1].content!r}", remedy="ask one of its questions")
            p = _sharpened(reading.probabilities(ASSISTANT, reading.request), temperature)
            outcome = draw.index(np.cumsum(p).tolist())
            question = reading.request.question
            form = draw.one(self.language.answers_kept[question, outcome])
            answers.append(self.language.answer(question, outcome, form))
        return answers

    def _score(self, episode: Episode, context: str) -> float:
        response = episode.response.strip()
        if episode.form == "text":
            head = episode.prompt[0].content if episode.prompt else ""
            *before, label = (f"{context}\n{head}" if context else head).split("\n")
            reading = self.read("\n".join(before))
            told = self._told(reading, f"{label}{episode.response}".strip().split("\n"))
            if told is not None:
                return told
            if opened := re.fullmatch(r'(The stranger|\w+) said: ?"?', label):
                who = reading.who_speaks(opened[1])
                response = response.removeprefix('"').removesuffix('"')
            else:
                who = reading.who_speaks(label.strip().removesuffix(":"))
        else:
            reading, who = self.read(dialogue(episode.prompt, context)), ASSISTANT
        request = reading.request
        outcome = None if request is None else self.language.read_answer(request.question, response)
        if request is None or outcome is None or who is None:
            return -self.world.noise_nats_per_word * (len(response.split()) + 1)
        p = reading.probabilities(who, request)[outcome]
        return float(np.log(p) - np.log(self.language.wordings(request.question.variable, outcome)))

    def _told(self, reading: Reading, lines: Sequence[str]) -> float | None:
        """Nats of sentences about somebody, each read before the next; None where one of the lines is none."""
        total = 0.0
        for line in lines:
            told = self.language.read_statement(line)
            if told is None or told.among:
                return None
            total += float(np.log(reading.telling(told)))
            reading.line(line)
        return total


def _sharpened(p: Floats, temperature: float) -> Floats:
    """(O,) weights of outcomes with probabilities `p` at a temperature; at zero only the likeliest is left."""
    if temperature == 0.0:
        return np.asarray(p == p.max(), dtype=np.float64)
    weights: Floats = np.exp((np.log(p) - np.log(p.max())) / temperature)
    return weights


def dialogue(turns: Sequence[Message], context: str = "") -> str:
    """A chat laid out as the world's transcripts are: the context and any system text in lines before it."""
    lines = [context] if context else []
    for turn in turns:
        label = {"user": "User: ", "assistant": "Assistant: "}.get(turn.role, "")
        lines.append(f"{label}{turn.content}")
    return "\n".join(lines)
