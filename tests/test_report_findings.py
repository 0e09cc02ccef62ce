"""Findings on a terminal, as Markdown and as tables: numbers agree everywhere, and no text can act."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from personae.records import Bar, Cloud, Compared, Estimate, Finding, Line, Lines, Matrix, Point, Rows, Took
from personae.report import finding_words, picture_svg, studies_index_markdown, study_markdown, study_page
from personae.report.figures import picture_drawing
from personae.report.finding_tables import picture_table
from personae.report.finding_words import verdict_counts
from personae.report.study_markdown import escaped
from personae.report.svg import MUTED, NARROW, WIDE, width_of
from personae.report.units import bar_words, numbers_of, picture_unit, unit_of
from personae.report.untrusted import visible

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:y) | **b** `c` $m$ \x1b[31m\u202e {{ 7 * 7 }} @who "
    "https://example.org www.example.org"
)

UNITS = st.sampled_from(
    ["nats", "probability", "share of the change", "change in probability", "seconds", "loss, nats"]
)
LABELS = st.text(st.characters(categories=("L", "N", "P", "Zs", "Cc")), max_size=60)
NUMBERS = st.one_of(
    st.floats(-50, 50), st.floats(0, 1), st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, 0.0])
)


@st.composite
def estimates(draw):
    mean, below, above = draw(NUMBERS), draw(st.floats(0, 5)), draw(st.floats(0, 5))
    return Estimate(mean, mean - below, mean + above)


@st.composite
def some_rows(draw):
    maybe = st.none() | NUMBERS
    row = st.builds(Compared, LABELS, estimates(), maybe, maybe, st.sampled_from(["", "one", "two"]) | LABELS)
    return Rows(draw(LABELS), draw(UNITS), tuple(draw(st.lists(row, min_size=1, max_size=6))), draw(st.floats(-2, 2)))


@st.composite
def some_lines(draw):
    places = tuple(sorted(draw(st.sets(st.floats(0, 1e7), min_size=1, max_size=6))))
    several = st.tuples(*(estimates() for _ in places))
    line = st.builds(Line, LABELS, st.just(places), several, st.booleans(), st.sampled_from(["", "one", "two"]))
    lines = tuple(draw(st.lists(line, min_size=1, max_size=4)))
    return Lines(draw(LABELS), draw(LABELS), draw(UNITS), lines, draw(st.booleans()))


@st.composite
def some_clouds(draw):
    point = st.builds(Point, LABELS, NUMBERS, NUMBERS, st.sampled_from(["", "one", "two"]))
    return Cloud(draw(LABELS), draw(UNITS), draw(UNITS), tuple(draw(st.lists(point, min_size=1, max_size=8))))


@st.composite
def some_matrices(draw):
    rows, columns = (tuple(draw(st.lists(LABELS, min_size=1, max_size=4))) for _ in range(2))
    values = tuple(tuple(draw(NUMBERS | st.just(float("nan"))) for _ in columns) for _ in rows)
    marked = draw(st.sets(st.tuples(st.integers(0, len(rows) - 1), st.integers(0, len(columns) - 1)), max_size=3))
    return Matrix(draw(LABELS), draw(UNITS), rows, columns, values, tuple(marked))


PICTURES = st.one_of(some_rows(), some_lines(), some_clouds(), some_matrices())
few = settings(max_examples=25)  # drawing many pictures takes seconds


def finding(picture=None, *bars: Bar, **changes) -> Finding:
    told = {
        "study": "one",
        "title": "One",
        "claim": "It is so.",
        "sentence": "It was so.",
        "meaning": "Do so.",
        "picture": picture or Rows("Picture", "nats", (Compared("a", Estimate(0.5, 0.4, 0.6), 0.55, 0.45, "g"),)),
        "bars": bars or (Bar("r", 0.9, 0.85),),
        "controls": ("another",),
    }
    return Finding(**(told | changes))


# --- numbers ------------------------------------------------------------------------------------------------------


@few
@given(PICTURES, st.sampled_from([WIDE, NARROW]))
def test_every_number_that_a_picture_shows_is_in_its_table(picture, width):
    image = ET.fromstring(picture_drawing(picture, width=width))
    words = " ".join(" ".join(row) for row in picture_table(picture).rows)
    unit = picture_unit(picture)
    known = {unit.say(v) for v in numbers_of(picture)}
    assert all(number in words for number in known)
    values = [t for t in image.iter(f"{SVG}text") if t.get("text-anchor") == "end" and t.get("fill") != MUTED]
    assert isinstance(picture, Matrix) or {t.text for t in values} <= known  # whose rows are named at that end


@few
@given(PICTURES, st.sampled_from([WIDE, NARROW]), st.booleans())
def test_no_word_and_no_mark_of_a_picture_lies_outside_it(picture, width, brief):
    image = ET.fromstring(picture_drawing(picture, width=width, brief=brief))
    _, _, wide, high = map(float, image.get("viewBox").split())
    assert wide == width
    for text in image.iter(f"{SVG}text"):
        if text.get("transform"):
            continue
        long = width_of(text.text or "", float(text.get("font-size", 13)))
        x = float(text.get("x")) - long * {"end": 1.0, "middle": 0.5}.get(text.get("text-anchor"), 0.0)
        assert x >= -1
        assert x + long <= wide + 1
        assert 8 <= float(text.get("y")) <= high
    for mark in image.iter(f"{SVG}circle"):
        assert -8 <= float(mark.get("cx")) <= wide
        assert 0 <= float(mark.get("cy")) <= high


@few
@given(PICTURES)
def test_a_picture_as_a_file_is_sound_and_brings_its_own_colours_for_light_and_dark(picture):
    drawn = picture_svg(picture)
    image = ET.fromstring(drawn)
    style = image.find(f"{SVG}style").text
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    for name in set(re.findall(r"var\(--(\w+)", drawn)):
        assert f"--{name}:#" in light
        assert f"--{name}:#" in dark
    assert not re.search(r"(?:href|src|url)", re.sub(r"<(?:title|text)[^>]*>[^<]*|aria-label=\"[^\"]*\"", "", drawn))


@given(st.floats(-10, 10), st.floats(-1, 1).map(lambda v: v / 1000), st.booleans())
def test_the_digits_of_a_bar_show_whether_it_is_met(bar, beside, at_least):
    value = round(bar + beside, 6)
    shown, asked, result = bar_words(Bar("r", value, round(bar, 6), at_least))
    read, limit = (float(words.split()[-1].replace("−", "-")) for words in (shown, asked))
    assert (read >= limit if at_least else read <= limit) == (result == "met")


@given(st.floats(-500, 500), st.floats(-500, 500), st.booleans())
def test_a_bar_is_not_rounded_away_beside_a_large_value(value, bar, at_least):
    value, bar = round(value, 3), round(bar, 3)
    shown, asked, result = bar_words(Bar("r", value, bar, at_least))
    read, limit = (float(words.split()[-1].replace("−", "-")) for words in (shown, asked))
    assert limit == pytest.approx(bar, rel=0.1)
    assert (read >= limit if at_least else read <= limit) == (result == "met")


def test_a_value_without_end_is_written_as_such_and_judged():
    assert bar_words(Bar("r", math.inf, 0.5)) == ("∞", "at least 0.50", "met")
    assert bar_words(Bar("r", -math.inf, 0.5)) == ("−∞", "at least 0.50", "missed")
    assert bar_words(Bar("r", math.nan, 0.5))[0] == "unknown"


def test_a_unit_is_read_off_its_words_and_digits_off_its_numbers():
    def say(words, value, *others):
        return unit_of(words, [value, *others]).say(value).replace("\u00a0", " ")

    assert say("nats", 0.5) == "+0.50"
    assert say("KL divergence, nats", 0.5) == "0.50"
    assert say("probability", 0.123, 0.5) == "12 %"
    assert say("probability", 0.023) == "2.3 %"
    assert say("share of the change explained", 0.96, 0.7) == "96 %"
    assert say("change in probability", -0.24, 0.3) == "−24 points"
    assert say("episodes", 12.5) == "12.5"
    assert say("episodes", math.nan) == "unknown"


# --- words --------------------------------------------------------------------------------------------------------


def test_the_terminal_tells_title_sentence_numbers_bars_and_verdict():
    words = finding_words(finding(None, Bar("r", 0.8, 0.85), Bar("n", 3, 2), notes=("A note.",)))
    for text in ("One", "It is so.", "It was so.", "+0.50", "+0.40 to +0.60", "+0.55", "+0.45", "Note: A note."):
        assert text in words
    assert re.search(r"r +0.80 +at least 0.85 +missed", words)
    assert words.rstrip().endswith("The claim holds in part: 1 of 2 bars met.")


@few
@given(PICTURES, st.text(max_size=80))
def test_no_finding_can_act_on_a_terminal_and_lines_keep_their_width(picture, text):
    told = dict.fromkeys(("title", "claim", "sentence", "meaning"), text + "\x1b[31m")
    words = finding_words(finding(picture, Bar(text, 1.0, 0.5), **told, notes=(text,)), 100)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", words)
    assert len(max(words.splitlines(), key=len)) <= 100


def test_verdicts_are_counted():
    good, bad = finding(), finding(None, Bar("r", 0.1, 0.85))
    assert verdict_counts((good, good, bad)) == "2 of 3 claims hold; 1 does not hold."
    assert verdict_counts((good,)) == "1 of 1 claim holds."
    assert verdict_counts(()) == "0 of 0 claims hold."


# --- Markdown -----------------------------------------------------------------------------------------------------

READ = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def text_of(markdown):
    """What a reader sees of a line of Markdown, and whether anything in it is more than text."""
    (_, inline, _) = READ.parse(markdown)
    kinds = {child.type for child in inline.children}
    return "".join(child.content for child in inline.children), kinds


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60))
def test_escaped_text_reads_as_itself(text):
    wanted = " ".join(visible(text).split())
    if wanted:
        shown, kinds = text_of(escaped(text))
        assert shown == wanted
        assert kinds <= {"text", "text_special"}


@pytest.mark.parametrize("start", ["# a", "- a", "+ a", "> a", "1. a", "23) a", "===", "---", "    a", "| a |", "~~~"])
def test_no_text_can_begin_a_heading_a_list_or_a_quotation(start):
    assert text_of(escaped(start))[0] == start.strip()


def test_no_text_of_a_finding_is_markup_in_its_page_or_in_the_table_of_all():
    rows = Rows(HOSTILE, "nats", tuple(Compared(HOSTILE, Estimate(0.5, 0.4, 0.6), group=HOSTILE) for _ in range(30)))
    told = dict.fromkeys(("study", "title", "claim", "sentence", "meaning", "command"), HOSTILE)
    hostile = finding(rows, Bar(HOSTILE, 1.0, 0.5), **told, controls=(HOSTILE,), notes=(HOSTILE,), more=(rows,))
    clean = finding(
        Rows("p", "nats", tuple(Compared("a", Estimate(0.5, 0.4, 0.6), group="g") for _ in range(30))),
        command="c",
        notes=("n",),
        more=(rows,),
    )
    for write in (lambda f: study_markdown(f, ("a.svg", "b.svg")), lambda f: studies_index_markdown((f,))):
        kinds = [[t.type for t in READ.parse(write(f))] for f in (hostile, clean)]
        assert kinds[0] == kinds[1]
        html = READ.render(write(hostile))
        assert "<script" not in html
        assert not re.search(r"href=\"(?!%3Cscript)", html)
        assert not re.search(r"[\x1b\u202e]", html)


def test_the_markdown_page_tells_all_of_a_finding_and_shows_its_picture():
    page = study_markdown(
        finding(command="personae study one", trainings=9, seeds=3, notes=("A note.",)), ("figures/a b.svg",)
    )
    for text in (
        "# One\n",
        "It is so.",
        "**It was so.**",
        "**holds**",
        "![Picture](figures/a%20b.svg)",
        "| r | 0.90 | at least 0.85 | met |",
        "| g | a | +0.50 | +0.40 to +0.60 | +0.55 | +0.45 |",
        "Do so.",
        "- another",
        "- A note.",
        "9 trainings, 3 seeds each.",
        "```sh\npersonae study one\n```",
    ):
        assert text in page


def test_a_long_table_is_folded_in_markdown():
    point = Point("a", 0.1, 0.2)
    assert "<details>" not in study_markdown(finding(Cloud("c", "x", "y", (point,) * 20)), ("a.svg",))
    assert "<details><summary>c (21 rows)" in study_markdown(finding(Cloud("c", "x", "y", (point,) * 21)), ("a.svg",))


def test_the_longest_tables_are_cut_and_say_so():
    cells = Cloud("c", "x", "y", tuple(Point(f"cell {i}.", 0.1, 0.2) for i in range(70)))
    page = study_markdown(finding(cells), ("a.svg",))
    assert "c (70 rows)" in page and "and 10 more, in the report." in page
    assert "cell 59." in page and "cell 60." not in page


def test_every_picture_stands_on_the_markdown_page_with_its_numbers_under_it():
    more = tuple(Cloud(f"cloud {i}", "x", "y", (Point(f"in {i}", 0.1, 0.2),)) for i in range(2))
    page = study_markdown(finding(more=more), ("a.svg", "b.svg", "c.svg"))
    order = ["![Picture](a.svg)", "![cloud 0](b.svg)", "in 0", "![cloud 1](c.svg)", "in 1"]
    assert [page.count(one) for one in order] == [1] * 5
    assert sorted(order, key=page.index) == order
    with pytest.raises(ValueError):
        study_markdown(finding(more=more), ("a.svg",))


def test_where_nothing_was_trained_it_says_so_everywhere():
    trained = finding(trainings=9, seeds=3)
    for write in (finding_words, lambda f: study_markdown(f, ("a.svg",))):
        assert "9 trainings, 3 seeds each." in write(trained)
        assert "Nothing was trained" in write(finding()) and "seed" not in write(finding())


def test_how_long_a_study_took_is_told_everywhere_where_it_is_known():
    known = finding(trainings=15, seeds=3, took=Took(484.2, 2, 4))
    for words in (finding_words(known), study_markdown(known, ("one.svg",)), study_page(known)):
        assert "8 min 4 s with 2 workers on 4 cores" in words.replace("\u00a0", " ")
    assert "15 trainings, 3 seeds each; 8 min" in finding_words(known).replace("\u00a0", " ")
    older = finding(trainings=15, seeds=3)
    for words in (finding_words(older), study_markdown(older, ("one.svg",)), study_page(older)):
        assert "worker" not in words


def test_the_table_of_all_says_of_each_what_was_found_and_how_many_bars_it_met():
    short = finding(bars=(Bar("r", 0.9, 0.8), Bar("n", 1.0, 2.0)), study="two")
    table = studies_index_markdown((finding(), short)).replace("\u00a0", " ")
    assert "1 of 2 claims hold" in table
    assert "| [One](one.md) | It is so. | It was so. | **holds**, 1 of 1 bar met |" in table
    assert "| [One](two.md) | It is so. | It was so. | **holds in part**, 1 of 2 bars met |" in table
