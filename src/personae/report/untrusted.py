"""Text from data sets and models, made safe to show: nothing hidden in it can act on the page or on the terminal.

Two readers, two answers. On a page every character that is not meant to be seen (a control character, a switch of
reading direction, an invisible joint) is *shown*, as a picture or a code point, because a person who reads a data set
wants to know that it is there. On a terminal such characters are *removed*, escape sequences whole, because showing
their remains would be noise. Markup is not this file's business: `esc` and the template escape it.

Source: Unicode Standard Annex 9 (explicit directional formatting); ECMA-48 (escape sequences).
"""

import re
from html import escape

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u200b-\u200d\u2060-\u2064\ufeff\ufff9-\ufffb\u2028\u2029"
_HIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}{_INVISIBLE}\ud800-\udfff\U000e0000-\U000e007f]")
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, links
    r"|\x1b[ -/]*[0-~]?"  # everything shorter
)


def _shown(match: re.Match[str]) -> str:
    code = ord(match.group())
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
    return _HIDDEN.sub(_shown, text)


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
    bare = _HIDDEN.sub("", _ESCAPE_SEQUENCE.sub("", str(text)))
    return " ".join(bare.split())


def shorten(text: str, length: int) -> str:
    """`text` cut to `length` characters at most, the last an ellipsis where something was cut.

    >>> shorten("murderous ship computer", 12)
    'murderous s…'
    """
    text = visible(text)
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + "…"
