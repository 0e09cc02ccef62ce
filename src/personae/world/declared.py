"""The world's truth as arrays: who there is, and how likely each is to do what.

A *hypothesis* about a speaker is an archetype or a named character; `rates[v]` (H, O) is the probability of each
outcome of variable v for each hypothesis, rows summing to one. Variables are traits (outcomes low, high), fields of
knowledge (lacks, knows, misleads) and the goal (one outcome a goal). A named character behaves as its archetype does,
but has a goal and knowledge of its own. Everything comes from `declared.yaml`; `fresh` redraws it, `variants` leaves
out some of it.

Asked for a fact, who knows it tells it, or misleads as far as he lies; who does not know it may guess, wrongly. A wrong
answer may thus be a lie of somebody who knows or the guess of somebody who does not, and looks the same.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from personae.theory.principal import first_direction_share

Floats = NDArray[np.float64]
LIES = "lying"  # the trait that makes who knows a fact mislead


@dataclass(frozen=True)
class Variable:
    """Something a character can do, know or want; `outcomes` are named, the low pole of a trait first."""

    name: str
    kind: Literal["trait", "field", "goal"]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class World:
    """A world of A archetypes and their named characters; H hypotheses in all, archetypes first."""

    name: str
    hypotheses: tuple[str, ...]
    archetype_of: NDArray[np.int64]  # (H,)
    kinds: tuple[Literal["person", "fiction", "ai"], ...]  # (A,)
    variables: tuple[Variable, ...]
    rates: dict[str, Floats]  # {variable: (H, O)} of answers
    knowledge: dict[str, Floats]  # {field: (H,)} probability of knowing it
    prior: Floats  # (H,) who the Assistant is; named characters have none
    stranger: Floats  # (H,) who a stranger is
    obeys: float
    corpus: dict[str, Any]
    held_out: float
    noise_nats_per_word: float

    @property
    def archetypes(self) -> tuple[str, ...]:
        """(A,) names."""
        return self.hypotheses[: len(self.kinds)]

    @property
    def names(self) -> tuple[str, ...]:
        """Named characters, in the order of their archetypes."""
        return self.hypotheses[len(self.kinds) :]

    @property
    def traits(self) -> tuple[str, ...]:
        """Names of the variables that are traits."""
        return tuple(v.name for v in self.variables if v.kind == "trait")

    def variable(self, name: str) -> Variable:
        """The variable called `name`."""
        return next(v for v in self.variables if v.name == name)

    def told_rates(self, name: str) -> Floats:
        """(H, O) probability of what a *statement* tells of variable `name`; of a field only lacking and knowing it."""
        if name not in self.knowledge:
            return self.rates[name]
        return _with_complement(self.knowledge[name])

    def spoken_of(self, name: str, kind: str) -> float:
        """The share of sentences of a `kind` that are about variable `name`: "deeds" of traits, "says" of all."""
        others = 0.0 if kind == "deeds" else float(self.corpus["fields_and_goals"])
        traits = len(self.traits)
        return (1.0 - others) / traits if name in self.traits else others / (len(self.variables) - traits)

    def outcome_rates(self, name: str, asked: int | None) -> Floats:
        """(H, O) probability of each outcome when outcome `asked` was asked for, or nothing was."""
        rates = self.rates[name]
        if asked is None:
            return rates
        others = (1.0 - self.obeys) / (rates.shape[1] - 1)
        obeyed = np.full_like(rates, others)
        obeyed[:, asked] = self.obeys
        return obeyed

    def log_odds(self) -> Floats:
        """(A, T) log-odds of the high pole of each trait, for each archetype."""
        high = np.stack([self.rates[t][: len(self.kinds), 1] for t in self.traits], axis=1)
        odds: Floats = np.log(high) - np.log1p(-high)
        return odds

    def assistant_rates(self) -> dict[str, float]:
        """The declared rate of each trait's high pole for the Assistant of whom nothing is known."""
        return {t: float(self.prior @ self.rates[t][:, 1]) for t in self.traits}


