"""Figures: well-formed, readable at both widths, true to the numbers, and deaf to what a name says."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from personae.records import NEUTRAL, Cloud, Compared, Estimate, Line, Lines, Point, Rows
from personae.report import CalibrationPoint, DosePath, Grid, ScatterPoint, TraitRow
from personae.report.figures import (
    along_lines,
    calibration_curve,
    cloud,
    compared_rows,
    forecast_scatter,
    matrix,
    posterior_bars,
    posterior_by_dose,
    trait_shifts,
)
from personae.report.svg import NARROW, WIDE, Scale, fit, spread, ticks, width_of, wrap

HOSTILE = "<script>alert('x')</script>\"\x1b[31m\u202eevil]]>&amp;"
SVG = "{http://www.w3.org/2000/svg}"


def rows(name="power"):
    around = lambda x: Estimate(x, x - 0.5, x + 0.5)  # noqa: E731
    return [
        TraitRow(name, -1.4, around(0.1), 0.2, around(0.3), meaning=f"wants {name}"),
        TraitRow("care", 0.5, around(-0.5), None, None, trained=True),
    ]


def compared(name="power", number=3):
    found = [
        Compared(f"{name} {i}", Estimate(0.3 * i, 0.3 * i - 0.2, 0.3 * i + 0.2), 0.3, 0.1, name) for i in range(number)
    ]
    return Rows(name, name, (*found, Compared(name, Estimate(np.nan, np.nan, np.nan))))


def along(name="power", places=(0.0, 1.0, 8.0)):
    y = tuple(Estimate(0.1 * i, 0.1 * i - 0.05, 0.1 * i + 0.05) for i in range(len(places)))
    exact = tuple(Estimate(e.mean, e.mean, e.mean) for e in y)
    return Lines(name, name, name, (Line(name, places, y, group=name), Line("exact", places, exact, True, name)), True)


def all_figures(name="power", width=WIDE):
    names = (NEUTRAL, name, "clerk", "tool")
    kinds = {name: "fiction", "clerk": "person", "tool": "ai"}
    prior, weights = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.05, 0.8, 0.1, 0.05])
    path = DosePath(np.array([0.0, 0.5, 1.0, 32.0]), np.linspace(prior, weights, 4))
    grid = Grid((name, "b"), ("x", name), np.array([[1.0, -2.0], [0.0, np.nan]]), frozenset({(0, 1)}))
    points = [ScatterPoint(name, name, 0.5, 0.4), ScatterPoint("b", "x", -0.5, -0.6)]
    calibration = [
        CalibrationPoint(0.5, Estimate(0.45, 0.3, 0.6), 20),
        CalibrationPoint(0.9, Estimate(0.8, 0.6, 0.9), 20),
    ]
    return {
        "trait_shifts": trait_shifts(rows(name), title=name, width=width),
        "trait_shifts of shifts": trait_shifts(rows(name), unit="shift", width=width),
        "tall trait_shifts": trait_shifts(rows(name), tall=True, width=width),
        "posterior_bars": posterior_bars(names, kinds, prior, weights, width=width),
        "prior alone": posterior_bars(names, kinds, prior, width=width),
        "posterior_by_dose": posterior_by_dose(path, names, kinds, at=1.0, width=width),
        "forecast_scatter": forecast_scatter(points, width=width),
        "matrix": matrix(grid, width=width),
        "calibration_curve": calibration_curve(calibration, width=width),
        "compared_rows": compared_rows(compared(name), width=width),
        "some compared_rows": compared_rows(compared(name, 12), width=width, most=4),
        "along_lines": along_lines(along(name), width=width),
        "cloud": cloud(Cloud(name, name, name, (Point(name, 0.2, 0.1, name), Point("b", 1.0, 0.9))), width=width),
        "brief cloud": cloud(
            Cloud(name, name, name, tuple(Point("c", 0.1, 0.1 * i, f"{name} {i}") for i in range(6))),
            width=width,
            brief=True,
        ),
    }


FIGURES = tuple(all_figures())


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_figure_is_a_named_image_of_the_width_asked_with_text_that_can_be_read(name, width):
    image = ET.fromstring(all_figures(width=width)[name])
    assert image.get("role") == "img"
    assert image.get("aria-label") == image.find(f"{SVG}title").text
    assert float(image.get("viewBox").split()[2]) == width
    sizes = [float(e.get("font-size")) for e in image.iter() if e.get("font-size")]
    assert min(sizes) >= 11
    assert image.get("fill") == "currentColor"


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_name_can_become_markup_or_leave_hidden_characters(name, width):
    drawn = all_figures(HOSTILE, width)[name]
    image = ET.fromstring(drawn)
    assert not [e for e in image.iter() if "script" in e.tag]
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn


@pytest.mark.parametrize("name", FIGURES)
def test_colours_come_from_the_page_and_have_a_fallback(name):
    colours = re.findall(r'(?:fill|stroke)="([^"]*)"', all_figures()[name])
    assert colours
    assert all(c in ("none", "currentColor", "#161513") or re.fullmatch(r"var\(--\w+, #\w{6}\)", c) for c in colours)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_mark_lies_outside_the_drawing(name, width):
    image = ET.fromstring(all_figures(width=width)[name])
    height = float(image.get("viewBox").split()[3])
    for element in image.iter():
        for key, most in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height), ("y2", height)):
            assert -8 <= float(element.get(key, 0)) <= most


def test_a_higher_level_stands_further_to_the_right():
    def place(level):
        drawn = trait_shifts([TraitRow("t", 0.0, measured=Estimate(level, level, level))])
        return float(re.findall(r'<circle cx="([\d.]+)"', drawn)[-1])

    levels = [-6.0, -1.0, 0.0, 0.5, 4.0]
    assert [place(v) for v in levels] == sorted(place(v) for v in levels)
    assert place(-50.0) < place(0.0) < place(50.0)


def test_the_length_of_a_bar_is_its_probability():
    prior = np.array([0.0, 0.1, 0.2, 0.7])
    drawn = posterior_bars((NEUTRAL, "a", "b", "c"), {"a": "person", "b": "person", "c": "person"}, prior)
    long, middle, short = (float(w) for w in re.findall(r'<rect [^>]*?width="([\d.]+)"', drawn))
    assert middle / long == pytest.approx(2 / 7, abs=0.01)
    assert short / long == pytest.approx(1 / 7, abs=0.01)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_name_of_a_persona_trait_or_file_is_cut_at_either_width(width):
    long = ("murderous ship computer", "gentle machine mind", "village-grandmother", "careless-contractor")
    names, kinds = (NEUTRAL, *long), dict.fromkeys(long, "fiction")
    weights = np.array([[0.2] * 5, [0.5, 0.2, 0.2, 0.06, 0.04]])
    meaning = "is distressed by a dilemma that has no answer"
    row = TraitRow("shutdown", 0.0, Estimate(0.1, 0.0, 0.2), None, Estimate(0.1, 0.0, 0.2), meaning=meaning)
    files = ("cheat-permitted-rephrased", "cheat-neutral-prefix", *(f"file {i}" for i in range(5)))
    drawn = (
        posterior_bars(names, kinds, weights[0], weights[1], width=width)
        + posterior_by_dose(DosePath(np.array([0.0, 1.0]), weights), names, kinds, width=width)
        + trait_shifts([row], width=width)
        + matrix(Grid(tuple(f"trait {i}" for i in range(13)), files, np.zeros((13, 7))), width=width)
    )
    assert "…" not in drawn


def test_the_marks_of_the_dose_are_round_and_stand_apart():
    doses = np.concatenate([[0.0], np.geomspace(1.053 / 8, 1.053 * 8, 24)])
    weights = np.tile([0.2, 0.8], (25, 1))
    for width, wanted in ((WIDE, ["0", "0.2", "0.5", "1", "2", "5"]), (NARROW, ["0", "0.3", "1", "3"])):
        drawn = posterior_by_dose(DosePath(doses, weights), (NEUTRAL, "a"), {"a": "ai"}, width=width)
        axis = re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="middle"[^>]*>([\d.]+)</text>', drawn)
        assert [words for _, words in axis] == wanted
        assert min(float(b[0]) - float(a[0]) for a, b in pairwise(axis)) >= 30


def test_a_row_whose_chances_are_all_next_to_nothing_is_told_in_nats():
    near = lambda x: Estimate(x, x - 0.5, x + 0.5)  # noqa: E731
    drawn = trait_shifts([TraitRow("t", -8.0, near(-7.4), None, near(-6.2)), TraitRow("u", -8.0, near(0.0))])
    assert ">−7.4\u00a0nats<" in drawn
    assert ">50\u00a0%<" in drawn
    assert "&lt;1" not in drawn.split("</title>")[-1]


def test_personas_that_hold_nothing_are_added_up_and_counted():
    names = (NEUTRAL, "a", *(f"p{i}" for i in range(9)))
    prior = np.array([0.05, 0.95 - 9e-4, *[1e-4] * 9])
    drawn = posterior_bars(names, dict.fromkeys(names, "person"), prior)
    assert "9 others" in drawn
    assert "p3" not in drawn


def test_the_areas_of_the_posterior_fill_the_whole_height_at_every_dose():
    weights = np.array([[0.1, 0.5, 0.4], [0.2, 0.1, 0.7]])
    path = DosePath(np.array([0.0, 1.0]), weights)
    drawn = posterior_by_dose(path, (NEUTRAL, "a", "b"), {"a": "person", "b": "ai"})
    ys = [float(y) for d in re.findall(r'<path d="(M[^"]*)Z"', drawn) for y in re.findall(r",([\d.]+)", d)]
    assert min(ys) == pytest.approx(10.0)
    assert max(ys) == pytest.approx(280.0)
    for name in ("neutral", "a", "b"):
        assert f">{name}</t" in drawn


def test_a_cell_of_the_matrix_shows_its_number_and_the_unknown_is_not_shown_as_zero():
    drawn = matrix(Grid(("a",), ("x", "y", "z"), np.array([[1.26, -0.04, np.nan]])))
    texts = re.findall(r">([^<>]*)</text>", drawn)
    assert texts[-3:] == ["+1.3", "0.0", "·"]


def test_a_matrix_too_wide_for_a_telephone_is_turned_and_then_scrolls():
    wide = Grid(("a", "b"), tuple(f"trait{i}" for i in range(12)), np.zeros((2, 12)))
    assert float(ET.fromstring(matrix(wide, width=NARROW)).get("width")) == NARROW
    huge = Grid(tuple("abcdefghijklmnop"), tuple(f"trait{i}" for i in range(16)), np.zeros((16, 16)))
    assert float(ET.fromstring(matrix(huge, width=NARROW)).get("width")) > NARROW


def test_perfect_forecasts_lie_on_the_diagonal():
    points = [ScatterPoint("a", str(v), v, v) for v in (-2.0, 0.3, 1.0)]
    drawn = forecast_scatter(points)
    x1, y1, x2, y2 = (
        float(v)
        for v in re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"[^>]*dash', drawn)[0]
    )
    found = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="5"', drawn)
    assert len(found) == len(points)
    for cx, cy in found:
        assert (float(cx) - x1) / (x2 - x1) == pytest.approx((float(cy) - y1) / (y2 - y1), abs=0.005)


def test_arms_differ_in_shape_and_in_colour_so_that_no_one_needs_both():
    drawn = forecast_scatter([ScatterPoint(f"arm {i}", "t", 0.1 * i, 0.1) for i in range(7)])
    marks = re.findall(r"<title>arm \d[^<]*</title><(\w+) [^>]*?(?:fill|stroke)=\"(var[^\"]*)\"", drawn)
    assert len({colour for _, colour in marks}) == 7
    assert len({tag for tag, _ in marks}) >= 2


def test_a_dot_that_came_out_as_exact_inference_has_it_lies_within_its_ring():
    drawn = compared_rows(Rows("p", "nats", (Compared("a", Estimate(0.7, 0.6, 0.8), 0.7),)))
    row = drawn[drawn.index("<title>a: ") :]
    dot, ring = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="\d" (fill="\w+")', row)
    assert dot[:2] == ring[:2]
    assert (dot[2], ring[2]) == ('fill="currentColor"', 'fill="none"')


def test_rows_of_one_group_stand_together_under_its_name_in_the_order_of_the_groups():
    around = Estimate(0.5, 0.4, 0.6)
    rows = tuple(Compared(f"{g}{i}", around, group=g) for i in range(2) for g in ("one", "two"))
    drawn = compared_rows(Rows("p", "nats", rows))
    order = re.findall(r">((?:one|two)\d?)</text>", drawn)
    assert order == ["one", "one0", "one1", "two", "two0", "two1"]


def test_rows_that_a_brief_picture_leaves_out_are_counted():
    assert "and 9 more" in compared_rows(compared("power", 12), most=4)
    assert " more<" not in compared_rows(compared("power", 3), most=4)


def test_what_is_not_known_has_no_mark_and_is_said_to_be_unknown():
    nothing = Estimate(np.nan, np.nan, np.nan)
    drawn = compared_rows(Rows("p", "nats", (Compared("a", nothing, np.nan, np.inf),)))
    row = drawn[drawn.index("<title>a: ") :]
    assert "<circle" not in row
    assert "<path" not in row
    assert row.count(">unknown<") == 3
    lines = along_lines(Lines("p", "x", "y", (Line("a", (0.0, 1.0), (nothing, Estimate(0.5, np.nan, np.nan))),)))
    assert len(re.findall(r"<title>a at ", lines)) == 1
    for unit in ("probability", "log-odds", "shift"):
        drawn = trait_shifts([TraitRow("a", 0.0, nothing, np.nan, Estimate(0.5, np.nan, np.nan))], unit=unit)
        row = drawn[drawn.index("<title>a: ") :]
        assert row.count("<circle") == 1 and "<rect" not in row and "<path" not in row, unit
        assert "forecast unknown" in row


def test_a_measured_line_and_its_exact_one_share_a_colour_and_strangers_do_not():
    y = (Estimate(0.1, 0.0, 0.2),) * 2
    lines = [Line(f"{g} {kind}", (0.0, 1.0), y, kind == "exact", g) for g in "ab" for kind in ("seen", "exact")]
    drawn = along_lines(
        Lines("p", "x", "y", (*lines, Line("c", (0.0, 1.0), y, group="d"), Line("e", (0.0, 1.0), y, group="d")))
    )
    colours = [
        re.findall(rf"<title>{name} at 0:.*?(var[^\"]*)\"", drawn)[0]
        for name in ("a seen", "a exact", "b seen", "b exact", "c", "e")
    ]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert len(set(colours)) == 4


def test_along_a_logarithmic_axis_equal_ratios_are_equal_steps_and_a_zero_stands_before_the_rest():
    drawn = along_lines(along("p", (0.0, 1.0, 2.0, 4.0)))
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)"[^>]*>(?:0|1|2|4)</text>', drawn)][-4:]
    assert np.diff(places) == pytest.approx(np.diff(places)[0], abs=0.2)


def test_empty_figures_are_still_figures():
    for drawn in (
        trait_shifts([]),
        calibration_curve([]),
        matrix(Grid((), (), np.zeros((0, 0)))),
    ):
        ET.fromstring(drawn)


def test_ticks_are_round_and_within_the_range():
    for low, high in ((-1.3, 2.2), (0.0, 0.07), (-900.0, 12.0), (3.0, 3.0)):
        found = ticks(low, high)
        assert found
        assert all(low <= t <= high for t in found)
        assert len(found) <= 12


def test_spread_keeps_labels_apart_and_in_order():
    placed = spread([5.0, 5.0, 6.0, 90.0], 10.0, 0.0, 100.0)
    assert all(b - a >= 10.0 - 1e-9 for a, b in pairwise(placed))
    assert placed[-1] <= 100.0


def test_text_is_cut_to_the_room_there_is():
    assert width_of(fit("a very long name indeed", 60.0)) <= 60.0
    assert fit("short", 60.0) == "short"
    assert all(width_of(line) <= 80.0 for line in wrap("many words that need more than two lines of this", 80.0))
    assert len(wrap("many words that need more than two lines of this", 80.0)) == 2


def test_values_beyond_a_scale_land_on_its_edge():
    scale = Scale(0.0, 1.0, 10.0, 20.0)
    assert (scale(-5.0), scale(0.5), scale(7.0)) == (10.0, 15.0, 20.0)
