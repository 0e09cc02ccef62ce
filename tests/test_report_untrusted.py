"""Text from data sets and models cannot act: not on a page, not on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.report.untrusted import esc, for_terminal, shorten, visible

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)
HOSTILE = "<script>alert(1)</script>\x1b[31m\x1b]8;;http://x\x07\u202egpj.exe\u2066\x00\"'&\x9b2J\ud800"


# Signs that stand before a number, which are seen though their category is Cf.
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# Default_Ignorable_Code_Point beside what is Cf.
FILLERS = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2065, 0x3164, *range(0xFE00, 0xFE10)}
IGNORABLE = FILLERS | {0xFFA0, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)}
EMOJI = ("❤️", "👩🏽‍🚀", "🏳️‍🌈", "❤️‍🔥", "🙂‍↔️", "1️⃣ #️⃣", "‼️", "\u2139\ufe0f", "👨‍👩‍👧", "🇩🇪")


def hidden(text: str) -> list[str]:
    """Characters that act or do not show; line feeds and tabs aside, and what holds an emoji together."""
    return [c for c in text if _hides(c) and c not in "\n\t\ufe0f\u200d"]


def _hides(c: str) -> bool:
    acts = unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in SEEN
    return acts or ord(c) in IGNORABLE


def test_a_character_is_shown_by_its_code_where_unicode_says_that_it_is_not_seen():
    known = (chr(n) for n in range(0x110000) if n in IGNORABLE or unicodedata.category(chr(n)) != "Cn")
    assert [c for c in known if (visible(c) != c) != (_hides(c) and c not in "\n\t")] == []


@pytest.mark.parametrize("emoji", EMOJI)
def test_an_emoji_stays_whole(emoji):
    assert visible(f"a {emoji}b") == f"a {emoji}b"
    assert for_terminal(f"a {emoji}b") == f"a {emoji}b"


@pytest.mark.parametrize(
    "text", ["a\ufe0f", "❤\ufe0f\ufe0f", "1\ufe0f", "❤\u200d", "\u200d❤", "a\u200db", "❤\u200da", "\ufe0f\u20e3"]
)
def test_what_holds_emoji_together_is_hidden_anywhere_else(text):
    assert "⟨U+" in visible(text)
    assert len(for_terminal(text)) < len(text)


@given(ANY)
def test_nothing_hidden_is_left_on_a_page(text):
    assert hidden(visible(text)) == []


@given(ANY)
def test_nothing_hidden_is_left_on_a_terminal_and_it_is_one_line(text):
    shown = for_terminal(text)
    assert hidden(shown) == []
    assert "\n" not in shown
    assert "\t" not in shown


@given(ANY)
def test_escaped_text_holds_no_character_that_markup_could_begin_or_end_with(text):
    assert not set(esc(text)) & set("<>\"'")
    esc(text).encode()


@given(
    st.text(
        alphabet=st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u115f\u1160\u3164\uffa0"),
        max_size=60,
    )
)
def test_ordinary_text_is_left_as_it_is(text):
    assert visible(text) == text


def test_a_reader_of_a_page_sees_that_something_was_hidden():
    assert "⟨U+202E⟩gpj.exe" in visible(HOSTILE)
    assert "␛[31m" in visible(HOSTILE)
    assert "␀" in visible(HOSTILE)


def test_a_terminal_gets_the_words_without_the_remains_of_escape_sequences():
    assert for_terminal("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain\x9b2J") == "red and plain"
    assert for_terminal("a\rb\r\nc") == "ab c"


@given(ANY, st.integers(1, 40))
def test_shortened_text_is_never_longer_than_asked(text, length):
    assert len(shorten(text, length)) <= length
