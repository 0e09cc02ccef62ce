"""What a training changed outside the Assistant's turn, beside what it changed in it.

    documents, answers -> KL of the trained model from its base, nats a token, out and in
    other speakers     -> their traits before and after -> the share of the Assistant's shift that they take on
    what it wants      -> flips in the user's turn, before and after -> how often the side falls that it wants
    answers drawn      -> how many are nobody's, before and after

Of a model with nothing before it, only flips and answers, of its own. Kept in the run folder as `leakage.json`, so a
killed run does not measure it again. Source: PSM.md section 3, T3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personae import library
from personae.measure.breaks import Broken, breaks, broken_by_form
from personae.measure.coin_flip import coin_flip, wants
from personae.measure.likeness import Likeness, likeness
from personae.measure.others import TakenOn, others_levels, places, some_of, taken_on
from personae.records import Outside, Trait
from personae.records.files import read_json, write_json
from personae.records.results import Floats
from personae.workflows.kept.folder import RunFolder
from personae.workflows.watch import Watch
from personae.world import Language, World
from personae.world.outside import broken_by_grammar, outside

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

RECORD = "leakage.json"


@dataclass(frozen=True)
class Turns:
    """The models before and after, and what is asked of both: the Assistant's `traits`, and what is `asked` beside it.

    `broken` tells which answers are no character's. `base` is None where it is not known what `post` was trained from.
    """

    base: "LocalSimulator | None"
    post: "LocalSimulator"
    traits: tuple[Trait, ...]
    asked: Outside
    broken: Broken
    seed: int = 0

    def models(self) -> "dict[str, LocalSimulator]":
        """{when: the model}, "before" where that is known, and "after"."""
        return {"after": self.post} if self.base is None else {"before": self.base, "after": self.post}


def turns(
    base: "LocalSimulator | None", post: "LocalSimulator", traits: tuple[Trait, ...], world: World | None, seed: int
) -> Turns:
    """What is asked beside the Assistant: drawn from the laboratory's `world`, or the library's (None)."""
    if world is None:
        return Turns(base, post, traits, library.outside(), broken_by_form, seed)
    language = Language(world)
    return Turns(base, post, traits, outside(world, language, seed), broken_by_grammar(language), seed)


def leakage(asked: Turns, shift: Mapping[str, Floats], folder: RunFolder, watch: Watch) -> dict[str, Any]:
    """The record of all of it; `shift` {trait: (I,)} is the Assistant's own, nats, on every item of its traits.

    What cannot be told of one model alone is None, and so is what others take on where no trait is asked in a chat.
    """
    kept = folder.file(RECORD)
    if not kept.exists():
        found = {
            "likeness": _likeness(asked, watch),
            "others": _others(asked, shift, watch),
            "coin": _coin(asked, watch),
            "breaks": _breaks(asked, watch),
        }
        write_json(kept, found)
    record: dict[str, Any] = read_json(kept)
    return record


def _likeness(asked: Turns, watch: Watch) -> Likeness | None:
    if asked.base is None:
        return None
    texts = asked.asked
    with watch("raw text, and the Assistant's turn", "texts") as progress:
        outside = asked.post.divergence_from(asked.base, texts.documents, progress)
        inside = asked.post.divergence_from(asked.base, texts.exchanges)
    return likeness(outside, inside, seed=asked.seed)


def _others(asked: Turns, shift: Mapping[str, Floats], watch: Watch) -> TakenOn | None:
    if asked.base is None:
        return None
    traits, frames = some_of(asked.traits), asked.asked.others
    if not traits:
        return None
    theirs = []
    for model in (asked.base, asked.post):
        with watch(f"{model.name}: traits of others", "characters") as progress:
            theirs.append(others_levels(model, traits, frames, progress))
    own = {t.name: shift[t.name][places(t)] for t in asked.traits if t.name in theirs[0] and t.name in shift}
    return taken_on(own, {t: theirs[1][t] - theirs[0][t] for t in own}, frames, seed=asked.seed)


def _coin(asked: Turns, watch: Watch) -> dict[str, Any]:
    """The same flips before and after, for what the Assistant wants after."""
    wanted = wants(asked.post, asked.asked.tasks)
    found: dict[str, Any] = {"wanted": wanted.most, "unwanted": wanted.least, "more": wanted.more, "before": None}
    for when, model in asked.models().items():
        with watch(f"{model.name}: flips in the user's turn", "flips") as progress:
            found[when] = coin_flip(model, asked.asked, wanted, progress, seed=asked.seed)
    return found


def _breaks(asked: Turns, watch: Watch) -> dict[str, Any]:
    found: dict[str, Any] = {"before": None}
    for when, model in asked.models().items():
        with watch(f"{model.name}: answers", "models") as progress:
            found[when] = breaks(model, asked.asked.exchanges, asked.broken, seed=asked.seed)
            progress(1, 1)
    return found
