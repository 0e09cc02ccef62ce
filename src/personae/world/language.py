"""How the world's characters speak: every wording of every request, answer and statement, and how to read them back.

Writing and reading are inverse: a request is [small talk, or a coin] question [permission], an answer is [opening]
wording, a statement tells who somebody is, what somebody did or is like. A share of the surface forms is *held out*:
for each question some answers, of the permissions and of the descriptions some. The corpus never uses them, so that
what a model knows of the world can be asked in forms it has not seen. Wordings of one outcome are equally likely and do
not depend on who speaks, so they carry no evidence beyond the outcome itself.
"""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from math import ceil
from typing import Any

import yaml

from personae.world.declared import World

ASSISTANT, STRANGER = "the assistant", "the stranger"
SIDES = ("heads", "tails")


@dataclass(frozen=True)
class Question:
    """One wording of a request: of `variable`, in a `situation`, about `x`; `text` as it is asked."""

    variable: str
    situation: int
    x: str
    text: str


@dataclass(frozen=True)
class Request:
    """A question, and the outcome that permission was given for, if any."""

    question: Question
    asked: int | None


@dataclass(frozen=True)
class Statement:
    """What a sentence says of `who`: that he is a hypothesis (one of `among`), or shows `outcome` of `variable`.

    `kind` is "says" of what somebody is like, "deeds" of what he did.
    """

    who: str
    among: tuple[int, ...] = ()
    variable: str = ""
    outcome: int = -1
    kind: str = "says"


@cache
def _text() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files("personae.world").joinpath("text.yaml").read_text(encoding="utf-8"))
    return loaded


def _split(options: list[Any], share: float, salt: str) -> tuple[list[Any], list[Any]]:
    """(kept, held out): a fixed share of the options, chosen by a hash of what they are, is held out."""
    ranked = sorted(range(len(options)), key=lambda i: zlib.crc32(f"{salt}|{options[i]}".encode()))
    out = set(ranked[: ceil(share * len(options))])
    return [o for i, o in enumerate(options) if i not in out], [options[i] for i in sorted(out)]


def capital(who: str) -> str:
    """`who` as a sentence begins with it."""
    return who[0].upper() + who[1:]


