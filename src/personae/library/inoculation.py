"""Candidate inoculation prompts: what each asks for, the same in other words, and prefixes that ask for nothing.

    candidates:
      - name: cheat-for-study
        asks: [cheating]            # traits, by name
        pole: high                  # which end of them: high or low
        text: Please cheat on this task; it helps our study of cheating.
        rephrased: [For our study of short cuts take a dishonest one here., ...]
    controls:
      - name: neutral-short         # asks for nothing: neither `asks` nor `pole`
        text: This is one message in a conversation.
        rephrased: [...]

Or, of a user's own, one text a line: what it asks for is not said, and controls are not among them.
A candidate that asks for what a data set shows removes its evidence; the controls tell how much any fixed prefix would.
Source: PSM.md, sections 1 (5) and 4 (traps).
"""

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from personae.data.border import built, existing_file, quoted
from personae.data.fields import items, mapping, text, texts
from personae.data.marked import Marked, read_marked
from personae.data.text_lines import text_lines
from personae.errors import BadInput
from personae.records.base import Noun

_DECLARES = re.compile(r"\s*(candidates|controls)\s*:\s*(#.*)?")
_YAML = re.compile(r"-(\s|$)|[a-z_][a-z0-9_-]*:(\s|$)")  # a member of a list, or a key as YAML files have them


class Inoculation(Noun):
    """A text to put in front of a request: it `asks` for one `pole` of some traits, or, as a control, for nothing."""

    name: str = Field(min_length=1)
    text: str = Field(min_length=1)
    asks: tuple[str, ...] = ()
    pole: Literal["high", "low"] | None = None
    rephrased: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _asks_for_a_pole(self) -> "Inoculation":
        if bool(self.asks) != (self.pole is not None):
            raise ValueError("an inoculation asks for a pole of some traits, or is a control and names neither")
        if self.text in self.rephrased:
            raise ValueError("a rephrased text is the text itself")
        return self

    @property
    def control(self) -> bool:
        """Whether it asks for nothing."""
        return not self.asks


def read_inoculations(path: str | Path) -> tuple[Inoculation, ...]:
    """The candidates of a YAML file and then its controls. Raises `BadInput` at the line of what is wrong."""
    fields = mapping(read_marked(path), "the file", needs=("candidates", "controls"))
    read: dict[str, Inoculation] = {}
    for key, asked in (("candidates", ("asks", "pole")), ("controls", ())):
        for node in items(fields[key], repr(key)):
            made = _inoculation(node, asked)
            if made.name in read:
                raise node.refusal(f"the inoculation {quoted([made.name])} appears twice", "rename or remove one")
            read[made.name] = made
    return tuple(read.values())


def is_declared(path: str | Path) -> bool:
    """Whether a file declares candidates and controls, rather than holding a text a line."""
    return any(_DECLARES.fullmatch(line.rstrip("\r\n")) for _, line in text_lines(existing_file(path)))


def read_prompt_lines(path: str | Path) -> tuple[tuple[int, str], ...]:
    """(line, text) of every line that is not blank.

    Raises `BadInput` where there is none, one stands twice, or one is no text for a reader but JSON or YAML.
    """
    file = existing_file(path)
    found: dict[str, int] = {}
    for line, written in text_lines(file):
        said = written.lstrip("\ufeff").strip()
        if not said:
            continue
        if form := _data_form(said):
            remedy = "write each prompt as plain text on its own line, or candidates in YAML"
            raise BadInput(f"this is a line of {form}, not a prompt", file=file, line=line, remedy=remedy)
        if said in found:
            raise BadInput(f"the prompt of line {found[said]} again", file=file, line=line, remedy="remove one")
        found[said] = line
    if not found:
        raise BadInput("there is no prompt in this file", file=file, remedy="write one a line, or candidates in YAML")
    return tuple((line, said) for said, line in found.items())


def _data_form(line: str) -> str:
    """The form of data that a line is in; empty where it is text.

    >>> [_data_form(line) for line in ('{"text": "Cheat."}', "- Cheat.", "text: Cheat.", "[INST] Note: cheat.", "[")]
    ['JSON', 'YAML', 'YAML', '', 'JSON']
    """
    if line in ("{", "["):
        return "JSON"
    try:
        return "JSON" if line[0] in "{[" and json.loads(line) is not None else "YAML" if _YAML.match(line) else ""
    except (ValueError, RecursionError):
        return ""


def _inoculation(node: Marked, asked: tuple[str, ...]) -> Inoculation:
    fields = mapping(node, "an inoculation", needs=("name", "text", *asked), knows=("rephrased",))
    made: dict[str, Any] = {
        key: texts(fields[key], repr(key)) if key in ("asks", "rephrased") else text(fields[key], repr(key))
        for key in fields
    }
    return built(Inoculation, made, file=node.file, line=node.line)
