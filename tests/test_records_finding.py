"""Laws of a finding: its verdict follows from bars that were fixed beforehand, and from nothing else."""

from itertools import product

import pytest

from personae.records import Bar, Finding, Rows


def finding(*bars: Bar) -> Finding:
    return Finding("one", "One", "claim", "sentence", "meaning", Rows("picture", "nats", ()), bars, ("control",))


def test_a_bar_is_met_at_its_edge_and_on_its_own_side_only():
    assert Bar("r", 0.85, 0.85).met
    assert not Bar("r", 0.849, 0.85).met
    assert Bar("error", 0.05, 0.05, at_least=False).met
    assert not Bar("error", 0.051, 0.05, at_least=False).met


@pytest.mark.parametrize("met", list(product([True, False], repeat=2)))
def test_the_verdict_is_what_the_bars_say(met):
    bars = [Bar("r", 1.0 if m else 0.0, 0.5) for m in met]
    expected = {(True, True): "holds", (False, False): "does not hold"}.get(met, "holds in part")
    assert finding(*bars).verdict == expected


def test_a_value_that_is_not_a_number_is_no_verdict():
    assert finding(Bar("r", float("nan"), 0.5), Bar("n", 1.0, 0.5)).verdict == "cannot be told"
    assert finding().verdict == "cannot be told"
    assert not Bar("r", float("nan"), 0.5).met
    assert not Bar("r", float("nan"), 0.5, at_least=False).met
