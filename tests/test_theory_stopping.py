"""Laws of stopping early: an interval holds at every look together, and what is dropped weighs no more than is said."""

import numpy as np
import pytest

from personae.errors import BadInput
from personae.records import Blocks
from personae.theory import (
    Sample,
    chance_of_missing,
    forecast_shift,
    margins,
    posterior,
    reach,
)
from personae.theory.sparing import BLUR, NEGLIGIBLE
from personae.workflows.audit.reading import looks

FILES = 200  # simulated at a time: a share of 0.05 is then known to 0.015
POPULATIONS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_t(3, size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape),
    "very skewed": lambda rng, shape: np.exp(rng.normal(size=shape)),
    "one in a hundred far off": lambda rng, shape: rng.normal(size=shape) + 10.0 * (rng.random(shape) < 0.01),
}


def misses(rows, alpha, draw, of_look=margins):
    """The share of simulated files (rows each, in random order) whose mean is outside the interval at any look."""
    values = draw(np.random.default_rng(5), (rows, FILES))
    truth, outside = values.mean(axis=0), np.zeros(FILES, dtype=bool)
    for _, n in looks(rows):
        read = values[:n]
        mean = read.mean(axis=0)
        below, above = of_look(
            n, rows, alpha, read.var(axis=0, ddof=1), read.min(axis=0) - mean, read.max(axis=0) - mean
        )
        outside |= (truth < mean - below - 1e-9) | (truth > mean + above + 1e-9)
    return outside.mean()


# One number of a row -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [80, 1000])
@pytest.mark.parametrize("population", POPULATIONS)
def test_the_mean_of_a_file_is_within_the_margins_at_all_looks_at_once(population, rows):
    assert misses(rows, 0.05, POPULATIONS[population]) <= 0.05 + 2 * 0.015


def test_an_interval_for_a_single_look_fails_where_one_looks_again_and_again():
    def single(rows, of, alpha, variance, lowest, highest):
        half = 1.96 * np.sqrt(variance * (1.0 / rows - 1.0 / of))
        return half, half

    assert misses(1000, 0.05, POPULATIONS["normal"], single) > 0.15


