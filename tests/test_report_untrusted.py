"""Text from data sets and models cannot act: not on a page, not on a terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from personae.report.untrusted import esc, for_terminal, shorten, visible

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)
HOSTILE = "<script>alert(1)</script>\x1b[31m\x1b]8;;http://x\x07\u202egpj.exe\u2066\x00\"'&\x9b2J\ud800"


def hidden(text: str) -> list[str]:
    """Characters that act or do not show, line feeds and tabs aside."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"] + [
        c for c in text if c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff"
    ]


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


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u00ad"), max_size=60))
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
