"""What to say of a row that has none of the forms a reader wants: what it is in place of one, or what it nearly is.

In this order: a known form that holds no answer, keys that others use for the same, raw text, a key that is nearly
spelt, and a key that is missing beside others of its form. Forms are given by their keys, as `forms.FORMS` has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from personae.data.border import nearest, quoted

T = TypeVar("T")

EPISODE = ("messages",)  # a form whose keys these are is wanted where episodes are
PROMPT = ("prompt",)  # and where prompts are

_NO_EPISODE = {  # keys of known forms in which no turn is the Assistant's answer: what they are, and what to do
    ("completions", "labels"): (
        "'completions' are steps with a label each (TRL's stepwise form), and no answer",
        "join the steps of an answer that is right into one 'completion', and drop the others",
    ),
    ("paraphrases",): (
        "'paraphrases' are prompts without answers",
        "let a model answer them, and give each as 'prompt' with its 'completion'; without answers they need --reward",
    ),
}
_RAW_TEXT = (
    "'text' is raw text, which has no Assistant's turn",
    "give its turns as 'messages', or as 'prompt' and 'completion'",
)
OTHER_NAMES = {  # by which the same goes elsewhere
    ("instruction", "output"): "rename 'instruction' and 'output' to 'prompt' and 'completion'",
    ("instruction", "response"): "rename 'instruction' and 'response' to 'prompt' and 'completion'",
    ("input", "output"): "rename 'input' and 'output' to 'prompt' and 'completion'",
    ("prompt", "response"): "rename 'response' to 'completion'",
    ("conversations",): "rename 'conversations' to 'messages', with 'role' and 'content' in each message",
    ("corrects", "incorrects"): (
        "rename 'prompt', 'corrects', 'incorrects' and 'text' to 'question', 'answer_matching_behavior', "
        "'answer_not_matching_behavior' and 'statement'"
    ),
}


def near_miss(row: Mapping[str, Any], wanted: Sequence[tuple[str, ...]]) -> tuple[str, str] | None:
    """(what the row is, what to do), where that is known."""
    given = [key for key, value in row.items() if value is not None]
    if EPISODE in wanted and (said := _first(_NO_EPISODE, given)):
        return said
    if PROMPT in wanted and {"chosen", "rejected"} <= set(given):
        return "'chosen' and 'rejected' hold answers", "give the turns before them as 'prompt'"
    if remedy := _joined(row, given):
        return f"no known keys; found {quoted(row)}", remedy
    if remedy := _first(OTHER_NAMES, given):
        return f"no known keys; found {quoted(row)}", remedy
    if EPISODE in wanted and "text" in given:
        return _RAW_TEXT
    for keys in wanted:
        missing = [key for key in keys if key not in given]
        meant = {key: nearest(key, [name for name in given if name not in keys]) for key in missing}
        if missing and all(meant.values()):
            renamed = " and ".join(f"{name!r} to {key!r}" for key, name in meant.items())
            return f"no known keys; found {quoted(row)}", f"rename {renamed}"
    return _incomplete(row, given, wanted)


def _joined(row: Mapping[str, Any], given: Sequence[str]) -> str | None:
    """What to do with an instruction that goes on under another key, if that is what the row has."""
    more = next((key for key in ("input", "context") if str(row.get(key) or "").strip()), None)
    answer = next((key for key in ("output", "response") if key in given), None)
    if not (more and answer and "instruction" in given):
        return None
    return f"join 'instruction' and {more!r} to one 'prompt', and rename {answer!r} to 'completion'"


def _incomplete(
    row: Mapping[str, Any], given: Sequence[str], wanted: Sequence[tuple[str, ...]]
) -> tuple[str, str] | None:
    """The same of the form most of whose keys are there, if some are."""
    keys = max(wanted, key=lambda keys: sum(key in given for key in keys) / len(keys))
    missing = [key for key in keys if key not in given]
    if not missing or len(missing) == len(keys):
        return None
    problem = f"{' and '.join(map(repr, missing))} {'is' if len(missing) == 1 else 'are'} missing"
    unanswered = EPISODE in wanted and missing in (["completion"], ["answer"])
    without = "; prompts without answers need --reward" if unanswered else ""
    return f"{problem}; found {quoted(row)}", f"expected {' and '.join(map(repr, keys))}{without}"


def _first(table: Mapping[tuple[str, ...], T], given: Sequence[str]) -> T | None:
    return next((said for keys, said in table.items() if all(key in given for key in keys)), None)
