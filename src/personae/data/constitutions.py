"""A persona, or an archetype, from a constitution of open character training: what an assistant says of itself.

    [{"trait": "I write down what I saw.", "questions": ["What was that light?", …]}, …]

As one JSON list (the hand-written ones), one object a line with "additional_questions" (the few-shot ones), or plain
text with one statement a line. It is called by the file, and is an AI. A statement may have no questions: then "trait"
is the only key of its row, or "questions" is null.

- The *persona*'s context lists all statements: it says them of itself.
- The *archetype*'s constitution are the statements; its situations are the questions of each, in which it does what the
  statement says. So statements that have no questions make a persona and no archetype.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from personae.data.forms import has, unknown
from personae.data.lines import Row
from personae.data.row_fields import row_text, row_texts
from personae.records import Archetype, Persona, Situation

QUESTIONS = ("questions", "additional_questions")


@dataclass(frozen=True)
class Principle:
    """A statement, and the questions in which it shows."""

    statement: str
    questions: tuple[str, ...]


def constitution_persona(name: str, rows: Sequence[Row]) -> Persona:
    """An AI that says all the statements of itself."""
    said = "\n".join(f"- {principle.statement}" for principle in principles(rows))
    context = f"You are an AI assistant, and this is what you say of yourself:\n{said}"
    fields = {"name": f"{name.replace('_', ' ')} assistant", "kind": "ai", "context": context}
    return rows[0].built(Persona, fields)


def constitution_archetype(name: str, rows: Sequence[Row]) -> Archetype:
    """The character whose constitution this is; every question is a situation, one asked twice but once."""
    read = principles(rows)
    does = {question: principle.statement for principle in reversed(read) for question in principle.questions}
    asked = dict.fromkeys(question for principle in read for question in principle.questions)
    if not asked:
        raise rows[0].refusal("no statement has questions, so nothing shows what it does", "add 'questions' to them")
    situations = (_situation(rows[0], question, does[question]) for question in asked)
    fields = {
        "name": name[:1].upper() + name[1:].replace("_", " "),
        "kind": "ai",
        "description": " ".join(("An AI assistant that says of itself:", *(p.statement for p in read))),
        "situations": tuple(situations),
        "constitution": tuple(dict.fromkeys(p.statement for p in read)),
    }
    return rows[0].built(Archetype, fields)


def principles(rows: Sequence[Row]) -> list[Principle]:
    """The statements of a constitution in order."""
    read = []
    for row in rows:
        if not has(row, "constitution"):
            raise unknown(row, ("constitution",))
        read.append(Principle(row_text(row, "trait"), statement_questions(row)))
    return read


def statement_questions(row: Row) -> tuple[str, ...]:
    """The questions under both keys of a statement; none where both are missing or null."""
    given = [key for key in QUESTIONS if row.value.get(key) is not None]
    return tuple(question for key in given for question in row_texts(row, key))


def _situation(row: Row, question: str, statement: str) -> Situation:
    fields = {"situation": f'Somebody asks: "{question}"', "does": f'Answers true to its word: "{statement}"'}
    return row.built(Situation, fields)
