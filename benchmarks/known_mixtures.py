"""Known mixtures: the share that comes back of answers that are partly a reweighting and partly somebody else's.

    python benchmarks/known_mixtures.py     half a minute

The answers are the declared world's own, exactly: no model. A selection among its cast is blended, 0, 10 ... 100 %,
with a foreign table that no mixture of the cast gives: it says what nobody says, or, of what is said, the answer that
the cast gives least. Beside the share that `compare` fits on other contexts stands the formula's own value at the best
weights there are for these very contexts. In the first table the share hangs on how improbable "nobody" is: 1e-9 here.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from markdown import table

from personae.records.results import Floats
from personae.theory import divergence, fit_weights, mixture
from personae.theory.exhaustiveness import reweighted
from personae.workflows.compare.compare import PROBES
from personae.workflows.compare.compared_answers import Asked, asked_of_probes
from personae.world import ExactSimulator, Language, cast, declared
from personae.world.probes import probes

SELECTED = {"con artist": 0.7, "pirate captain": 0.3}
BLENDS = tuple(range(0, 101, 10))  # per cent
FOREIGN = ("what nobody says", "what the cast says least")


def foreign(asked: Asked, what: str) -> Floats:
    """(C, A) somebody outside the cast's hull: one answer in each context, always."""
    many = [len(probe.outcomes) for probe in asked.probes]
    said = [theirs[:, :n].max(axis=0).argmin() for theirs, n in zip(asked.cast.swapaxes(0, 1), many, strict=True)]
    return np.eye(asked.base.shape[1])[many if what == FOREIGN[0] else said]


def blended(asked: Asked, names: Sequence[str], what: str, percent: int) -> Floats:
    """(C, A) a selection among the cast, with so much of a foreign table."""
    selection = np.tensordot([SELECTED.get(name, 0.0) for name in names], asked.cast, axes=1)
    return (1.0 - percent / 100.0) * selection + percent / 100.0 * foreign(asked, what)


def best_left(asked: Asked, post: Floats) -> Floats:
    """(C,) KL(post ‖ mixture) at the best weights for these very contexts, nats."""
    return divergence(post, mixture(fit_weights(post, asked.cast).weights, asked.cast))


def shares(asked: Asked, post: Floats) -> tuple[float, float]:
    """The share as it is fitted on other contexts, and the formula's value at the best weights."""
    formula = 1.0 - best_left(asked, post).sum() / divergence(post, asked.base).sum()
    return reweighted(post, asked.base, asked.cast, asked.clusters).share.mean, float(formula)


def exact(contexts: int = PROBES) -> tuple[Asked, tuple[str, ...]]:
    """What the declared world answers in `contexts` that `compare` draws, less the tasks that nobody does; the cast."""
    world = declared()
    language = Language(world)
    personas = cast(world, language, declared_prior=True)
    drawn = tuple(p for p in probes(world, language, contexts) if not p.topic.startswith("task"))
    return asked_of_probes(ExactSimulator(world, language), personas, drawn), personas.names


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--contexts", type=int, default=PROBES)
    asked, names = exact(options.parse_args().contexts)
    rows = []
    for percent in BLENDS:
        found = [one for what in FOREIGN for one in shares(asked, blended(asked, names, what, percent))]
        rows.append((f"{percent} %", *(f"{one:.3f}" for one in found)))
    print(table(("foreign", *(f"{what}: {how}" for what in FOREIGN for how in ("fitted", "formula"))), rows))


if __name__ == "__main__":
    main()