def test_what_was_not_read_is_in_no_interval():
    """The limit that is stated: of a kind of row that is one in a thousand, 64 rows know nothing."""

    def poisoned(rng, shape):
        values = rng.normal(size=shape)
        values[rng.permutation(shape[0])[: shape[0] // 1000]] += 1000.0
        return values

    assert misses(1000, 0.05, poisoned) > 0.3
    assert chance_of_missing(0.001, 64) == pytest.approx(0.938, abs=1e-3)


@pytest.mark.parametrize("alpha", [0.05, 1e-4])
@pytest.mark.parametrize(("rows", "of"), [(2, 3), (64, 80), (64, 10**6), (900, 1000)])
def test_reach_is_the_mixture_boundary_in_the_time_of_a_bridge(rows, of, alpha):
    x = 256.0 * np.geomspace(1e-3, 10.0, 20_001) ** 2  # by search: the ρ that makes it narrowest at 256 rows
    rho = np.sqrt(x[np.argmin((x + 1) / x * (np.log1p(x) - 2 * np.log(alpha)))] / 256.0)
    v = rows * of / (of - rows)
    boundary = np.sqrt(2 * (v * rho**2 + 1) / (v * rho) ** 2 * np.log(np.sqrt(v * rho**2 + 1) / alpha))
    assert reach(rows, of, alpha) == pytest.approx(boundary, rel=1e-3)
    assert reach(rows, of, alpha) < reach(rows, 10**12, alpha) and reach(of, of, alpha) == 0.0


@pytest.mark.parametrize(("rows", "of", "alpha"), [(0, 5, 0.05), (6, 5, 0.05), (3, 5, 0.0), (3, 5, 1.0)])
def test_no_rows_and_no_error_make_no_interval(rows, of, alpha):
    with pytest.raises(BadInput):
        reach(rows, of, alpha)


# Shifts and weights ---------------------------------------------------------------------------------------------------
class File:
    """A simulated file: evidence (N, K + 1) that personas share in part, a prior, and the levels of three traits."""

    def __init__(self, seed, rows=200, personas=6, spread=1.0, population="normal"):
        rng = np.random.default_rng(seed)
        noise = POPULATIONS[population](rng, (rows, personas))
        self.matrix = spread * (rng.normal(size=personas) + noise @ (0.7 * np.eye(personas) + 0.3))
        self.matrix[:, 0] = 0.0
        self.prior, self.dose = rng.dirichlet(np.ones(personas)), 1.5
        self.levels = {t: 2.0 * rng.normal(size=(personas, 8)) for t in "abc"}
        self.weights = posterior(self.prior, self.matrix, self.dose)
        self.shifts = {t: forecast_shift(self.prior, self.weights, table) for t, table in self.levels.items()}

    def sample(self, rows, kept=None, below=None):
        size = len(self.prior)
        kept = np.ones(size, dtype=bool) if kept is None else kept
        below = np.zeros(size) if below is None else below
        parts = np.array_split(self.matrix[:rows][:, kept], 3)
        return Sample.read(self.prior, self.dose, len(self.matrix), Blocks(rows, lambda: iter(parts)), kept, below)


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_file_leaves_no_doubt(seed):
    file = File(seed)
    sample = file.sample(200)
    for trait, shift in sample.shifts(file.levels, 0.05).items():
        assert [shift.low, shift.mean, shift.high] == pytest.approx([file.shifts[trait]] * 3)
    assert sample.weights == pytest.approx(file.weights) and sample.bounds(0.05) == pytest.approx(file.weights)


@pytest.mark.parametrize("population", ["normal", "heavy tails", "very skewed"])
def test_shifts_and_weights_of_the_file_are_within_their_bounds_at_all_looks_with_personas_dropped(population):
    """24 files, strong and weak: three traits together miss at most as often as is said, and so do weights."""
    missed = {"shift": 0, "weight": 0}
    left_out = 0
    for seed in range(24):
        file = File(seed, spread=(0.5, 3.0)[seed % 2], population=population)
        kept, below, wrong = None, None, dict.fromkeys(missed, False)
        for _, n in looks(200):
            sample = file.sample(n, kept, below)
            found = sample.shifts(file.levels, 0.05)
            wrong["shift"] |= any(not s.low - 1e-9 <= file.shifts[t] <= s.high + 1e-9 for t, s in found.items())
            wrong["weight"] |= bool((file.weights[sample.kept] > sample.bounds(0.05) + 1e-9).any())
            sample = sample.spared(list(file.levels.values()), 0.05)
            kept, below = sample.kept, sample.below
        assert wrong["weight"] or np.abs(sample.weights - file.weights).max() <= sample.dropped + 1e-9
        left_out += int((~kept).sum())
        missed = {what: missed[what] + wrong[what] for what in missed}
    assert max(missed.values()) <= 4, "1.2 of 24 are expected at most; 5 come by chance once in a hundred"
    assert left_out > 12, "somebody was dropped"


def test_no_more_is_dropped_than_is_negligible_and_never_the_neutral_context():
    for seed in range(20):
        file = File(seed, rows=300, spread=4.0)
        file.matrix[:, 1:] += 3.0  # neutral is the least likely of all
        sample = file.sample(200).spared(list(file.levels.values()), 0.01)
        assert sample.kept[0] and sample.dropped <= NEGLIGIBLE
        for trait, shift in sample.shifts(file.levels, 0.05).items():
            wide = file.sample(200, sample.kept, np.zeros(6)).shifts(file.levels, 0.05)[trait]
            assert wide.low - shift.low <= 2 * BLUR and shift.high - wide.high <= 2 * BLUR


def test_of_personas_that_cannot_be_told_apart_nobody_is_dropped():
    file = File(0)
    file.matrix[:] = 0.0
    file.prior = np.full(6, 1.0 / 6.0)
    assert file.sample(64).spared(list(file.levels.values()), 0.01).kept.all()


def test_to_first_order_an_interval_is_that_of_the_rows_along_the_gradient():
    """Beside a slower truth: the gradient by differences, and the margins of the one number that it makes of a row."""
    file = File(1, rows=300, spread=0.05)
    sample, table = file.sample(150), file.levels["a"]
    at = file.matrix[:150].mean(axis=0)

    def shift(mean):
        return forecast_shift(file.prior, posterior(file.prior, mean[None], file.dose), table)

    nudges = 1e-5 * np.eye(6)
    gradient = np.array([(shift(at + d) - shift(at - d)) / 2e-5 for d in nudges])
    along = (file.matrix[:150] - at) @ gradient
    ends = margins(150, 300, 0.05, along.var(ddof=1)[None], along.min()[None], along.max()[None])
    found = sample.shifts({"a": table}, 0.05)["a"]
    assert [found.mean - found.low, found.high - found.mean] == pytest.approx([*ends[0], *ends[1]], rel=0.05)
