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

A candidate that asks for what a data set shows removes its evidence; the controls tell how much any fixed prefix would.
Source: PSM.md, sections 1 (5) and 4 (traps).
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from personae.data.border import built, quoted
from personae.data.fields import items, mapping, text, texts
from personae.data.marked import Marked, read_marked
from personae.records.base import Noun


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


def _inoculation(node: Marked, asked: tuple[str, ...]) -> Inoculation:
    fields = mapping(node, "an inoculation", needs=("name", "text", *asked), knows=("rephrased",))
    made: dict[str, Any] = {
        key: texts(fields[key], repr(key)) if key in ("asks", "rephrased") else text(fields[key], repr(key))
        for key in fields
    }
    return built(Inoculation, made, file=node.file, line=node.line)
