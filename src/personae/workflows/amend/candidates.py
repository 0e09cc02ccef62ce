"""Which prompts are candidates for the inoculation of a file, and which prefixes are their controls.

| given                              | candidates           | controls                           |
|------------------------------------|----------------------|------------------------------------|
| nothing, a model of the real world | the library's        | the library's                      |
| nothing, the laboratory            | its permissions, one for each pole of a trait | its small talk |
| a file with `candidates:` (YAML)   | the file's           | the file's                         |
| a file of lines                    | one a line           | the library's, or the laboratory's |
"""

from dataclasses import dataclass
from pathlib import Path

from personae import library
from personae.errors import BadInput
from personae.library.inoculation import Inoculation, is_declared, read_inoculations, read_prompt_lines
from personae.workflows.nouns_for import world_of
from personae.world import Language

POLES = {1: "high", 0: "low"}
SMALL_TALK, OTHERS = 5, 4  # controls of the laboratory; other wordings of a permission


@dataclass(frozen=True)
class Candidate:
    """A text to put in front of every row; a `control` asks for nothing. `rephrased`: the same in other words."""

    name: str
    text: str
    rephrased: tuple[str, ...] = ()
    control: bool = False


def candidates_for(model: str, file: Path | None = None) -> tuple[Candidate, ...]:
    """The candidates for a model, those of a user's own `file` where there is one, and after them the controls."""
    if file is None:
        return _own(model)
    if is_declared(file):
        found = tuple(map(_candidate, read_inoculations(file)))
        for lacks, kind in ((True, "controls"), (False, "candidates")):
            if not any(c.control == lacks for c in found):
                raise BadInput(f"has no {kind}", file=file, remedy="write at least one of each")
        return found
    lines = tuple(Candidate(f"line {line}", text) for line, text in read_prompt_lines(file))
    return lines + tuple(c for c in _own(model) if c.control)


def like(candidate: Candidate, controls: tuple[Candidate, ...]) -> Candidate:
    """The control whose length, in words, is nearest to the candidate's."""
    return min(controls, key=lambda c: abs(len(c.text.split()) - len(candidate.text.split())))


def _own(model: str) -> tuple[Candidate, ...]:
    world = world_of(model)
    if world is None:
        return tuple(map(_candidate, library.inoculations()))
    language = Language(world)
    asked = tuple(
        Candidate(f"{trait} {POLES[outcome]}", several[0], tuple(several[1 : 1 + OTHERS]))
        for trait in world.traits
        for outcome in POLES
        for several in [language.permissions[trait, outcome]]
    )
    talk = language.small_talk
    return asked + tuple(Candidate(f"small talk {n}", said, (), True) for n, said in enumerate(talk[:SMALL_TALK], 1))


def _candidate(prompt: Inoculation) -> Candidate:
    return Candidate(prompt.name, prompt.text, prompt.rephrased, prompt.control)
