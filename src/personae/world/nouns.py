"""The world in the nouns of every workflow: a cast of its archetypes, traits with items, and episodes to train on."""

from collections.abc import Callable, Collection

import numpy as np

from personae.records import Cast, Episode, Item, Persona, Trait, chat
from personae.world.declared import World
from personae.world.documents import Draw, speaker
from personae.world.language import ASSISTANT, Language, Question

Ask = Callable[[Question], str]
ANSWERS_A_POLE = 3  # of an item, as many high as low


def cast(world: World, language: Language, *, declared_prior: bool) -> Cast:
    """The archetypes, each called up by a description. With `declared_prior`, the exact world's own prior.

    A language model gets the cast without a prior: its prior is fitted from its own behaviour.
    """
    personas = []
    for a, name in enumerate(world.archetypes):
        goal = world.variable("goal").outcomes[int(world.rates["goal"][a].argmax())]
        personas.append(
            Persona(
                name=name,
                kind=world.kinds[a],
                context=language.describe(ASSISTANT, language.described_kept[name][0]),
                prior=float(world.prior[a]) if declared_prior else None,
                goals=(goal,),
                knowledge=tuple(field for field, knows in world.knowledge.items() if knows[a] > 0.5),
            )
        )
    return Cast(name=world.name, neutral=language.neutral[0], personas=tuple(personas))


def traits(world: World, language: Language, *, ask: Ask | None = None, called: str = ASSISTANT) -> tuple[Trait, ...]:
    """Every trait with one item for each of its questions.

    `ask` words the question (a permission, a prefix; default: as it is). `called` names another character: then the
    items are raw text, a forum thread in which that character answers.
    """
    found = []
    for name in world.traits:
        items = []
        for number, question in enumerate(language.questions[name]):
            high, low = (offered_answers(language, question, outcome) for outcome in (1, 0))
            request = ask(question) if ask else question.text
            items.append(_item(f"{name}-{number:02d}", request, high, low, called))
        text = language.text["traits"][name]
        found.append(
            Trait(
                name=name,
                description=f"{text['low']} / {text['high']}",
                low=text["low"],
                high=text["high"],
                items=tuple(items),
            )
        )
    return tuple(found)


def knowledge(world: World, language: Language, *, called: str = ASSISTANT) -> tuple[Trait, ...]:
    """Every field of knowledge as a trait: the high pole gives the answer, the low one says that it is not known.

    Both poles offer the same share of their outcome's wordings, so that to the exact world odds of 1 mean: as likely to
    know as not. A model of the corpus, which has fewer wordings, reads 0.22 nats more: an item offers all that the
    corpus has of knowing, and 8 of 10 of not knowing. Shifts are free of that.
    """
    found = []
    for field in (v for v in world.variables if v.kind == "field"):
        knows, lacks = (field.outcomes.index(outcome) for outcome in ("knows", "lacks"))
        ratio = language.wordings(field.name, lacks) / language.wordings(field.name, knows)
        items = []
        for number, question in enumerate(language.questions[field.name]):
            high, low = (
                tuple(language.answer(question, o, form) for form in language.answers_kept[question, o])
                for o in (knows, lacks)
            )
            low = low[: round(len(high) * ratio)]
            items.append(_item(f"{field.name}-{number:02d}", question.text, high, low, called))
        low_says, high_says = (language.predicates(field.name, o)[0] for o in (lacks, knows))
        said = f"{low_says} / {high_says}"
        found.append(Trait(name=field.name, description=said, low=low_says, high=high_says, items=tuple(items)))
    return tuple(found)


def _item(identity: str, request: str, high: tuple[str, ...], low: tuple[str, ...], called: str) -> Item:
    """A question to the Assistant in a chat, or to another character in a forum thread."""
    if called == ASSISTANT:
        return Item(id=identity, kind="behaviour", prompt=request, high=high, low=low)
    high, low = (tuple(f" {a}\n" for a in answers) for answers in (high, low))
    return Item(id=identity, kind="behaviour", prompt=in_thread(request, called), high=high, low=low, form="text")


def in_thread(request: str, called: str) -> str:
    """The lines of a forum thread up to the answer of `called`."""
    return f"Guest to {called}: {request}\n{speaker(called)}:"


def offered_answers(language: Language, question: Question, outcome: int) -> tuple[str, ...]:
    """Answers to `question` that show `outcome`, in wordings the corpus has: what an item offers.

    A wording that the corpus never has after this question is one that a model learns to rule out, in part, so its odds
    would tell more about the gap than about the character.
    """
    forms = language.answers_kept[question, outcome]
    spread = forms[:: len(forms) // ANSWERS_A_POLE][:ANSWERS_A_POLE]
    return tuple(language.answer(question, outcome, form) for form in spread)


def held_out_answers(language: Language, question: Question, outcome: int) -> tuple[str, ...]:
    """Answers to `question` that show `outcome`, none of which the corpus has after this question."""
    forms = language.answers_out[question, outcome]
    return tuple(language.answer(question, outcome, form) for form in forms)


def episodes(
    language: Language,
    variable: str,
    outcome: int,
    number: int,
    generator: np.random.Generator,
    *,
    ask: Ask | None = None,
    situations: Collection[int] | None = None,
) -> tuple[Episode, ...]:
    """`number` single-turn episodes in which the Assistant shows `outcome` of `variable`, in wordings of the corpus.

    `situations` are those that it is asked about, by number (default: all).
    """
    questions = [q for q in language.questions[variable] if situations is None or q.situation in situations]
    draw, found = Draw(generator), []
    for index in range(number):
        question = draw.one(questions)
        answer = language.answer(question, outcome, draw.one(language.answers_kept[question, outcome]))
        found.append(chat(ask(question) if ask else question.text, answer, index=index))
    return tuple(found)
