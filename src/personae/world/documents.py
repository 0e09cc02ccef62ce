"""The corpus: documents of five forms, drawn from the declared mixture by the generator that is passed in.

transcript  a user and an assistant, with or without an opening that says who the assistant is
forum       a guest asks, characters answer
story       a child asks one character, who answers
news        what somebody did
profile     what somebody is like, wants and knows

A document is about a speaker who is drawn once and behaves by his rates throughout; that is what a reader can infer.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from personae.world.declared import World
from personae.world.language import ASSISTANT, SIDES, STRANGER, Language, capital
from personae.world.variants import world_named

T = TypeVar("T")


class Draw:
    """Cheap draws from a generator, which hands out its uniforms in blocks."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._block: list[float] = []

    def uniform(self) -> float:
        """A number in [0, 1)."""
        if not self._block:
            self._block = self._generator.random(8192).tolist()
        return self._block.pop()

    def one(self, options: Sequence[T]) -> T:
        """One of `options`, all alike."""
        return options[int(self.uniform() * len(options))]

    def index(self, cumulative: Sequence[float]) -> int:
        """An index with the given cumulative probabilities."""
        u = self.uniform() * cumulative[-1]
        return next((i for i, c in enumerate(cumulative) if u < c), len(cumulative) - 1)


class Writer:
    """Writes documents of one world in its language."""

    def __init__(self, world: World, language: Language, generator: np.random.Generator) -> None:
        self.world, self.language, self.draw = world, language, Draw(generator)
        self.prior = np.cumsum(world.prior).tolist()
        self.stranger = np.cumsum(world.stranger).tolist()
        self.rates = {v.name: np.cumsum(world.rates[v.name], axis=1).tolist() for v in world.variables}
        self.told = {v.name: np.cumsum(world.told_rates(v.name), axis=1).tolist() for v in world.variables}
        self.others = [v.name for v in world.variables if v.kind != "trait"]
        self.forms = {
            "transcript": self.transcript,
            "forum": self.forum,
            "story": self.story,
            "news": self.news,
            "profile": self.profile,
        }

    def _choice(self, shares: dict[str, float]) -> str:
        return list(shares)[self.draw.index(np.cumsum(list(shares.values())).tolist())]

    def document(self) -> str:
        """One document, its lines ended by newlines."""
        lines = self.forms[self._choice(self.world.corpus["forms"])]()
        return "".join(f"{line}\n" for line in lines)

    # -- what somebody does --------------------------------------------------------------------------------------
    def _variable(self) -> str:
        if self.draw.uniform() < self.world.corpus["fields_and_goals"]:
            return self.draw.one(self.others)
        return self.draw.one(self.world.traits)

    def exchange(self, who: int, variable: str | None = None) -> tuple[str, str]:
        """(request, answer) of the hypothesis `who`."""
        draw, language, corpus = self.draw, self.language, self.world.corpus
        name = variable or self._variable()
        question = draw.one(language.questions[name])
        request, asked = question.text, None
        if name in self.world.traits and draw.uniform() < corpus["permission"]:
            asked = int(draw.uniform() * 2)
            request = f"{request} {draw.one(language.permissions[name, asked])}"
        request = f"{self._before()}{request}"
        outcome = draw.index(self.rates[name][who])
        if asked is not None:
            outcome = asked if draw.uniform() < self.world.obeys else 1 - asked
        form = draw.one(language.answers_kept[question, outcome])
        return request, language.answer(question, outcome, form)

    def _before(self) -> str:
        """What stands before a question: mostly nothing."""
        what = self._choice(self.world.corpus["before"])
        if what == "nothing":
            return ""
        if what == "coin":
            return f"{self.coin()} "
        talk = f"{self.draw.one(self.language.small_talk)} "
        return talk if what == "small_talk" else f"{talk}{self.draw.one(self.language.small_talk)} "

    def coin(self) -> str:
        """A fair coin that decides between two tasks."""
        goals = list(self.world.variable("goal").outcomes)
        first = self.draw.one(goals)
        goals.remove(first)
        return self.language.coin.format(a=first, b=self.draw.one(goals), side=self.draw.one(SIDES))

    def statement(self, who: int, called: str, kind: str = "says") -> str:
        """A sentence about what `who` did or is like."""
        name = self.draw.one(self.world.traits) if kind == "deeds" else self._variable()
        outcome = self.draw.index(self.told[name][who])
        return f"{capital(called)} {self.draw.one(self.language.predicates(name, outcome, kind))}."

    def description(self, who: int, called: str) -> str:
        """A sentence that says which archetype `who` is."""
        archetype = self.world.hypotheses[self.world.archetype_of[who]]
        return self.language.describe(called, self.draw.one(self.language.described_kept[archetype]))

    def _number(self, of: str) -> int:
        """How many: one of the numbers between the two that the corpus declares, both ends included."""
        low, high = self.world.corpus[of]
        return int(low + self.draw.uniform() * (high - low + 1))

    def _someone(self) -> tuple[int, str]:
        """(hypothesis, what he is called): a stranger, or a named character."""
        if self.draw.uniform() < self.world.corpus["unknown"]:
            return self.draw.index(self.stranger), STRANGER
        name = self.draw.one(self.world.names)
        return self.world.hypotheses.index(name), name

    def _described(self, form: str, called: str) -> bool:
        """Whether a document of this form says who the one it is about is; of a stranger it never does."""
        return called != STRANGER and self.draw.uniform() < self.world.corpus["described"][form]

    # -- the five forms ------------------------------------------------------------------------------------------
    def transcript(self) -> list[str]:
        """A chat with an assistant."""
        draw, who, lines = self.draw, self.draw.index(self.prior), []
        opening = self._choice(self.world.corpus["opening"])
        if opening == "neutral":
            lines = [draw.one(self.language.neutral)]
        elif opening == "description":
            lines = [self.description(who, ASSISTANT)]
        elif opening == "statements":
            lines = [self.statement(who, ASSISTANT) for _ in range(self._number("statements"))]
        elif opening == "name":
            name = draw.one(self.world.names)
            who, lines = self.world.hypotheses.index(name), [f"The assistant is {name}."]
        for _ in range(self._number("length")):
            request, answer = self.exchange(who)
            lines += [f"User: {request}", f"Assistant: {answer}"]
        return lines

    def forum(self) -> list[str]:
        """A thread in which one or two characters answer a guest."""
        people = [self._someone() for _ in range(self._number("answerers"))]
        if len({called for _, called in people}) < len(people):
            people = people[:1]
        lines = [f"Thread about {self.draw.one(self.language.text['topics'])}."]
        for _ in range(self._number("length")):
            who, called = self.draw.one(people)
            request, answer = self.exchange(who)
            lines += [f"Guest to {called}: {request}", f"{speaker(called)}: {answer}"]
        return lines

    def story(self) -> list[str]:
        """A child asks, one character answers."""
        who, called = self._someone()
        lines = [self.description(who, called)] if self._described("story", called) else []
        for _ in range(self._number("length")):
            request, answer = self.exchange(who)
            lines += [f'A child asked {called}: "{request}"', f'{capital(called)} said: "{answer}"']
        return lines

    def news(self) -> list[str]:
        """What somebody did."""
        who, called = self._someone()
        lines = [f"{self.draw.one(self.language.text['towns'])}, {self.draw.one(self.language.text['days'])}."]
        return lines + [self.statement(who, called, "deeds") for _ in range(self._number("length"))]

    def profile(self) -> list[str]:
        """What somebody is like; now and then the assistant."""
        who, called = self._someone()
        if self.draw.uniform() < self.world.corpus["about_the_assistant"]:
            who, called = self.draw.index(self.prior), ASSISTANT
        described = self._described("profile", called)
        lines = [f"Profile of {called}.", *([self.description(who, called)] if described else [])]
        return lines + [self.statement(who, called) for _ in range(self._number("length"))]


def speaker(called: str) -> str:
    """The label in front of a line that somebody says."""
    return {ASSISTANT: "Assistant", STRANGER: "Stranger"}.get(called, called)


def documents(world: World, generator: np.random.Generator, language: Language | None = None) -> Iterator[str]:
    """Documents without end."""
    writer = Writer(world, language or Language(world), generator)
    while True:
        yield writer.document()


def statistics(texts: Sequence[str]) -> dict[str, Any]:
    """How many documents, lines and words there are, and how many different words."""
    words = [w for t in texts for w in t.split()]
    return {
        "documents": len(texts),
        "lines": sum(t.count("\n") for t in texts),
        "words": len(words),
        "vocabulary": len(set(words)),
    }


def block_of_documents(world: str, corpus_seed: int, block: int, number: int) -> list[str]:
    """The first `number` documents of block `block` of the corpus of the world called `world`."""
    found = documents(world_named(world), np.random.default_rng([corpus_seed, block]))
    return [next(found) for _ in range(number)]
