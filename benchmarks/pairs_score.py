"""Paired forecasts against what was measured, pair by pair, beside every floor.

    r        correlation over the traits that a pair does not itself train, in the pair; 0 where one side is constant
    gain     mean r of the forecast less that of the best floor, the best anew in every draw of pairs
    error    root mean square of forecast - measured over the same traits, nats; of "no change" that of the measurement

Floors: attenuation only, one direction, the nearest persona (`theory.floors`, `predictors`), the mean shift of the
other pairs, and the two parts of the forecast, each alone. The first and the fourth know measurements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bars import rms
from numpy.typing import NDArray
from scipy.stats import t as student_t

from personae.records import Estimate
from personae.records.results import Floats
from personae.theory import mean_of_others, pearson, percentile_interval
from personae.theory.attenuation import TOO_HEAVY

DRAWS = 10_000
LARGE = 0.5  # nats
OTHERS = "mean of the others"


@dataclass(frozen=True)
class Told:
    """What came of a pair: by trait (T,) the forecast, its ends and the measured shift, nats; `trained` its own traits.

    `seeds` (S, T) shift by seed, `shown` (T,) of rows in context; `scored` is the pair's own score.json.
    """

    name: str
    sides: str
    rows: int
    traits: tuple[str, ...]
    trained: NDArray[np.bool_]
    forecast: Floats
    low: Floats
    high: Floats
    measured: Floats
    seeds: Floats
    shown: Floats
    attenuation: float
    scored: dict[str, Any]

    @property
    def untrained(self) -> Floats:
        """(T,) the measured shift, NaN in what the pair itself trains."""
        return np.where(self.trained, np.nan, self.measured)


def scores(told: Sequence[Told], families: Sequence[int], seed: int = 0) -> dict[str, Any]:
    """All pairs: `pairs` a line each, `mean` over them, `best` the best floor; intervals of r, gain and less error.

    Intervals are over draws of `families` (P,): pairs of one number share a file, and are drawn together.
    """
    drawn = draws(families, np.random.default_rng(seed))
    others = _others(told)
    lines = [_line(one, mean) for one, mean in zip(told, others, strict=True)]
    mean = {key: float(np.nanmean([line[key] for line in lines])) for key in ("r", "error", "no_change", "coverage")}
    names, table, ours = _columns(lines)
    by_floor = dict(zip(names, table.mean(axis=0).tolist(), strict=True))
    return {
        "pairs": lines,
        "mean": {**mean, "floors": by_floor},
        "best": max(names, key=lambda floor: by_floor[floor]),
        "families": len(set(families)),
        **_beside_floors(lines, ours, table, drawn),
        "n": sum(line["n"] for line in lines),
    }


def _columns(lines: Sequence[Mapping[str, Any]]) -> tuple[list[str], Floats, Floats]:
    """Names of the floors, r by floor (P, F) and of the forecast (P,)."""
    names = [floor for floor in lines[0]["floors"] if all(floor in line["floors"] for line in lines)]
    table = np.array([[line["floors"][floor] for floor in names] for line in lines])
    return names, table, np.array([line["r"] for line in lines])


def _beside_floors(
    lines: Sequence[Mapping[str, Any]], ours: Floats, table: Floats, drawn: Floats
) -> dict[str, Estimate]:
    """The intervals of r, of the gain over the best floor, and of how much less error there is than of no change."""
    less = np.array([line["no_change"] - line["error"] for line in lines])
    found = {"r": over_pairs(ours, drawn), "gain": gain(ours, table, drawn)}
    return {**found, "less_error": over_pairs(less, drawn)}


def draws(families: Sequence[int], rng: np.random.Generator) -> Floats:
    """(DRAWS, P) weights of the pairs, which add up to 1: as many families as there are, drawn with replacement."""
    names, place = np.unique(families, return_inverse=True)
    times = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=DRAWS)[:, place]
    return np.asarray(times / times.sum(axis=1, keepdims=True))


def gain(ours: Floats, floors: Floats, drawn: Floats) -> Estimate:
    """Mean of `ours` (P,) less the best column mean of `floors` (P, F), with its 95 % interval over `draws`."""
    found = drawn @ ours - (drawn @ floors).max(axis=1)
    return Estimate(float(ours.mean() - floors.mean(axis=0).max()), *percentile_interval(found))


def over_pairs(values: Floats, drawn: Floats) -> Estimate:
    """The mean of `values` (P,) and its 95 % interval over `draws`."""
    return Estimate(float(values.mean()), *percentile_interval(drawn @ values))


def together(found: Sequence[Mapping[str, Any]], families: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
    """The `scores` of several models as one: every pair of every model counts once.

    Pairs of one family, by the pair's name, are drawn together, whichever model they are of. `over` is {floor: mean r
    of the forecast less that of the floor}.
    """
    pairs = [pair for one in found for pair in one["pairs"]]
    drawn = draws([families[pair["name"]] for pair in pairs], np.random.default_rng(seed))
    names, table, ours = _columns(pairs)
    return {
        "n": len(pairs),
        "floors": dict(zip(names, table.mean(axis=0).tolist(), strict=True)),
        "over": {floor: over_pairs(ours - theirs, drawn) for floor, theirs in zip(names, table.T, strict=True)},
        **_beside_floors(pairs, ours, table, drawn),
    }


def closer_look(
    pairs: Sequence[Mapping[str, Any]], families: Mapping[str, int], near: Mapping[str, Sequence[str]], seed: int = 0
) -> dict[str, Any]:
    """What a mean r does not say of scored `pairs`; `families` and the traits `near` to what they train, by name.

    `signs`: share of cells with the measured sign; `width`: half of an interval, nats; `zero`: share of the intervals
    that include zero; `large`: the same `signs`, the median of forecast over measured, and how many, where more than
    half a nat moved; `farther`: pairs nearer to no change; `gained`: pairs above the best floor; `student`: the gain
    over it with an interval by Student's t over families; `apart`: r, error and no change without what is near.
    """
    cells = [_untrained(pair["cells"]) for pair in pairs]
    forecast, measured, low, high = (
        np.concatenate([c[part] for c in cells]) for part in ("forecast", "measured", "low", "high")
    )
    alike, moved = np.sign(forecast) == np.sign(measured), np.abs(measured) > LARGE
    _, table, ours = _columns(pairs)
    gains = ours - table[:, int(table.mean(axis=0).argmax())]
    drawn = draws([families[pair["name"]] for pair in pairs], np.random.default_rng(seed))
    without = [_untrained(pair["cells"], near.get(pair["name"], ())) for pair in pairs]
    rs = np.array([pearson(c["forecast"], c["measured"]) for c in without])
    return {
        "signs": alike.mean(),
        "width": (high - low).mean() / 2.0,
        "zero": ((low < 0.0) & (high > 0.0)).mean(),
        "large": {
            "signs": alike[moved].mean(),
            "size": np.median(forecast[moved] / measured[moved]),
            "n": int(moved.sum()),
        },
        "farther": sum(pair["error"] > pair["no_change"] for pair in pairs),
        "gained": int((gains > 0.0).sum()),
        "student": student(gains, [families[pair["name"]] for pair in pairs]),
        "apart": {
            "r": over_pairs(rs, drawn),
            "error": np.mean([rms(c["forecast"] - c["measured"]) for c in without]),
            "no_change": np.mean([rms(c["measured"]) for c in without]),
        },
    }


def student(values: Floats, families: Sequence[int]) -> Estimate:
    """The mean of `values` (P,) with its 95 % interval by Student's t, its standard error clustered by family."""
    names, place = np.unique(families, return_inverse=True)
    mean, count = float(values.mean()), len(names)
    off = np.bincount(place, weights=values - mean)
    error = np.sqrt(np.square(off).sum() * count / (count - 1.0)) / len(values)
    half = float(student_t.ppf(0.975, count - 1) * error)
    return Estimate(mean, mean - half, mean + half)