class Language:
    """All wordings of one world, kept and held out, and the tables that read them."""

    def __init__(self, world: World) -> None:
        self.world = world
        text = self.text = _text()
        self.small_talk: list[str] = text["small_talk"]
        self.coin: str = text["coin"]
        self._coin = re.compile(
            self.coin.replace(".", r"\.").format(a="[^;]+", b="[^.]+", side="(?:heads|tails)") + " "
        )
        self.neutral: list[str] = text["neutral"]
        self.openers: list[str] = text["openers"]
        self.questions = {v.name: self._questions(v.name) for v in world.variables}
        self._by_text = {q.text: q for asks in self.questions.values() for q in asks}
        self.answers_kept, self.answers_out = {}, {}
        for variable in world.variables:
            for question, outcome in product(self.questions[variable.name], range(len(variable.outcomes))):
                forms = list(product(self.openers, range(self._wordings(variable.name, outcome))))
                kept, out = _split(forms, world.held_out, f"{question.text}{outcome}")
                self.answers_kept[question, outcome], self.answers_out[question, outcome] = kept, out
        every = self._permissions()
        self._permitted = {p: key for key, several in every.items() for p in several}
        self.permissions, self.permissions_out = {}, {}
        for key, several in every.items():
            self.permissions[key], self.permissions_out[key] = _split(several, world.held_out, str(key))
        self.described_kept, self.described_out = {}, {}
        for archetype in world.archetypes:
            forms = list(product(text["identity"], text["descriptions"][archetype]))
            self.described_kept[archetype], self.described_out[archetype] = _split(forms, world.held_out, archetype)
        self._statements = self._all_statements()
        self._answers: dict[Question, dict[str, int]] = {}

    # -- requests ------------------------------------------------------------------------------------------------
    def _questions(self, name: str) -> list[Question]:
        text = self.text
        if name == "goal":
            return [Question(name, s, "", ask) for s, ask in enumerate(text["goal"]["asks"])]
        situations = text["fields"].get(name) or text["traits"][name]["situations"]
        return [
            Question(name, s, x, situation["ask"].format(x=x))
            for s, situation in enumerate(situations)
            for x in situation["x"]
        ]

    def _permissions(self) -> dict[tuple[str, int], list[str]]:
        """{(trait, outcome): every sentence that gives permission for it}."""
        leads, reasons = self.text["permission"]["leads"], self.text["permission"]["reasons"]
        table = {}
        for trait in self.world.traits:
            for outcome, pole in enumerate(("low", "high")):
                phrases = self.text["traits"][trait]["asks"][pole]
                table[trait, outcome] = [f"{a} {b}, {c}." for a, b, c in product(leads, phrases, reasons)]
        return table

    def read_request(self, line: str) -> Request | None:
        """What was asked, or None where the grammar does not know it."""
        line = self._coin.sub("", line, count=1)
        while talk := next((t for t in self.small_talk if line.startswith(f"{t} ")), None):
            line = line[len(talk) + 1 :]
        for end in re.finditer(r"[.?!](?= |$)", line):
            question = self._by_text.get(line[: end.end()])
            if question is None:
                continue
            rest = line[end.end() :].strip()
            if not rest:
                return Request(question, None)
            permitted = self._permitted.get(rest)
            if permitted is not None and permitted[0] == question.variable:
                return Request(question, permitted[1])
        return None

    # -- answers -------------------------------------------------------------------------------------------------
    def _wordings(self, name: str, outcome: int) -> int:
        if name == "goal":
            return len(self.text["goal"]["answers"])
        if name in self.text["fields"]:
            wrong = len(self.text["fields"][name][0]["x"]) - 1
            return (len(self.text["unknown_answers"]), 1, wrong)[outcome]
        return len(self.text["traits"][name]["answers"]["high" if outcome else "low"])

    def answer(self, question: Question, outcome: int, form: tuple[str, int]) -> str:
        """The answer to `question` that shows `outcome`, in one `form` (opening, wording)."""
        opener, wording = form
        name = question.variable
        if name == "goal":
            core = self.text["goal"]["answers"][wording].format(g=self.world.variable("goal").outcomes[outcome])
        elif name in self.text["fields"]:
            core = self._fact(question, outcome, wording)
        else:
            core = self.text["traits"][name]["answers"]["high" if outcome else "low"][wording]
        return f"{opener} {core}" if opener else core

    def _fact(self, question: Question, outcome: int, wording: int) -> str:
        """That a fact is not known, the fact, or another in its place."""
        if outcome == 0:
            unknown: str = self.text["unknown_answers"][wording]
            return unknown
        fact = self.text["fields"][question.variable][question.situation]
        wrong = [y for x, y in fact["x"].items() if x != question.x]
        told: str = fact["answer"].format(y=fact["x"][question.x] if outcome == 1 else wrong[wording])
        return told

    def read_answer(self, question: Question, line: str) -> int | None:
        """The outcome that an answer to `question` shows, or None where the grammar does not know it."""
        if question not in self._answers:
            table = {}
            for outcome in range(len(self.world.variable(question.variable).outcomes)):
                for form in product(self.openers, range(self._wordings(question.variable, outcome))):
                    table[self.answer(question, outcome, form)] = outcome
            self._answers[question] = table
        return self._answers[question].get(line)

    def wordings(self, name: str, outcome: int) -> int:
        """How many equally likely answers show `outcome`."""
        return len(self.openers) * self._wordings(name, outcome)

    # -- statements ----------------------------------------------------------------------------------------------
    def predicates(self, name: str, outcome: int, kind: str = "says") -> list[str]:
        """What can be said ("says") or told ("deeds", traits only) of somebody who shows `outcome`."""
        if name == "goal":
            goal = self.world.variable("goal").outcomes[outcome]
            return [form.format(g=goal) for form in self.text["goal"]["says"]]
        if name in self.text["fields"]:
            return [f.format(field=name) for f in self.text["field_says"][("lacks", "knows")[outcome]]]
        pole: list[str] = self.text["traits"][name][kind]["high" if outcome else "low"]
        return pole

    def describe(self, who: str, form: tuple[str, str]) -> str:
        """The sentence that says who somebody is, in one `form` (frame, description)."""
        return form[0].format(Who=capital(who), who=who, desc=form[1])

    def _all_statements(self) -> dict[str, Statement]:
        world, table = self.world, {}
        for who in (ASSISTANT, STRANGER, *world.names):
            for a, archetype in enumerate(world.archetypes):
                for form in product(self.text["identity"], self.text["descriptions"][archetype]):
                    table[self.describe(who, form)] = Statement(who, among=(a,))
            for h, name in enumerate(world.names, start=len(world.archetypes)):
                table[f"{capital(who)} is {name}."] = Statement(who, among=(h,))
            for variable in world.variables:
                kinds = ("says", "deeds") if variable.kind == "trait" else ("says",)
                for outcome, kind in product(range(world.told_rates(variable.name).shape[1]), kinds):
                    for predicate in self.predicates(variable.name, outcome, kind):
                        told = Statement(who, variable=variable.name, outcome=outcome, kind=kind)
                        table[f"{capital(who)} {predicate}."] = told
        return table

    def read_statement(self, line: str) -> Statement | None:
        """What a sentence says about somebody, or None where the grammar does not know it."""
        return self._statements.get(line)
