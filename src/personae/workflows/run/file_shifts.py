"""Shifts of a training on a file, less those of its control's: raw, and of character.

    shift[t, i] = character_shift(treated) - character_shift(control)        nats, item by item, at the same seed

With no control the untrained model stands in its place. Attenuation is each training's own, and as uncertain as it is:
intervals draw questions, seeds, and the traits that attenuation is read off. Source: PSM.md section 2, Attenuation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from personae.measure.profile import mean_draws
from personae.records import Estimate
from personae.records.results import Floats
from personae.theory import character_shift, percentile_interval
from personae.workflows.run.file_arms import Trained, attenuation_draws, attenuation_of

Rows = list[dict[str, Floats]]  # {trait: (I,)} a seed, nats


@dataclass(frozen=True)
class Shifts:
    """{trait: shift} of `character`, and `raw` without attenuation taken off; `attenuation` {arm: share lost}.

    `by_seed` and `raw_by_seed` are the same item by item.
    """

    character: dict[str, Estimate]
    raw: dict[str, Estimate]
    attenuation: dict[str, Estimate]
    by_seed: Rows
    raw_by_seed: Rows


def shifts_of(
    trained: Mapping[str, Sequence[Trained]], old: Trained, middle: Mapping[str, Floats], seed: int
) -> Shifts:
    """What trainings {arm: one a seed} moved from `old`; `middle` {trait: (I,)} is where their personas are centred."""
    raw, character = (
        _difference({arm: moved(several, old, middle, raw=only) for arm, several in trained.items()})
        for only in (True, False)
    )
    lost = {arm: [attenuation_draws(old, one, tuple(middle)) for one in some] for arm, some in trained.items()}
    doubt = {t: _doubt(lost, float((old.assistant[t] - middle[t]).mean())) for t in middle}
    return Shifts(
        character=_estimates(character, seed, doubt),
        raw=_estimates(raw, seed),
        attenuation={arm: _attenuation(several, old, lost[arm], tuple(middle)) for arm, several in trained.items()},
        by_seed=character,
        raw_by_seed=raw,
    )


def moved(several: Sequence[Trained], old: Trained, middle: Mapping[str, Floats], *, raw: bool = False) -> Rows:
    """One {trait: (I,)} a seed: the change of every item, nats, with attenuation taken off unless it is `raw`."""
    rows = []
    for one in several:
        lost = 0.0 if raw else attenuation_of(old, one, tuple(middle))
        rows.append({t: character_shift(old.assistant[t], one.assistant[t], lost, middle[t]) for t in middle})
    return rows


def less(treated: Rows, control: Rows) -> Rows:
    """Treated less control, seed by seed and item by item."""
    return [{t: ours[t] - theirs[t] for t in ours} for ours, theirs in zip(treated, control, strict=True)]


def _difference(arms: Mapping[str, Rows]) -> Rows:
    return less(arms["treated"], arms["control"]) if "control" in arms else arms["treated"]


def _doubt(lost: Mapping[str, Sequence[Floats]], off_centre: float) -> Floats:
    """(DRAWS,) what not knowing attenuation better does to a shift, nats: `off_centre` times how far its draws go."""
    arms = {arm: np.mean([draws - draws.mean() for draws in several], axis=0) for arm, several in lost.items()}
    found: Floats = off_centre * (arms["treated"] - arms.get("control", 0.0))
    return found


def _estimates(rows: Rows, seed: int, doubt: Mapping[str, Floats] | None = None) -> dict[str, Estimate]:
    """The mean shift of each trait; its interval is over questions and seeds, and over `doubt` {trait: draws}."""
    found = {}
    for trait in rows[0]:
        table = np.stack([row[trait] for row in rows])
        draws = mean_draws(table, np.random.default_rng([seed, len(trait)])) + (doubt[trait] if doubt else 0.0)
        found[trait] = Estimate(float(table.mean()), *percentile_interval(draws))
    return found


def _attenuation(several: Sequence[Trained], old: Trained, lost: Sequence[Floats], names: tuple[str, ...]) -> Estimate:
    """Mean over seeds; the interval is the widest of theirs, over draws of traits."""
    ends = [percentile_interval(draws) for draws in lost]
    mean = float(np.mean([attenuation_of(old, one, names) for one in several]))
    return Estimate(mean, min(low for low, _ in ends), max(high for _, high in ends))
