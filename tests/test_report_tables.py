"""Tables say the same on a page and on a terminal, and nothing in a cell can act on either."""

import re

import numpy as np

from personae.records import Estimate, Forecast, Posterior, Profile, Score, TraitForecast, TraitLevel
from personae.report import Table, TraitRow, to_html, to_terminal
from personae.report.tables import forecast_table, posterior_table, profile_table, score_table, shift_table

HOSTILE = "[bold]x[/bold]\x1b[31m<img src=x onerror=alert(1)>\u202e\n\r next"


def words_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_html_and_terminal_carry_the_same_cells():
    table = Table(("persona", "before"), (("clerk", "12 %"), ("tool", "3 %")), "Who", frozenset({1}))
    for cell in ("persona", "before", "clerk", "12 %", "tool", "3 %", "Who"):
        assert cell in words_of(to_html(table))
        assert cell in to_terminal(table)


def test_hostile_cells_are_escaped_in_html_and_plain_on_a_terminal():
    table = Table((HOSTILE, "n"), ((HOSTILE, HOSTILE),), HOSTILE)
    html = to_html(table)
    assert "<img" not in html
    assert "\x1b" not in html
    shown = to_terminal(table, 200)
    assert "[bold]x[/bold]" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_a_terminal_table_keeps_to_its_width():
    table = Table(("a", "b"), (("word " * 40, "word " * 40),))
    assert max(map(len, to_terminal(table, 60).splitlines())) <= 60


def test_posterior_table_puts_the_largest_change_first():
    posterior = Posterior(("neutral", "a", "b"), np.array([0.2, 0.6, 0.2]), np.array([0.35, 0.55, 0.1]), 1.0)
    assert [row[0] for row in posterior_table(posterior).rows] == ["neutral", "b", "a"]


def test_posterior_table_names_those_that_are_not_told_apart_where_there_are_any():
    posterior = Posterior(("neutral", "a", "b"), np.array([0.2, 0.5, 0.3]), np.array([0.2, 0.1, 0.7]), 1.0)
    tied = posterior_table(posterior, ties={"a": ("neutral",), "neutral": ("a",)})
    assert tied.columns[-1] == "not told apart from"
    assert {row[0]: row[-1] for row in tied.rows} == {"a": "neutral", "neutral": "a", "b": ""}
    assert posterior_table(posterior, ties={}) == posterior_table(posterior)


def test_forecast_table_orders_by_size_and_gives_the_interval_of_the_shift():
    forecast = Forecast("p", 1.0, {"a": TraitForecast(0.0, 0.1, -0.2, 0.4), "b": TraitForecast(1.0, -1.0, -2.0, 0.0)})
    table = forecast_table(forecast)
    assert [row[0] for row in table.rows] == ["b", "a"]
    assert table.rows[0][2:] == ("−2.00", "−3.00 to −1.00")


def test_a_chance_that_stays_next_to_nothing_is_said_in_words_and_not_as_two_equal_numbers():
    rare = Forecast("p", 1.0, {"a": TraitForecast(-9.0, -8.0, -8.5, -7.5), "b": TraitForecast(9.0, 8.0, 7.5, 8.5)})
    chances = {row[0]: row[1] for row in forecast_table(rare).rows}
    assert chances == {"a": "hardly ever, before and after", "b": "nearly always, before and after"}


def test_profile_and_score_tables_say_unknown_rather_than_nan():
    profile = profile_table(Profile("m", {"a": TraitLevel(0.5, 0.1, 0.9, 24)}))
    assert profile.rows == (("a", "+0.50", "+0.10 to +0.90", "24", ""),)
    score = score_table({"x": Score(float("nan"), 0.5, 1.0, 0.9, 4, {"one direction": 0.4})})
    assert score.rows[0][1] == "unknown"
    assert score.rows[1][:2] == ("floor: one direction", "0.40")


def test_a_profile_marks_what_cannot_be_shown_and_has_the_shipped_reliability_beside_the_measured():
    levels = {t: TraitLevel(0.5, 0.1, 0.9, 24, r) for t, r in (("a", 0.8), ("b", 0.3), ("c", None))}
    rows = profile_table(Profile("m", levels), 0.5, {"a": 0.75}).rows
    assert [row[4:6] for row in rows] == [("0.80", "0.75"), ("0.30", ""), ("", "")]
    assert [row[6] for row in rows] == ["", "this model cannot show it", "this model cannot show it"]
    assert {len(row) for row in profile_table(Profile("m", {"a": levels["a"]}), 0.5).rows} == {5}


def test_shift_table_leaves_out_columns_that_nobody_filled():
    rows = [TraitRow("a", 0.0, Estimate(0.1, 0.0, 0.2)), TraitRow("b", 0.0, Estimate(0.3, 0.2, 0.4), trained=True)]
    assert shift_table(rows, shifts=True).columns == ("trait", "forecast")
    assert shift_table(rows, shifts=True).rows[0][1] == "+0.10 [0.00, +0.20]"
    assert shift_table(rows).columns[1] == "before"
    assert shift_table(rows).rows[1][0] == "b (trained)"
