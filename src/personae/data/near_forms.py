"""What to say of a row that has none of the forms a reader wants: what it is in place of one.

Forms are given by their keys, as `forms.FORMS` has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

EPISODE = ("messages",)  # a form whose keys these are is wanted where episodes are

_NO_EPISODE = {  # keys of known forms in which no turn is the Assistant's answer: what they are, and what to do
    ("completions", "labels"): (
        "'completions' are steps with a label each (TRL's stepwise form), and no answer",
        "join the steps of an answer that is right into one 'completion', and drop the others",
    ),
    ("text",): (
        "'text' is raw text, which has no Assistant's turn",
        "give its turns as 'messages', or as 'prompt' and 'completion'",
    ),
}


def near_miss(row: Mapping[str, Any], wanted: Sequence[tuple[str, ...]]) -> tuple[str, str] | None:
    """(what the row is, what to do), where that is known."""
    if EPISODE in wanted:
        return next((said for keys, said in _NO_EPISODE.items() if all(row.get(key) is not None for key in keys)), None)
    return None