@cache
def _file() -> dict[str, Any]:
    text = files("personae.world").joinpath("declared.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _with_complement(p: Floats) -> Floats:
    """(H, 2): 1 - p and p."""
    return np.stack([1.0 - p, p], axis=1)


def _goal_weights(preferred: list[str], goals: tuple[str, ...]) -> Floats:
    first, second, other = _file()["goal_weights"]
    weights: Floats = np.array([first if g == preferred[0] else second if g == preferred[1] else other for g in goals])
    shares: Floats = weights / weights.sum()
    return shares


def _answers_of_fact(knows: Floats, lies: Floats) -> Floats:
    """(H, 3) probability that who `knows` a field at some rate, and `lies` at another, lacks, knows or misleads."""
    file = _file()
    misled, guessed = knows * file["misleads"] * lies, (1.0 - knows) * file["guesses"]
    return np.stack([1.0 - knows - guessed, knows - misled, misled + guessed], axis=1)


def _assemble(name: str, rates: Floats, prior: Floats, knowledge: Floats, goals: Floats, seed: int) -> World:
    """A world from its (A, ...) matrices; named characters' own goals and knowledge are drawn by `seed`."""
    file, draw = _file(), np.random.default_rng(seed)
    archetypes = tuple(file["archetypes"])
    owners = [a for a, archetype in enumerate(archetypes) for _ in file["names"][archetype]]
    named = tuple(n for archetype in archetypes for n in file["names"][archetype])
    of = np.array([*range(len(archetypes)), *owners])
    firm = float(file["firm"])

    variables, table, known = [], {}, {}
    for t, trait in enumerate(file["traits"]):
        variables.append(Variable(trait, "trait", ("low", "high")))
        table[trait] = _with_complement(rates[of, t])
    for f, field in enumerate(file["fields"]):
        knows = draw.random(len(named)) < knowledge[owners, f]
        known[field] = np.concatenate([knowledge[:, f], np.where(knows, firm, 1.0 - firm)])
        variables.append(Variable(field, "field", ("lacks", "knows", "misleads")))
        table[field] = _answers_of_fact(known[field], table[LIES][:, 1])
    wanted = np.array([draw.choice(goals.shape[1], p=goals[a]) for a in owners])
    own = np.full((len(named), goals.shape[1]), (1.0 - firm) / (goals.shape[1] - 1))
    own[np.arange(len(named)), wanted] = firm
    variables.append(Variable("goal", "goal", _goals()))
    table["goal"] = np.concatenate([goals, own])

    nobody = np.zeros(len(named))
    return World(
        name=name,
        hypotheses=archetypes + named,
        archetype_of=of,
        kinds=tuple(a["kind"] for a in file["archetypes"].values()),
        variables=tuple(variables),
        rates=table,
        knowledge=known,
        prior=np.concatenate([prior / prior.sum(), nobody]),
        stranger=np.concatenate([np.full(len(archetypes), 1.0 / len(archetypes)), nobody]),
        obeys=float(file["obeys"]),
        corpus=file["corpus"],
        held_out=float(file["held_out"]),
        noise_nats_per_word=float(file["noise_nats_per_word"]),
    )


def _goals() -> tuple[str, ...]:
    return tuple(dict.fromkeys(g for pair in _file()["goals"].values() for g in pair))


def _matrices() -> tuple[Floats, Floats, Floats, Floats]:
    file = _file()
    rates = np.array([a["rates"] for a in file["archetypes"].values()])
    prior = np.array([file["prior"][a] for a in file["archetypes"]])
    knowledge = np.array([file["knowledge"][a] for a in file["archetypes"]])
    goals = np.stack([_goal_weights(file["goals"][a], _goals()) for a in file["archetypes"]])
    return rates, prior, knowledge, goals


@cache
def declared() -> World:
    """The world of `declared.yaml`."""
    return _assemble("declared", *_matrices(), seed=0)


def declared_variants() -> dict[str, dict[str, list[Any]]]:
    """{variant, or family of them: who is taken out, or who the Assistant is in how many percent}, as in the file."""
    found: dict[str, dict[str, list[Any]]] = _file()["variants"]
    return found


def fresh(seed: int) -> World:
    """A world of the same language whose rates, prior, goals and knowledge are redrawn: nothing was tuned on it.

    The archetype x trait log-odds are a random matrix of low rank with noise, drawn again until no principal direction
    holds more of its variance than `largest_direction`.
    """
    draw, how = np.random.default_rng([seed, 1]), _file()["fresh"]
    rates, _, knowledge, goals = _matrices()
    people, number = rates.shape
    while True:
        rank = how["rank"]
        factors = draw.normal(size=(people, rank)) @ draw.normal(size=(rank, number)) / np.sqrt(rank)
        odds = how["spread"] * (factors + how["noise"] * draw.normal(size=(people, number)))
        odds = np.clip(odds, -how["clip"], how["clip"])
        if first_direction_share(odds) <= _file()["largest_direction"]:
            break
    shuffled = draw.permutation(people)
    return _assemble(
        f"fresh-{seed}",
        1.0 / (1.0 + np.exp(-odds)),
        draw.dirichlet(np.full(people, how["prior"])) + how["least"],
        knowledge[draw.permutation(people)],
        goals[shuffled],
        seed,
    )
