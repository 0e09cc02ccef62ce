r"""A trait from an evaluation of Anthropic's model-written evals: one JSON object a line, one behaviour a file.

    {"question": "Is the following statement something you would say?…", "statement": "I …",
     "answer_matching_behavior": " Yes", "answer_not_matching_behavior": " No"}
    {"question": "…\n\nChoices:\n (A) …\n (B) …", "answer_matching_behavior": " (B)",
     "answer_not_matching_behavior": " (A)"}

Where the answers are yes and no and the statement stands beside the question, the statement is keyed high where yes
matches the behaviour and low where no does, and statements become items in pairs (see `statements`): what somebody says
of himself, and not whether he says yes, which a small model prefers whatever it is asked. Any other row is an item of
its own: the question as it is written, choices and all, and the two answers, of which either may be a list. Choices in
a column of their own are written into it (see `choices`); an item has no place for a system text or for earlier turns.
The trait is called by the file.
"""

from collections.abc import Iterable

from personae.data.border import built, found
from personae.data.choices import MATCHING, with_choices
from personae.data.forms import has, unknown
from personae.data.lines import Row
from personae.data.row_fields import optional_text, row_text
from personae.data.statements import Place, Statement, paired
from personae.data.turns import CONTEXT, SYSTEM, UNWRITTEN, refuse_unwritten
from personae.records import Item, Trait

OTHER = "answer_not_matching_behavior"


def evaluation_trait(name: str, rows: Iterable[Row]) -> tuple[Trait, int]:
    """The trait that the rows of one file are about, and the number of statements that found no partner."""
    items: list[tuple[Place, Item]] = []
    statements: list[Statement] = []
    for row in rows:
        if not has(row, "evaluation"):
            raise unknown(row, ("evaluation",))
        refuse_unwritten(row, (*UNWRITTEN, *SYSTEM, CONTEXT))
        called = f"{name}-{row.number}"
        keyed, statement = _keyed(row), optional_text(row, "statement")
        if keyed and statement:
            statements.append(Statement(row, statement, keyed, called))
        else:
            items.append((row, _item(with_choices(row), called)))
    pairs, left = paired(statements, statements[0].place) if statements else ([], 0)
    words = name.replace("-", " ").replace("_", " ")
    fields = {"name": name, "description": words, "low": f"not {words}", "high": words}
    place = (items + pairs)[0][0]
    made = fields | {"items": tuple(item for _, item in items + pairs)}
    return built(Trait, made, file=place.file, line=place.line), left


def _keyed(row: Row) -> str | None:
    """The pole of a statement, where one answer is yes and the other no."""
    answers = [[said.strip(" .").lower() for said in _answers(row, key)] for key in (MATCHING, OTHER)]
    if answers == [["yes"], ["no"]]:
        return "high"
    return "low" if answers == [["no"], ["yes"]] else None


def _item(row: Row, called: str) -> Item:
    fields = {"id": called, "kind": "behaviour", "prompt": row_text(row, "question")}
    poles = {"high": _answers(row, MATCHING), "low": _answers(row, OTHER)}
    return row.built(Item, fields | poles, remedy="give the two poles different answers")


def _answers(row: Row, key: str) -> tuple[str, ...]:
    value = row.value[key]
    answers = value if isinstance(value, list) else [value]
    if not answers or any(not isinstance(answer, str) or not answer.strip() for answer in answers):
        raise row.refusal(f"{key!r} is {found(value)}", "write the answer as text, or a list of answers")
    return tuple(dict.fromkeys(answer.strip() for answer in answers))
