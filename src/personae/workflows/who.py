"""Who a model's Assistant is, by its own answers: the mixture of a cast's characters that answers most alike.

    weights nearest in KL to the Assistant's answers, over the cast as the *untrained* model enacts it

After a training this is who was selected, as far as it is anybody of the cast. Before it, it is a prior by the same
reading, and not the one of forecasts (`predictors.basis`), which is declared, or fitted under the neutral context. That
context keeps its share, since it would fit the untrained Assistant perfectly. Source: PSM.md section 2, Definitions.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from personae.predictors import Basis
from personae.records import Estimate
from personae.records.results import Floats
from personae.theory import divergence, fit_prior, percentile_interval

Row = Mapping[str, Floats]  # {trait: (I,)} levels of one Assistant, nats
Keep = Mapping[str, NDArray[np.bool_]]  # {trait: (I,)} which items count

DRAWS = 200
FEW = 1.0  # pseudo-questions of a change: with as many as characters, half of a change is lost; with none, noise rules


def who_answers(basis: Basis, row: Row, *, pseudo: float | None = None) -> dict[str, float]:
    """{persona: weight}, neutral first, of an Assistant with levels `row` {trait: (I,)}, nats, on the basis's items.

    `pseudo` questions are answered by everybody alike, by default as many as there are characters, as in the prior.
    """
    own = np.concatenate([row[t] for t in basis.levels.by_trait])
    table = np.concatenate(list(basis.levels.by_trait.values()), axis=1)  # (K + 1, items)
    return dict(zip(basis.cast.names, fit_prior(own, table[1:], pseudo=pseudo).tolist(), strict=True))


def who_answered(basis: Basis, after: Sequence[Row], *, seed: int = 0) -> dict[str, Estimate]:
    """{character: weight}, mean over `after` (one row a training), beside neutral, whose share is fixed.

    It shows what a training changed, so it has the pseudo-questions of a change, and the interval of `who_gained`.
    """
    whole = _answered(basis, after, _every(basis))
    drawn = np.array([_answered(basis, some, keep) for some, keep in _drawn(basis, after, seed)])
    ends = [percentile_interval(column) for column in (drawn - drawn.mean(axis=0)).T]
    each = zip(basis.cast.names[1:], whole.tolist(), ends, strict=True)
    return {name: Estimate(w, max(0.0, w + low), min(1.0, w + high)) for name, w, (low, high) in each}


def who_gained(basis: Basis, before: Row, after: Sequence[Row], *, seed: int = 0) -> dict[str, Estimate]:
    """{character: change of its weight} from `before` to `after` (one row a training), on the basis's items.

    Weights are those of characters alone, and add up to one. The interval draws as many trainings, and half of the
    questions of each trait, which scatters as drawing all of them again.
    """
    whole = _gained(basis, before, after, _every(basis))
    drawn = np.array([_gained(basis, before, some, keep) for some, keep in _drawn(basis, after, seed)])
    ends = [percentile_interval(column) for column in (drawn - drawn.mean(axis=0)).T]
    each = zip(basis.cast.names[1:], whole.tolist(), ends, strict=True)
    return {name: Estimate(gain, gain + low, gain + high) for name, gain, (low, high) in each}


def who_moved(basis: Basis, before: Row, after: Sequence[Row], *, seed: int = 0) -> Estimate:
    """How far the weights of characters went: KL(after ‖ before), nats, mean over trainings, as `who_gained` has them.

    It is never below zero, so chance alone makes some of it: what control trainings have is its floor.
    """
    whole = _moved(basis, before, after, _every(basis))
    drawn = np.array([_moved(basis, before, some, keep) for some, keep in _drawn(basis, after, seed)])
    low, high = percentile_interval(drawn - drawn.mean())
    return Estimate(whole, max(0.0, whole + low), whole + high)


def _drawn(basis: Basis, after: Sequence[Row], seed: int) -> Iterator[tuple[list[Row], Keep]]:
    """As many trainings, and half of the questions of each trait, again and again."""
    rng = np.random.default_rng(seed)
    for several in rng.integers(len(after), size=(DRAWS, len(after))):
        yield (
            [after[n] for n in several],
            {t: rng.permutation(len(every)) % 2 == 0 for t, every in _every(basis).items()},
        )


def _every(basis: Basis) -> Keep:
    return {t: np.ones(table.shape[1], dtype=bool) for t, table in basis.levels.by_trait.items()}


def _moved(basis: Basis, before: Row, after: Sequence[Row], keep: Keep) -> float:
    """Mean over trainings, read off some of the questions."""
    some = basis.items(keep)
    then, *now = (_characters(some, {t: row[t][k] for t, k in keep.items()}) for row in (before, *after))
    return float(np.mean([divergence(one, then) for one in now]))


def _answered(basis: Basis, rows: Sequence[Row], keep: Keep) -> Floats:
    """(K,) the mean weights of characters beside neutral, read off some of the questions."""
    some = basis.items(keep)
    each = [who_answers(some, {t: row[t][k] for t, k in keep.items()}, pseudo=FEW) for row in rows]
    return np.asarray(np.mean([list(weights.values())[1:] for weights in each], axis=0))


def _gained(basis: Basis, before: Row, after: Sequence[Row], keep: Keep) -> Floats:
    """(K,) the mean change, read off some of the questions."""
    some = basis.items(keep)
    changed = [_characters(some, {t: row[t][k] for t, k in keep.items()}) for row in (before, *after)]
    return np.asarray(np.mean(changed[1:], axis=0) - changed[0])


def _characters(basis: Basis, row: Row) -> Floats:
    """(K,) weights of characters alone."""
    weights = np.array(list(who_answers(basis, row, pseudo=FEW).values()))[1:]
    return np.asarray(weights / weights.sum())
