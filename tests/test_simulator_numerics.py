"""The error of 16 bits: the value reported is that of a plain comparison, and what it forbids to rank is said."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from personae.errors import RunFailed
from personae.records import Cast, Episode, LogLikelihood, Persona, chat
from personae.simulator.numerics import Numerics, evenly_by_length, rounding_error

CAST = Cast(
    name="three",
    neutral="A talk follows.",
    personas=tuple(Persona(name=n, kind="person", context=f"You are {n}.") for n in ("ann", "bob", "eve")),
)
EPISODES = [chat("Hi", "a" * length, index=n) for n, length in enumerate((5, 1, 9, 3))]


class Known:
    """A simulator whose score of an answer is its length times a weight of the context, plus a planted error."""

    name, digest = "known", "0"

    def __init__(self, error: NDArray[np.float64] | float = 0.0) -> None:
        self.error, self.scored = error, 0
        self.in_float32: Any = None

    def log_likelihood(self, episodes: list[Episode], contexts: tuple[str, ...], progress: Any = None) -> LogLikelihood:
        lengths = np.array([len(e.response) for e in episodes])
        logp = -lengths[:, None] * np.array([1.0 + len(c) % 5 for c in contexts]) + self.error
        self.scored += logp.size
        if progress:
            progress(logp.size, logp.size)
        return LogLikelihood(logp, lengths)

    def sample(self, *_: Any, **__: Any) -> list[str]:
        raise NotImplementedError


def rounded(error: NDArray[np.float64] | float) -> Known:
    low = Known(error)
    low.in_float32 = Known
    return low


# The error ----------------------------------------------------------------------------------------------------------
def test_a_planted_bias_is_reported() -> None:
    planted = np.array([0.1, 0.1, 0.4, -0.2])
    found = rounding_error(rounded(planted), "bfloat16", CAST, EPISODES)
    assert found.bias == pytest.approx({"neutral": 0.0, "ann": 0.0, "bob": 0.3, "eve": -0.3})
    assert found.resolution == pytest.approx(0.6)
    assert found.rms == pytest.approx(np.sqrt((planted**2).mean()))
    assert (found.dtype, found.n) == ("bfloat16", 4)


def test_the_largest_bias_is_that_of_either_sign() -> None:
    found = rounding_error(rounded(np.array([0.0, 0.1, -0.3, 0.2])), "bfloat16", CAST, EPISODES)
    assert found.largest == "bob"
    assert found.record()["largest_bias"] == pytest.approx(0.3)


def test_an_error_that_is_the_same_for_all_personas_is_no_bias() -> None:
    found = rounding_error(rounded(np.array([[0.5], [-0.1], [0.2], [0.3]])), "bfloat16", CAST, EPISODES)
    assert found.rms > 0.2
    assert found.resolution == pytest.approx(0.0, abs=1e-12)


def test_beside_a_control_the_bias_is_that_of_the_difference() -> None:
    ours, theirs = np.array([0.0, 0.3, 0.1, 0.0]), np.array([0.0, 0.3, 0.0, 0.2])
    low = rounded(np.vstack([np.tile(ours, (4, 1)), np.tile(theirs, (4, 1))]))
    found = rounding_error(low, "bfloat16", CAST, EPISODES, EPISODES)
    assert found.bias == pytest.approx({"neutral": 0.0, "ann": 0.0, "bob": 0.1, "eve": -0.2})
    assert found.n == 4


def test_progress_counts_both_models() -> None:
    seen: list[tuple[int, int]] = []
    rounding_error(rounded(0.0), "bfloat16", CAST, EPISODES, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(16, 32), (32, 32)]


def test_a_model_that_came_from_no_file_is_not_passed_off_as_exact() -> None:
    low = Known()
    with pytest.raises(RunFailed, match="score in float32"):
        rounding_error(low, "bfloat16", CAST, EPISODES)
    assert low.scored == 0


def test_it_is_read_again_as_it_was_written() -> None:
    import json

    found = rounding_error(rounded(np.array([0.0, 0.1, -0.3, 0.2])), "bfloat16", CAST, EPISODES)
    assert Numerics.from_record(json.loads(json.dumps(found.record()))) == found


# The sample ---------------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 16))
def test_the_sample_is_spread_over_the_lengths(lengths: list[int], rows: int) -> None:
    chosen = evenly_by_length([chat("Hi", "a" * n) for n in lengths], rows)
    assert len(chosen) == len(set(chosen)) == min(rows, len(lengths))
    found = [lengths[place] for place in chosen]
    assert found == sorted(found)
    part = len(lengths) / len(chosen)
    for number, length in enumerate(found):  # each stands for its own part of the file
        assert sum(n < length for n in lengths) < (number + 1) * part
        assert sum(n <= length for n in lengths) > number * part


def test_the_same_file_gives_the_same_sample() -> None:
    episodes = [chat("Hi", "a" * (n % 7 + 1)) for n in range(100)]
    assert evenly_by_length(episodes) == evenly_by_length(list(episodes))


# Ties ---------------------------------------------------------------------------------------------------------------
NAMES = ("neutral", "ann", "bob", "eve")


def test_personas_nearer_than_the_error_are_ties_and_others_are_not() -> None:
    found = Numerics("bfloat16", 8, 0.1, {"neutral": 0.0, "ann": 0.2, "bob": -0.1, "eve": 0.0})
    ties = found.ties({"neutral": 0.0, "ann": 1.0, "bob": 1.2, "eve": 1.45})
    assert ties == {"eve": ("bob",), "bob": ("eve", "ann"), "ann": ("bob",)}


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_ties_are_mutual_and_exactly_those_within_the_resolution(means: list[float], biases: list[float]) -> None:
    found = Numerics("bfloat16", 8, 0.1, dict(zip(NAMES, [0.0, *biases], strict=True)))
    evidence = dict(zip(NAMES, means, strict=True))
    ties = found.ties(evidence)
    assert all(name in ties[other] for name, others in ties.items() for other in others)
    for one, other in combinations(NAMES, 2):
        assert (other in ties.get(one, ())) == (abs(evidence[one] - evidence[other]) < found.resolution)


def test_a_persona_beyond_the_next_one_is_tied_too() -> None:
    found = Numerics("bfloat16", 8, 0.1, {"neutral": 0.0, "ann": 0.2, "bob": -0.1, "eve": 0.0})
    assert found.ties(dict(zip(NAMES, (0.0, 1.0, 1.1, 1.2), strict=True)))["ann"] == ("eve", "bob")


def test_without_an_error_nothing_is_tied() -> None:
    exact = Numerics("bfloat16", 8, 0.0, dict.fromkeys(NAMES, 0.0))
    assert exact.ties(dict.fromkeys(NAMES, 1.0)) == {}
    assert replace(exact, bias={**exact.bias, "ann": 1e-3}).ties(dict.fromkeys(NAMES, 1.0)).keys() == set(NAMES)
