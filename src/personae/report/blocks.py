"""What a page is put together from: a handful of blocks, each a value that the template knows how to lay out.

A text is a `str`, which the template escapes whatever it holds, or a `Markup` that this part wrote itself
(`Markup("<b>{}</b>").format(name)` escapes what it is given).
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from markupsafe import Markup

from personae.report.content import Fact
from personae.report.tables import Table

Text = str | Markup


@dataclass(frozen=True)
class Figure:
    """A figure drawn twice, for a desk and for a telephone, with its caption: the page shows the one that fits."""

    wide: Markup
    narrow: Markup
    caption: Text = ""
    form: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Number:
    """One number that a reader should take away, what it is, and what to hold it against."""

    value: str
    what: Text
    beside: Text = ""
    tone: Literal["plain", "forecast"] = "plain"


@dataclass(frozen=True)
class Numbers:
    """A few numbers side by side."""

    numbers: tuple[Number, ...]
    form: ClassVar[str] = "numbers"


@dataclass(frozen=True)
class Card:
    """An exchange and what it shows: `turns` are (who, words), set as quotations; `says` is our reading of it."""

    heading: Text
    turns: tuple[tuple[str, str], ...]
    says: Text = ""
    foot: Text = ""


@dataclass(frozen=True)
class Cards:
    """Cards side by side, one below the other where there is little room."""

    cards: tuple[Card, ...]
    form: ClassVar[str] = "cards"


@dataclass(frozen=True)
class Piece:
    """A token of an answer as it is shown: its `tint`, its `nats`, and a `number` beside it where that is large."""

    text: str
    tint: str
    nats: str
    number: str = ""
    marked: bool = False


@dataclass(frozen=True)
class Tinted:
    """Answers to one question, token by token, one below the other: each (who, pieces, what they say in words)."""

    heading: Text
    asked: str
    answers: tuple[tuple[str, tuple[Piece, ...], Text], ...]
    form: ClassVar[str] = "tinted"


@dataclass(frozen=True)
class Points:
    """A list of short statements."""

    points: tuple[Text, ...]
    form: ClassVar[str] = "points"


@dataclass(frozen=True)
class Facts:
    """A list of names and values."""

    facts: tuple[Fact, ...]
    form: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Aside:
    """A remark that must not be overlooked: a limit, a warning, how to read a figure."""

    text: Text
    form: ClassVar[str] = "aside"


@dataclass(frozen=True)
class Prose:
    """Paragraphs between other blocks."""

    paragraphs: tuple[Text, ...]
    form: ClassVar[str] = "prose"


@dataclass(frozen=True)
class Statement:
    """The one sentence that a reader should take away, set large."""

    text: Text
    form: ClassVar[str] = "statement"


@dataclass(frozen=True)
class Badge:
    """A verdict in a word or two, with a mark that can be told without its colour; `beside`: what it rests on."""

    verdict: str
    tone: Literal["whole", "half", "none", "open"]
    beside: Text = ""
    form: ClassVar[str] = "badge"


@dataclass(frozen=True)
class Command:
    """What to type, on a line of its own."""

    line: str
    form: ClassVar[str] = "command"


@dataclass(frozen=True)
class Beside:
    """A small drawing, and blocks beside it; below it where there is little room."""

    drawing: Markup
    blocks: "tuple[Block, ...]"
    form: ClassVar[str] = "beside"


@dataclass(frozen=True)
class Fold:
    """Blocks behind a line that opens them; printed open."""

    summary: Text
    blocks: "tuple[Block, ...]"
    note: Text = ""
    opened: bool = False
    form: ClassVar[str] = "fold"


Block = (
    Figure
    | Table
    | Numbers
    | Cards
    | Tinted
    | Points
    | Facts
    | Aside
    | Prose
    | Statement
    | Badge
    | Command
    | Beside
    | Fold
)


@dataclass(frozen=True)
class Section:
    """A heading, what there is to say, and what there is to see, in this order."""

    heading: str
    paragraphs: tuple[Text, ...] = ()
    blocks: tuple[Block, ...] = field(default_factory=tuple)
