"""What is asked of a file: which file and control, on which model, with which cast, traits and dose.

Everything that can be wrong with the question is found here, before any work: first what costs nothing (files, cast,
traits, bounds, plan), then the model, then whether cast, traits and every row fit it, and the language of the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.errors import BadInput
from personae.records import Cast, Simulator, Trait
from personae.records.files import digest
from personae.simulator.address import number_type
from personae.simulator.choosing import choosing
from personae.simulator.devices import AS_USUAL, Running, check_device, check_engine
from personae.workflows.audit.bounds import Bound, read_bound
from personae.workflows.audit.file_language import LABORATORY, OTHER, check_language
from personae.workflows.audit.file_pair import LEAVE_OUT, FilePair, check_fits, read_pair
from personae.workflows.audit.file_reward import FileReward, check_prompts, check_reward
from personae.workflows.doses import Dose, check_rank, dose_for, guessed
from personae.workflows.enough import SCORED, TRAINED, check_enough, check_nouns_fit
from personae.workflows.nouns_for import nouns, reference_for, world_of

if TYPE_CHECKING:
    from personae.workflows.watch import Watch

ITEMS = 16  # of each trait, unless more are asked for: on two cores a cast is then measured in a quarter of an hour

MOST_DOSE = 1e9  # effective episodes; a dose beyond any training's, with which numbers still stay finite


@dataclass(frozen=True)
class Question:
    """What is asked: about which file (and control), on which model, with which cast, traits and dose.

    `trained` names traits that the file itself trains: they are forecast, and left out of the score. `dtype` is the
    number type that the simulator was loaded in, or says that it is the server's own. With a `reward` rows are prompts.
    """

    simulator: Simulator
    cast: Cast
    traits: tuple[Trait, ...]
    pair: FilePair
    dose: Dose
    seed: int = 0
    trained: tuple[str, ...] = ()
    note: str = ""
    dtype: str = "float32"
    reward: FileReward | None = None

    @property
    def judge(self) -> Simulator:
        """What scores the rows: the simulator, its choices where they are pairs, what a reward lets pass of it."""
        if self.reward:
            return self.reward.judge(self.simulator, self.seed)
        return choosing(self.simulator) if self.pair.choices else self.simulator

    @property
    def device(self) -> str:
        """Where the simulator computes, in words; it decides no result."""
        return str(getattr(self.simulator, "device", ""))

    def configuration(self) -> dict[str, Any]:
        """What decides the result, for the run folder."""
        return {
            "model": self.simulator.name,
            "model_digest": self.simulator.digest,
            "dtype": self.dtype,
            "data": self.pair.digests,
            "rows": len(self.pair.episodes),
            "cast": digest(self.cast),
            "traits": digest(self.traits),
            "dose": self.dose.effective,
            "doubt": self.dose.doubt,
            **({"share": self.dose.share} if self.dose.share else {}),
            "plan": self.dose.plan,
            "seed": self.seed,
            "trained": self.trained,
            **({"choices": True} if self.pair.choices else {}),
            **({"reference": True} if self.pair.reference else {}),
            **({"reward": self.reward.record()} if self.reward else {}),
        }


@dataclass(frozen=True)
class Wish:
    """The same, as a user names it.

    `skip_bad`: rows that hold no episode are left out and counted; otherwise the first of them ends the reading.
    `choices`: preference pairs are read as choices between two answers, and not as episodes of the chosen one.
    `trains`: a training follows, which takes more items of a trait. `reward`: rows are prompts, for it to judge.
    `reference`: where no control is named, what ships for the model's language stands in for one.
    """

    data: Path
    model: str
    against: Path | None = None
    cast: Path | None = None
    traits: Path | None = None
    limit: int | None = None
    dose: float | None = None
    bounds: Sequence[str] = ()
    seed: int = 0
    items: int = ITEMS
    trained: Sequence[str] = ()
    dtype: str = "float32"
    skip_bad: bool = False
    choices: bool = False
    trains: bool = False
    reward: FileReward | None = None
    reference: bool = False
    running: Running = AS_USUAL


def ask(wish: Wish, watch: "Watch", **settings: float | None) -> tuple[Question, tuple[Bound, ...]]:
    """The question, checked, with its model loaded; and the bounds on its forecast. `watch` is told of long checks.

    `settings` change the model's own plan of training (steps, batch, rate, ...).
    """
    from personae.simulator.registry import open_model

    check_device(wish.running.device)
    check_engine(wish.running.engine, wish.running.workers)
    if wish.dose is not None and wish.dose > MOST_DOSE:
        raise BadInput(f"--dose {wish.dose:g} effective episodes", remedy=f"give {MOST_DOSE:g} at most")
    said: list[str] = []
    cast, every = nouns(wish.model, wish.cast, wish.traits, said.append)
    traits = fewer(every, wish.items)
    need = TRAINED if wish.trains else SCORED
    check_enough(cast, traits, items=need, cast_file=wish.cast, traits_file=wish.traits, most=wish.items)
    pair = read_pair(
        wish.data,
        wish.against,
        wish.limit,
        skip_bad=wish.skip_bad,
        choices=wish.choices,
        prompts=wish.reward is not None,
        reference=reference_for(wish.model) if wish.reference else None,
    )
    if len(set(pair.digests.values())) < len(pair.digests):
        if pair.reference:
            raise BadInput("these are the plain answers that stand in for a control", file=wish.data, remedy=LEAVE_OUT)
        raise BadInput("the control is the file itself", file=wish.against, remedy="name another, or leave it out")
    names = [t.name for t in traits]
    bounds = tuple(read_bound(text, names) for text in wish.bounds)
    if unknown := [name for name in wish.trained if name not in names]:
        raise BadInput(f"there is no trait {unknown[0]!r}", remedy=f"one of {', '.join(names)}")
    check_rank(dose_for(wish.model, dose=wish.dose, **settings).plan, settings.get("rank"), wish.model)
    simulator = open_model(wish.model, dtype=wish.dtype, running=wish.running)
    check_nouns_fit(simulator, cast, traits, cast_file=wish.cast, traits_file=wish.traits)
    dose = dose_for(simulator.name, dose=wish.dose, **settings)
    method = "preference pairs" if pair.choices else "a reward" if wish.reward else ""
    if method and wish.dose is None:
        dose = guessed(dose, f"No dose was fitted for training on {method}: that of as many episodes is taken.")
    if method:
        dose = replace(dose, share=0.0)  # what rows in context foretell was fitted on training by examples
    note = " ".join(filter(None, (wish.reward.note() if wish.reward else "", *said, _said(every, traits))))
    trained, dtype = tuple(wish.trained), number_type(wish.model, wish.dtype)
    question = Question(simulator, cast, traits, pair, dose, wish.seed, trained, note, dtype, wish.reward)
    _check_rows(question, LABORATORY if world_of(wish.model) else OTHER, watch)
    return question, bounds


def _check_rows(question: Question, remedy: str, watch: "Watch") -> None:
    """Raise what is wrong with the rows for this model, `remedy` where it does not know their language."""
    simulator, pair, reward = question.simulator, question.pair, question.reward
    with watch("whether every row fits the model", "rows") as progress:
        if reward:
            check_prompts(simulator, question.cast, pair, reward.max_tokens, progress)
        else:
            check_fits(simulator, question.cast, pair, progress)
    check_language(simulator, pair, remedy)
    if reward:
        check_reward(reward.judge(simulator, question.seed), pair)


def fewer(traits: Sequence[Trait], items: int) -> tuple[Trait, ...]:
    """The traits with at most `items` items each (0: all), taken evenly, so that kinds keep their share.

    >>> from personae.records import Item
    >>> every = tuple(Item(id=str(i), kind="behaviour", prompt="p", high=("h",), low=("l",)) for i in range(5))
    >>> [i.id for i in fewer([Trait(name="t", description="", low="", high="", items=every)], 3)[0].items]
    ['0', '2', '4']
    """
    kept = []
    for trait in traits:
        count = len(trait.items)
        places = sorted({round(p * (count - 1) / max(items - 1, 1)) for p in range(items)}) if items else range(count)
        kept.append(trait.at(places) if 0 < items < count else trait)
    return tuple(kept)


def _said(every: Sequence[Trait], kept: Sequence[Trait]) -> str:
    """In words: how many items are read, where it is not all of them."""
    counts = [(len(a.items), len(b.items)) for a, b in zip(every, kept, strict=True)]
    if all(a == b for a, b in counts):
        return ""
    most, read = max(a for a, _ in counts), max(b for _, b in counts)
    return f"Of a trait's items (up to {most}) {read} are read, so that the cast is measured sooner."
