"""Text from data sets and models, made safe to show: nothing hidden in it can act on the page or on the terminal.

Two readers, two answers. On a page every character that is not meant to be seen (a control character, a switch of
reading direction, an invisible joint, a choice among a letter's forms) is *shown*, as a picture or a code point,
because a person who reads a data set wants to know that it is there. On a terminal such characters are *removed*,
escape sequences whole, because showing their remains would be noise. Emoji keep what holds them together: U+FE0F behind
a symbol, U+200D between two. Markup is not this file's business: `esc` and the template escape it.

Source: Unicode Character Database, categories Cc, Cf (but for the signs that stand before a number and are seen), Cs,
Zl and Zp, and what is Default_Ignorable_Code_Point; ECMA-48 (escape sequences).
"""

import re
import unicodedata
from collections.abc import Callable
from html import escape

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
_FORMATS = "\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
_RARE_FORMATS = "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
_HIDDEN = re.compile(f"[{_CONTROLS}{_FORMATS}{_RARE_FORMATS}{_FILLERS}]")
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, links
    r"|\x1b[ -/]*[0-~]?"  # everything shorter
)
_PICTURE, _JOINT = "\ufe0f", "\u200d"
_ALSO_PICTURES = "\u203c\u2049\u2139\u3030"  # emoji that are punctuation or a letter by their category
_SKIN = range(0x1F3FB, 0x1F400)
_KEYS, _KEYCAP = frozenset("0123456789#*"), "\u20e3"


def _without_hidden(text: str, instead: Callable[[str], str]) -> str:
    """`text` with `instead` of every hidden character, but for those that emoji need."""
    return _HIDDEN.sub(lambda match: match.group() if _in_emoji(match) else instead(match.group()), text)


def _in_emoji(match: re.Match[str]) -> bool:
    """Whether a hidden character stands where an emoji has it."""
    start, end = match.span()
    before, after = match.string[max(start - 2, 0) : start], match.string[end : end + 1]
    if match.group() == _PICTURE:
        return _is_symbol(before[-1:]) or (after == _KEYCAP and before[-1:] in _KEYS)
    return match.group() == _JOINT and _is_symbol(before.removesuffix(_PICTURE)[-1:]) and _is_symbol(after)


def _is_symbol(character: str) -> bool:
    """Whether this is a symbol outside ASCII, as an emoji is, or the colour of one."""
    if not character or character.isascii():
        return False
    symbol = unicodedata.category(character) in ("So", "Sm")
    return symbol or character in _ALSO_PICTURES or ord(character) in _SKIN


def _shown(character: str) -> str:
    code = ord(character)
    if code == 0x0D:
        return ""  # a carriage return before a line feed says nothing, and alone it would hide what stands before it
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u27e8U+{code:04X}\u27e9"


def visible(text: str) -> str:
    r"""`text` with every hidden character shown; line feeds and tabs stay.

    >>> visible("red\x1b[31m")
    'red␛[31m'
    """
    return _without_hidden(text, _shown)


def esc(text: object) -> str:
    """`text` for the body or a quoted attribute of HTML and SVG.

    >>> esc('<b onclick="x">')
    '&lt;b onclick=&quot;x&quot;&gt;'
    """
    return escape(visible(str(text)), quote=True)


def for_terminal(text: object) -> str:
    r"""`text` on one line with escape sequences and hidden characters removed.

    >>> for_terminal("a\x1b[31mb\x1b]0;title\x07c\n d")
    'abc d'
    """
    bare = _without_hidden(_ESCAPE_SEQUENCE.sub("", str(text)), lambda _: "")
    return " ".join(bare.split())


def shorten(text: str, length: int) -> str:
    """`text` cut to `length` characters at most, the last an ellipsis where something was cut.

    >>> shorten("murderous ship computer", 12)
    'murderous s…'
    """
    text = visible(text)
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + "…"
