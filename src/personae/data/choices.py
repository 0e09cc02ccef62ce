r"""Choices that stand beside a question in a column of their own, written into it as model-written evaluations do.

    {"question": "The lamp is out.", "choices": ["I light it", "I sleep"]}
    {"question": "The lamp is out.", "answers": {"A": "I light it", "B": "I sleep"}, "answer_matching_behavior": "A"}

Both ask "The lamp is out.\n\nChoices:\n (A) I light it\n (B) I sleep". `answers` are choices only where a key beside
them says which of them matches: elsewhere they are what is right, in several wordings.
"""

from dataclasses import replace
from string import ascii_uppercase

from personae.data.border import found
from personae.data.lines import Row

MATCHING = "answer_matching_behavior"


def with_choices(row: Row) -> Row:
    """The row with all its choices in its `question`; as it is where they are there already, or there are none."""
    choices, question = _choices(row), row.value.get("question")
    if not isinstance(question, str) or all(words in question for words in choices.values()):
        return row
    listed = "\n".join(f" ({label}) {words}" for label, words in choices.items())
    return replace(row, value={**row.value, "question": f"{question}\n\nChoices:\n{listed}"})


def _choices(row: Row) -> dict[str, str]:
    """{label: words}; a list has the labels A, B and so on, and in Arrow a row those of all rows, some of them null."""
    keys = ("choices", "options", *(("answers",) if MATCHING in row.value else ()))
    key = next((key for key in keys if row.value.get(key)), None)
    if key is None:
        return {}
    given = row.value[key]
    if isinstance(given, dict):
        given = {label: words for label, words in given.items() if words is not None}
    named = dict(zip(ascii_uppercase, given)) if isinstance(given, list) else given
    if (
        not isinstance(named, dict)
        or len(named) < len(given)
        or not all(isinstance(words, str) and words.strip() for words in named.values())
    ):
        remedy = "write the choices into 'question', or rename the column"
        raise row.refusal(f"{key!r} is {found(given)}, not a list or map of texts", remedy)
    return named
