"""Two models compared, a base and what a training made of it: profile shift, explained share, and where the rest is.

    base + cast -> answers before, once for this model     post -> answers after
    both -> traits' shifts, share, weights, places, and what changed outside the Assistant's turn -> page

The contexts are drawn before either model is looked at. In the run folder: `answers.parquet` (every outcome of every
context: before, after, and as the reweighting has it), `leakage.json`, `comparison.json`, `report.html`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.errors import BadInput
from personae.measure.answers import outcome_probabilities
from personae.predictors import Basis
from personae.records import Cast, Estimate, Simulator, Trait
from personae.records.files import digest, read_arrays, write_arrays, write_json
from personae.records.results import Floats
from personae.theory import clustered_mean_interval, poles
from personae.workflows.audit.file_question import ITEMS, fewer
from personae.workflows.compare.compared_answers import Asked, asked_of_items, asked_of_probes
from personae.workflows.compare.comparison import Comparison, compared, outcomes_of
from personae.workflows.compare.naming import Named, named
from personae.workflows.compare.tokens_left import tokens_left
from personae.workflows.compare.untried import REAL, untried
from personae.workflows.enough import check_enough, check_nouns_fit
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.folder import RunFolder
from personae.workflows.kept.kept_coherence import kept_coherence
from personae.workflows.kept.kept_levels import kept_levels
from personae.workflows.measure.leakage import Turns, leakage, turns
from personae.workflows.measure.yardstick import check_same_words
from personae.workflows.watch import Watch, unwatched
from personae.workflows.who import FEW, who_answers
from personae.world import Language, World
from personae.world.probes import probes

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

PROBES = 400  # contexts drawn in the laboratory
RECORD, ANSWERS = "comparison.json", "answers.parquet"
COHERENCE = {role: f"{role}-coherence.json" for role in ("base", "post")}


@dataclass(frozen=True)
class CompareQuestion:
    """What is compared: the models before, after and (for the ceiling) after another training of the same kind.

    `world` is that of the laboratory's models, of which so many `contexts` are drawn, and None for others. `card` is
    that of the training of `post`, empty where it has none.
    """

    base: "LocalSimulator"
    post: "LocalSimulator"
    twin: "LocalSimulator | None"
    cast: Cast
    traits: tuple[Trait, ...]
    world: World | None
    seed: int = 0
    contexts: int = PROBES
    card: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def beside(self) -> Turns:
        """What is asked beside the Assistant."""
        return turns(self.base, self.post, self.traits, self.world, self.seed)

    def configuration(self) -> dict[str, Any]:
        """What a run folder is told apart by."""
        models = {"base": self.base, "post": self.post, "twin": self.twin}
        return {
            **{role: None if m is None else {"name": m.name, "digest": m.digest} for role, m in models.items()},
            "cast": digest(self.cast),
            "traits": digest(list(self.traits)),
            "contexts": None if self.world is None else self.contexts,
            "beside": digest(self.beside.asked),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Compared:
    """The `comparison`, the Assistant's `shift` {trait: nats} with its interval over questions, and its `record`.

    `named` is what the rest looks like, and None outside the laboratory's contexts, in which alone that was tried.
    """

    question: CompareQuestion
    basis: Basis
    comparison: Comparison
    named: Named | None
    shift: Mapping[str, Estimate]
    record: dict[str, Any]


def compare(question: CompareQuestion, folder: RunFolder, watch: Watch = unwatched) -> Compared:
    """Measure what is not yet kept, compare, and leave answers and record in `folder`."""
    with watch("the cast's traits, once for this model", "answers") as progress:
        basis = cached_basis(question.base, question.cast, question.traits, progress).basis
    asked = asked_of(question, basis, watch)
    after, rows = _after(question, question.post, asked, folder, "post", watch)
    twin = None
    if question.twin is not None:
        twin, _ = _after(question, question.twin, asked, folder, "twin", watch)
    found = compared(question.cast.names, asked, after, twin, seed=question.seed)
    rest = None if question.world is None else named(asked, after, found.whole, seed=question.seed)
    shift = {t: _shift(basis.base[t], rows[t], question.seed) for t in basis.base}
    leaked = leakage(question.beside, {t: rows[t] - basis.base[t] for t in basis.base}, folder, watch)
    tokens = tokens_left(found, question.base, question.post, question.cast, folder, watch)
    record = {
        **_record(question, found),
        "coherence": _coherence(question, folder, watch),
        "who": who_then_and_now(basis, rows),
        "class": _class(rest),
        "shift": shift,
        "leakage": leaked,
    }
    record["untried"] = REAL if rest is None else untried(question.card, question.base.digest)
    record["residual"]["tokens"] = tokens
    write_arrays(folder.file(ANSWERS), _columns(found))
    write_json(folder.file(RECORD), record)
    return Compared(question, basis, found, rest, shift, record)


def asked_of(question: CompareQuestion, basis: Basis, watch: Watch) -> Asked:
    """The contexts, and what the Assistant and the cast answered there before."""
    if question.world is None:
        return asked_of_items(basis, question.traits)
    drawn = probes(question.world, Language(question.world), question.contexts, question.seed)
    with watch("the cast's answers, once for this model", "answers") as progress:
        return asked_of_probes(question.base, question.cast, drawn, progress)


def _after(
    question: CompareQuestion, model: Simulator, asked: Asked, folder: RunFolder, role: str, watch: Watch
) -> tuple[Floats, dict[str, Floats]]:
    """(C, A) what a trained model answers in the contexts, and {trait: (I,)} its levels, nats; measured once."""
    rows = kept_levels(model, question.traits, folder.file(f"{role}-levels.parquet"), watch)
    if question.world is None:
        return poles(np.concatenate([rows[t.name] for t in question.traits])), rows
    said = folder.file(f"{role}-contexts.parquet")
    if not said.exists():
        with watch(f"{model.name}: contexts", "answers") as progress:
            write_arrays(said, {"p": outcome_probabilities(model, asked.probes, [""], progress).ravel()})
    return read_arrays(said)["p"].reshape(len(asked.probes), -1), rows


def _coherence(question: CompareQuestion, folder: RunFolder, watch: Watch) -> dict[str, float]:
    """{"base", "post"}: whether each can still talk, by the same items (`measure.coherence`)."""
    models = {"base": question.base, "post": question.post}
    return {
        role: kept_coherence(folder.file(COHERENCE[role]), model.name, model, question.traits, watch)
        for role, model in models.items()
    }


def _shift(before: Floats, after: Floats, seed: int) -> Estimate:
    return clustered_mean_interval(after - before, rng=np.random.default_rng([seed, 6]))


def who_then_and_now(basis: Basis, after: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
    """{persona: weight} of who answers `before` and `after`, levels {trait: (I,)}, nats: both read alike."""
    return {when: who_answers(basis, row, pseudo=FEW) for when, row in (("before", basis.base), ("after", after))}


# -- what is kept ----------------------------------------------------------------------------------------------------
def _record(question: CompareQuestion, found: Comparison) -> dict[str, Any]:
    whole = found.whole
    return {
        "base": question.base.name,
        "post": question.post.name,
        "twin": None if question.twin is None else question.twin.name,
        "contexts": len(found.asked.probes),
        "changed": whole.changed,
        "explained_share": whole.share,
        "ceiling": found.ceiling,
        "floor": found.floor,
        "floors": found.floors,
        "weights": found.weights,
        "next_models": {
            name: {"share": one.share, "gain": one.gain, "price": one.price, "worth": one.worth}
            for name, one in found.by.items()
        },
        "residual": {
            "nats": found.residual,
            "places": [
                {"what": p.what, "contexts": p.many, "left": p.left, "above": p.above, "share": p.share}
                for p in found.places
            ],
            "most": [{**vars(one), "said": [f"{m.role}: {m.content}" for m in one.said]} for one in found.most],
        },
    }


def _class(rest: Named | None) -> dict[str, Any] | None:
    if rest is None:
        return None
    gate = rest.residue.gate
    where = None if gate is None else {"by": gate.by, "contexts": int(gate.inside.sum()), "r2": gate.told}
    numbers = {k: getattr(rest.residue, k) for k in ("alarm", "cues", "strange", "done", "everywhere")}
    return {"name": rest.residue.name, "draws": rest.draws, **rest.spans, "gate": where, **numbers}


def _columns(found: Comparison) -> dict[str, Sequence[Any]]:
    rows = [
        (p.id, p.topic, outcome, found.asked.base[c, a], found.post[c, a], found.whole.mix[c, a])
        for c, p in enumerate(found.asked.probes)
        for a, outcome in enumerate(outcomes_of(p))
    ]
    names = ("context", "topic", "outcome", "before", "after", "reweighted")
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))


def question_of(
    base: str,
    post: str,
    twin: str | None,
    cast_file: Path | None,
    traits_file: Path | None,
    seed: int,
    device: str = "cpu",
    items: int = ITEMS,
) -> CompareQuestion:
    """The models and nouns that are meant, with at most `items` items a trait (0: all), as an audit reads them.

    Raises `BadInput` where the models do not read the same tokens, or the ceiling would be `post` itself.
    """
    from personae.simulator.registry import load
    from personae.workflows.nouns_for import nouns, training_card, world_of

    cast, traits = nouns(base, cast_file, traits_file)
    traits = fewer(traits, items)
    check_enough(cast, traits, cast_file=cast_file, traits_file=traits_file, most=items)
    before, after = load(base, device=device), load(post, device=device)
    check_nouns_fit(before, cast, traits, cast_file=cast_file, traits_file=traits_file)
    other = load(twin, device=device) if twin else None
    for model in (after, other):
        if model is not None:
            check_same_words(model, before)
    if other is not None and other.digest == after.digest:
        raise BadInput("--twin is POST itself", remedy="name another training of the same kind, by another seed")
    world, card = world_of(base), training_card(post)
    return CompareQuestion(before, after, other, cast, traits, world, seed, card=card)