def _untrained(cells: Mapping[str, Any], near: Sequence[str] = ()) -> dict[str, Floats]:
    kept = ~np.asarray(cells["trained"], dtype=bool) & ~np.isin(np.asarray(cells["traits"]), list(near))
    return {part: np.asarray(cells[part], dtype=float)[kept] for part in ("forecast", "measured", "low", "high")}


def _others(told: Sequence[Told]) -> list[Floats]:
    """Of each pair, the mean shift of the others in its traits; a trait that another pair trains is not its shift."""
    if len(told) < 2:
        return [np.full(len(one.traits), np.nan) for one in told]
    return list(mean_of_others([one.untrained for one in told]))


def _line(one: Told, others: Floats) -> dict[str, Any]:
    floors = {**one.scored["floors"], **one.scored.get("parts", {}), OTHERS: pearson(others, one.untrained)}
    kept = ~np.asarray(one.trained)
    line = {
        "name": one.name,
        "sides": one.sides,
        "rows": one.rows,
        "r": _known(one.scored["pearson"]),
        "floors": {name: _known(r) for name, r in floors.items()},
        "error": one.scored["errors"]["forecast"],
        "no_change": one.scored["errors"]["no change"],
        "said": rms(one.forecast[kept]) if kept.any() else 0.0,
        "coverage": one.scored["coverage"],
        "attenuation": one.attenuation,
        "seeds_agree": seeds_agree(one),
        "ceiling": ceiling(seeds_agree(one), len(one.seeds)),
        "n": one.scored["n"],
    }
    return {**line, "failings": failings(line), "cells": _cells(one, others)}


