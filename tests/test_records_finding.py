"""Laws of a finding: its verdict follows from bars that were fixed beforehand, and from nothing else."""

from itertools import product

import pytest

from personae.records import Bar, Cloud, Compared, Estimate, Finding, Line, Lines, Matrix, Rows

ONE = Estimate(0.5, 0.4, 0.6)


def finding(*bars: Bar) -> Finding:
    return Finding(
        "one", "One", "claim", "sentence", "meaning", Rows("picture", "nats", (Compared("a", ONE),)), bars, ("control",)
    )


def test_a_bar_is_met_at_its_edge_and_on_its_own_side_only():
    assert Bar("r", 0.85, 0.85).met
    assert not Bar("r", 0.849, 0.85).met
    assert Bar("error", 0.05, 0.05, at_least=False).met
    assert not Bar("error", 0.051, 0.05, at_least=False).met


@pytest.mark.parametrize("met", [met for bars in (1, 2, 3, 4) for met in product([True, False], repeat=bars)])
def test_a_claim_holds_where_all_bars_are_met_and_in_part_where_half_are(met):
    bars = [Bar("r", 1.0 if m else 0.0, 0.5) for m in met]
    expected = "holds" if all(met) else "holds in part" if met.count(True) >= met.count(False) else "does not hold"
    assert finding(*bars).verdict == expected


def test_a_value_that_is_not_a_number_is_no_verdict():
    assert finding(Bar("r", float("nan"), 0.5), Bar("n", 1.0, 0.5)).verdict == "cannot be told"
    assert finding().verdict == "cannot be told"
    assert not Bar("r", float("nan"), 0.5).met
    assert not Bar("r", float("nan"), 0.5, at_least=False).met


@pytest.mark.parametrize("y", [(), (ONE,), (ONE, ONE, ONE)])
def test_a_line_without_a_value_for_each_place_is_refused(y):
    with pytest.raises(ValueError, match=f"'seen' has 2 places and {len(y)} values"):
        Line("seen", (1.0, 2.0), y)


@pytest.mark.parametrize("make", [Rows, Cloud, Lines, Line])
def test_a_picture_of_nothing_is_refused_by_its_name(make):
    words = {Line: ("seen",), Rows: ("seen", "nats")}.get(make, ("seen", "x", "y"))
    empty = ((), ()) if make is Line else ((),)
    with pytest.raises(ValueError, match=r"'seen' has no (places|rows|points|lines)"):
        make(*words, *empty)


def test_a_place_below_zero_is_refused_on_a_logarithmic_axis_alone():
    line = Line("seen", (-1.0, 1.0), (ONE, ONE))
    assert Lines("p", "x", "y", (line,)).lines == (line,)
    with pytest.raises(ValueError, match="'seen' has a place below zero"):
        Lines("p", "x", "y", (line,), log_x=True)


def test_a_matrix_has_one_number_for_each_cell():
    Matrix("m", "nats", ("a", "b"), ("x",), ((1.0,), (2.0,)))
    with pytest.raises(ValueError, match="'m' has not one number for each cell"):
        Matrix("m", "nats", ("a", "b"), ("x",), ((1.0,), (2.0, 3.0)))
    with pytest.raises(ValueError, match="'m' has no cells"):
        Matrix("m", "nats", (), ("x",), ())
