"""Removal: what a prompt in front of every row takes away of what a file does to the Assistant, before any training.

    size(L)      root mean square over traits of the forecast shift s_t of a file with evidence L         nats, ≥ 0
                 its square as estimated: mean_t [ s_t² - v_t ], not below 0;  v_t: variance of s_t (jackknife)
    removed(q)   1 - size(L_q) / size(L)                      L_q: evidence of the same rows behind the prompt q
    beyond(q)    removed(q) - mean of removed over the other neutral prefixes
    uplift(q)    mean_i [ log p(y_i | c_0, q, x_i) - log p(y_i | c_0, x_i) ]                              nats an answer
    kept(q)      mean_i [ log Σ_k π'_q[k] p(y_i | c_k, q, x_i) - log Σ_k π'[k] p(y_i | c_k, x_i) ]        nats an answer

removed: 1 is all of it, 0 none, below zero the prompt adds to it. It counts what is left whichever way it points, so a
prompt that turns a shift over has removed nothing. A fixed text that asks for nothing also removes some, and no more
than that is an inoculation: beyond. Above zero, uplift says that the prompt asks for what the rows answer, and kept
that the Assistant, asked with it after the inoculated training, answers so as readily as after the plain one unasked.
Rows are a sample, also where they are the whole file: what is estimated is what such rows do, not these rows alone.
Chance adds v_t to the square of a shift, and would count as what a prompt leaves; so it is taken off.
Intervals draw whole rows, the same for every prompt and for the file without one, about shifts of the size estimated,
and take their variance off each draw. Episodes are drawn, nothing else; kept holds who is selected as all rows have it.
Source: PSM.md sections 1 (5) and 2; Efron & Tibshirani, An Introduction to the Bootstrap, ch. 11 (jackknife); uplift
ranks prompts in trait-inoculation (R² > 0.9 on one pair of traits).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.errors import BadInput
from personae.records.results import Estimate, Floats
from personae.theory.intervals import MOST_KNOWN, percentile_interval
from personae.theory.predictive import mix
from personae.theory.selection import evidence
from personae.theory.simplex import log_of, log_sum_exp, normalised, softmax

DRAWS = 400


@dataclass(frozen=True)
class Removal:
    """What one prompt does; see the module. `left` is size(L_q), nats; intervals are over rows."""

    left: Estimate
    removed: Estimate
    beyond: Estimate
    uplift: Estimate
    kept: Estimate


def shift_size(prior: ArrayLike, mean: Floats, levels: Sequence[Floats], dose: float) -> Floats:
    """(...) nats: the size of the forecast shift of mean evidence (..., K + 1), chance and all.

    `levels` of each trait (K + 1, I).
    """
    size: Floats = np.sqrt(np.mean(np.square(_shifts(prior, mean, levels, dose)), axis=0))
    return size


def removals(
    prior: ArrayLike,
    plain: Floats,
    prompted: Mapping[str, Floats],
    controls: Sequence[str],
    levels: Sequence[Floats],
    dose: float,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> dict[str, Removal]:
    """{prompt: what it does} from log-likelihoods (R, K + 1), nats, of the same rows without and behind each prompt.

    Neutral context in column 0; `controls` name the prompts that ask for nothing. Shares are NaN where the file without
    a prompt does no more than chance, and their ends where it does not in more than one draw in twenty.
    """
    if not controls or not set(controls) <= set(prompted):
        raise BadInput("removal is measured beside prompts that ask for nothing", remedy="give at least one")
    if any(logp.shape != plain.shape for logp in prompted.values()):
        raise BadInput("every prompt must stand before the same rows, under the same contexts")
    rows = len(plain)
    times = np.vstack([np.ones(rows, dtype=np.int64), rng.multinomial(rows, np.full(rows, 1.0 / rows), size=draws)])

    def size(logp: Floats) -> Floats:
        """(1 + D,) as estimated from the rows, and from rows that are drawn."""
        matrix = evidence(logp)
        mean = matrix.mean(axis=0)
        without = mean + (mean - matrix) / max(rows - 1, 1)  # (R, K + 1) means of all rows but one
        drawn = times[1:] @ matrix / rows
        return _sizes(*(_shifts(prior, means, levels, dose) for means in (mean, without, drawn)))

    def usual(name: str) -> Floats:
        """(1 + D,) what neutral prefixes remove, a control's own apart; unknown where it is the only one."""
        others = [removed[other] for other in controls if other != name]
        return np.mean(others, axis=0) if others else np.full(len(times), np.nan)

    whole = size(plain)
    left = {name: size(logp) for name, logp in prompted.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        removed = {name: 1.0 - one / whole for name, one in left.items()}
    answers = _answers(prior, plain, dose)
    return {
        name: Removal(
            left=_estimate(left[name]),
            removed=_estimate(removed[name]),
            beyond=_estimate(removed[name] - usual(name)),
            uplift=_estimate(times @ (logp[:, 0] - plain[:, 0]) / rows),
            kept=_estimate(times @ (_answers(prior, logp, dose) - answers) / rows),
        )
        for name, logp in prompted.items()
    }


def _shifts(prior: ArrayLike, mean: Floats, levels: Sequence[Floats], dose: float) -> Floats:
    """(T, ...) nats: the forecast shift of each trait."""
    before = log_of(normalised(prior))
    after = log_of(softmax(before + dose * mean))
    return np.array([(mix(after, table) - mix(before, table)).mean(axis=-1) for table in levels])


def _sizes(found: Floats, without: Floats, drawn: Floats) -> Floats:
    """(1 + D,) nats, chance taken off, from shifts of all rows (T,), without each (T, R), and of rows drawn (T, D)."""
    chance = (without.shape[1] - 1) * without.var(axis=1)
    square = max(float((np.square(found) - chance).mean()), 0.0)
    shrunk = found * np.sqrt(square / np.square(found).mean()) if square else np.zeros_like(found)
    noise = drawn - drawn.mean(axis=1, keepdims=True)
    squares = (np.square(shrunk[:, None] + noise) - noise.var(axis=1, keepdims=True)).mean(axis=0)
    sizes: Floats = np.sqrt(np.maximum(np.append(square, squares), 0.0))
    return sizes


def _answers(prior: ArrayLike, logp: Floats, dose: float) -> Floats:
    """(R,) nats: how likely each answer is to the mixture that training on these rows selects."""
    mean = evidence(logp).mean(axis=0)
    after = softmax(log_of(normalised(prior)) + dose * mean)
    return log_sum_exp(log_of(after) + logp, axis=1)


def _estimate(values: NDArray[np.float64]) -> Estimate:
    """The first of `values` (1 + D,), and the interval of the others that are known, where enough of them are."""
    unknown, known = float("nan"), np.isfinite(values)
    if not known[0]:
        return Estimate(unknown, unknown, unknown)
    if known.mean() < MOST_KNOWN:
        return Estimate(float(values[0]), unknown, unknown)
    return Estimate(float(values[0]), *percentile_interval(values[1:][known[1:]]))