def _cells(one: Told, others: Floats) -> dict[str, Any]:
    """{what: (T,)} every number of the pair, for who reads on."""
    names = ("traits", "trained", "forecast", "low", "high", "measured", "shown")
    return {**{name: getattr(one, name) for name in names}, "others": others}


def seeds_agree(one: Told) -> float:
    """Mean correlation of the measured shifts of two seeds, over untrained traits; NaN with one seed."""
    rows = np.where(one.trained, np.nan, one.seeds)
    found = [pearson(a, b) for n, a in enumerate(rows) for b in rows[n + 1 :]]
    return float(np.mean(found)) if found else float("nan")


def ceiling(agree: float, seeds: int) -> float:
    """The correlation that a forecast of the true shifts would have with the mean of `seeds` which `agree` two by two.

    The root of their mean's reliability (Spearman and Brown, 1910); 0 where two do not agree at all.

    >>> round(ceiling(0.5, 3), 2)
    0.87
    """
    if np.isnan(agree):
        return agree
    known = max(0.0, agree)
    return float(np.sqrt(seeds * known / (1.0 + (seeds - 1) * known)))


def failings(line: dict[str, Any]) -> list[str]:
    """What is wrong with a pair's forecast or its measurement, by rules that were fixed before any was seen."""
    best = max(line["floors"], key=lambda floor: line["floors"][floor])
    rules = {
        f"attenuation {line['attenuation']:.2f}": line["attenuation"] > TOO_HEAVY,
        f"two seeds agree to {line['seeds_agree']:.2f} only": line["seeds_agree"] < 0.5,
        "points the wrong way": line["r"] < 0.0,
        f"no better than {best}": 0.0 <= line["r"] <= line["floors"][best],
        "nearer to the truth to say that nothing changes": line["error"] > line["no_change"],
        f"{line['said'] / line['no_change']:.2f} of the size" if line["no_change"] else "nothing moved": (
            line["said"] < 0.25 * line["no_change"] or line["said"] > 4.0 * line["no_change"]
        ),
    }
    return [said for said, holds in rules.items() if holds]


def _known(r: float | None) -> float:
    """A correlation, 0 where one side says the same of every trait."""
    return float(r) if r is not None and np.isfinite(r) else 0.0
