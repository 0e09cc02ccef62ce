"""What a laboratory model has learned of its world, on wordings and seeds that the corpus never had.

Three figures, each against exact inference:
- the Assistant's trait rates with no context against the declared prior: mean absolute error;
- each persona's rates under its description: skill;
- the rates of all *other* traits after one and after three behaviours in context: skill.
Skill = 1 - Σ(model - exact)² / Σ(prior - exact)², the prior being the rates with no context. What is read is in forms
the corpus never had: descriptions held out, and behaviours in context that never follow their question there. The
answers that are weighed are in the corpus's own wordings. Source: PSM.md section 4.
"""

from dataclasses import dataclass

import numpy as np

from personae.measure import levels
from personae.records import Episode, Item, Message, Simulator, Trait
from personae.records.results import Floats
from personae.theory import log_sigmoid, skill
from personae.world import ExactSimulator, Language, World, cast, traits
from personae.world.documents import Writer
from personae.world.nouns import ANSWERS_A_POLE, held_out_answers, offered_answers

CONTEXTS = 300  # of each length, three traits asked in each


@dataclass(frozen=True)
class Learned:
    """How well a model knows its world; see the module for each figure."""

    prior_error: float
    described: float
    after_one: float
    after_three: float


def learned(simulator: Simulator, world: World, language: Language, generator: np.random.Generator) -> Learned:
    """Examine `simulator` on `world`."""
    exact = ExactSimulator(world, language)
    asked = traits(world, language)
    personas = cast(world, language, declared_prior=True).personas
    contexts = {"nobody": "", **{p.name: _held_out(language, p.name) for p in personas}}
    found, truth = _rates(simulator, asked, contexts), _rates(exact, asked, contexts)  # (1 + K, T)
    nobody = np.broadcast_to(truth[0], truth[1:].shape)
    one, three = (_in_context(simulator, exact, world, language, number, generator) for number in (1, 3))
    return Learned(
        prior_error=float(np.abs(found[0] - truth[0]).mean()),
        described=skill(found[1:], truth[1:], nobody),
        after_one=skill(*one),
        after_three=skill(*three),
    )


def _held_out(language: Language, archetype: str) -> str:
    return language.describe("the assistant", language.described_out[archetype][0])


def _rates(simulator: Simulator, asked: tuple[Trait, ...], contexts: dict[str, str]) -> Floats:
    """(contexts, T) rates of the high pole, the mean over the traits' items."""
    measured = levels(simulator, asked, contexts).by_trait
    return np.stack([np.exp(log_sigmoid(table)).mean(axis=1) for table in measured.values()], axis=1)


def _in_context(
    simulator: Simulator,
    exact: Simulator,
    world: World,
    language: Language,
    number: int,
    generator: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """Rates of the model, the exact rates and the prior rates, one entry a question asked after `number` behaviours."""
    writer = Writer(world, language, generator)
    prior = world.assistant_rates()
    episodes: list[Episode] = []
    expected: list[float] = []
    for _ in range(CONTEXTS):
        who = int(generator.choice(len(world.hypotheses), p=world.prior))
        shown = generator.choice(world.traits, size=number, replace=False)
        turns: list[Message] = []
        for name in shown:
            question = writer.draw.one(language.questions[name])
            outcome = writer.draw.index(writer.rates[name][who])
            answer = writer.draw.one(held_out_answers(language, question, outcome))
            turns += [
                Message(role="user", content=question.text),
                Message(role="assistant", content=answer),
            ]
        others = [t for t in world.traits if t not in shown]
        for name in generator.choice(others, size=3, replace=False):
            episodes += _question(language, str(name), turns, writer)
            expected.append(prior[str(name)])
    return _high(simulator, episodes), _high(exact, episodes), np.array(expected)


def _question(language: Language, trait: str, turns: list[Message], writer: Writer) -> list[Episode]:
    """A question about `trait` after `turns`, with its high and then its low answers."""
    question = writer.draw.one(language.questions[trait])
    high, low = (offered_answers(language, question, outcome) for outcome in (1, 0))
    item = Item(id="asked", kind="behaviour", prompt=question.text, high=high, low=low)
    return [Episode(messages=(*turns, *e.messages)) for e in item.episodes()]


def _high(simulator: Simulator, episodes: list[Episode]) -> Floats:
    """(questions,) probability of the high pole, of the two."""
    logp = simulator.log_likelihood(episodes, [""]).logp[:, 0].reshape(-1, 2, ANSWERS_A_POLE)
    poles = np.logaddexp.reduce(logp, axis=2)
    rates: Floats = np.exp(log_sigmoid(poles[:, 0] - poles[:, 1]))
    return rates
