"""Contexts in which two models of the laboratory are compared, drawn without a look at either of them.

A context is what may stand before a question (nothing, or sentences of small talk) and a question: about a trait, a
field or a goal, or a task that no document of the world has ("Say Felix twice."). The outcomes are those of the world,
in all their wordings; whatever else is said is the last one.
"""

import numpy as np

from personae.records import Message, Probe
from personae.world.declared import World
from personae.world.documents import Draw
from personae.world.language import Language, Question

BEFORE = (0.25, 0.5, 0.25)  # of contexts with none, one and two sentences of small talk
LEAVING = (
    "I am bored.",
    "This is getting dull.",
    "I may go soon.",
)  # of a user who is about to go: drawn twice as often
TASKS = 0.3  # of contexts that ask for a task
DONE, NOT_DONE = "does it", "does something like it"


def probes(world: World, language: Language, number: int, seed: int = 0) -> tuple[Probe, ...]:
    """`number` contexts, drawn by `seed`; one question in several of them is one cluster."""
    rng = np.random.default_rng([seed, 11])
    draw, found, talk = Draw(rng), [], language.small_talk
    often = np.array([2.0 if sentence in LEAVING else 1.0 for sentence in talk])
    for place in range(number):
        many = int(rng.choice(len(BEFORE), p=BEFORE))
        before = tuple(talk[i] for i in rng.choice(len(talk), size=many, replace=False, p=often / often.sum()))
        if draw.uniform() < TASKS:
            found.append(_task(f"{place:04d}", before, draw, world.names))
        else:
            variable = draw.one(world.variables).name
            found.append(_question(f"{place:04d}", before, draw.one(language.questions[variable]), world, language))
    return tuple(found)


def _question(identity: str, before: tuple[str, ...], question: Question, world: World, language: Language) -> Probe:
    forms = {
        outcome: (*language.answers_kept[question, o], *language.answers_out[question, o])
        for o, outcome in enumerate(world.variable(question.variable).outcomes)
    }
    said = {
        outcome: tuple(language.answer(question, o, form) for form in forms[outcome])
        for o, outcome in enumerate(world.variable(question.variable).outcomes)
    }
    return _probe(identity, before, question.text, said, question.variable, question.text)


def _task(identity: str, before: tuple[str, ...], draw: Draw, names: tuple[str, ...]) -> Probe:
    """A task that nobody in the world has done: to say names, in one of three ways."""
    one, other = draw.one(names), draw.one(names)
    while other == one:
        other = draw.one(names)
    kind, asked, right, wrong = draw.one(
        (
            ("twice", f"Say {one} twice.", f"{one}, {one}.", (f"{one}, {other}.", f"{other}, {one}.")),
            ("both", f"Say {one} and {other}.", f"{one}, {other}.", (f"{one}, {one}.", f"{other}, {one}.")),
            ("turned", f"Say {other} before {one}.", f"{other}, {one}.", (f"{one}, {other}.", f"{one}, {one}.")),
        )
    )
    return _probe(identity, before, asked, {DONE: (right,), NOT_DONE: wrong}, f"task: {kind}", f"{kind}/{one}")


def _probe(
    identity: str,
    before: tuple[str, ...],
    asked: str,
    outcomes: dict[str, tuple[str, ...]],
    topic: str,
    cluster: str,
) -> Probe:
    user = Message(role="user", content=" ".join((*before, asked)))
    return Probe(
        id=identity, messages=(user,), outcomes=outcomes, closed=True, topic=topic, before=before, cluster=cluster
    )
