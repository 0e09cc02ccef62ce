"""The rows of plain text in two forms: a play's speeches, and statements somebody makes about himself, one a line.

    First Keeper:                                    I mind the light.
    Who goes there?                                  I write down what I saw.

    Second Keeper:
    Nobody you know.

A speech becomes {"speaker", "before", "speech"}: `before` is the speech before it with its speaker's name, nothing for
the first. A speaker with no words is passed over, and a paragraph without a speaker belongs to the speech before it. A
statement becomes {"trait", "questions"} (no questions), as a row of a constitution; marks of a list before it go. What
then begins in lower case or with "#" is part of a statement or above some, and refused.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from personae.data.border import found
from personae.data.lines import Row
from personae.data.marked import Marked
from personae.data.text_lines import text_lines
from personae.errors import BadInput

_SPEAKER = re.compile(r"([A-Z][^\n:]{0,59}):\s*")
_OF_ONESELF = re.compile(r"I(?:['’](?:m|d|ll|ve))?\s")
_MARK = re.compile(rf"\A(?:[-*•]|\d+[.)])(?:\s+|(?={_OF_ONESELF.pattern}))")  # of a list


def is_speech(lines: list[str]) -> bool:
    r"""Whether a text begins with a speaker's name and, on the next line, words.

    >>> is_speech(["First Keeper:\n", "Who goes there?\n"]), is_speech(["items:\n", "- one\n"])
    (True, False)
    """
    return len(lines) > 1 and bool(_SPEAKER.fullmatch(lines[0])) and not lines[1].startswith((" ", "\t", "-"))


def is_statement(line: str) -> bool:
    """Whether a line is a statement about oneself.

    >>> is_statement("1. I mind the light."), is_statement("It is dark.")
    (True, False)
    """
    return bool(_OF_ONESELF.match(_MARK.sub("", line.strip())))


def speech_rows(path: Path) -> Iterator[Row]:
    """The speeches in order; a speech's line is that of its speaker's name."""
    before, index = "", 0
    for line, speaker, words in _speeches(path):
        if not words:
            continue
        yield Row(path, line, index, {"speaker": speaker, "before": before, "speech": words})
        before, index = f"{speaker}:\n{words}", index + 1


def _speeches(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line, speaker, words): a name begins a speech at the beginning of a paragraph only."""
    begun, speaker, words, blank = 0, "", list[str](), True
    for line, text in text_lines(path):
        text = text.rstrip("\r\n")
        if blank and (name := _SPEAKER.fullmatch(text)):
            if begun:
                yield begun, speaker, "\n".join(words).strip("\n")
            begun, speaker, words = line, name[1], []
        else:
            words.append(text)
        blank = not text.strip()
    if begun:
        yield begun, speaker, "\n".join(words).strip("\n")


def statement_rows(path: Path) -> Iterator[Row]:
    """The statements in order."""
    index = 0
    for line, text in text_lines(path):
        if words := _MARK.sub("", text.strip()):
            if words[0].islower() or words[0] == "#":
                problem, remedy = f"{found(words)} is no statement of its own", "write one statement a line"
                raise BadInput(problem, file=path, line=line, remedy=remedy)
            yield Row(path, line, index, {"trait": words, "questions": []})
            index += 1


def refuse_prose(root: Marked) -> None:
    """Raise `BadInput` for plain text whose first line is no statement, and which was read as YAML."""
    if isinstance(root.value, str):
        problem = "plain text, whose first line is no statement of oneself"
        raise root.refusal(problem, "begin each line with I, or write YAML")
