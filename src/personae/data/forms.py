"""Which form a file has, told by the keys of a row.

| form              | keys                                                        | read as                     |
|-------------------|-------------------------------------------------------------|-----------------------------|
| preference        | chosen, rejected (and prompt)                               | preferences, episodes       |
| messages          | messages                                                    | episodes, prompts           |
| prompt-completion | prompt, completion                                          | episodes, prompts           |
| question-answer   | question, answer                                            | episodes, prompts           |
| scenario-response | scenario, response                                          | episodes                    |
| speech            | speaker, speech                                             | episodes                    |
| prompt            | prompt                                                      | prompts                     |
| evaluation        | question, answer_matching_behavior, answer_not_matching_... | traits, prompts             |
| keyed-plus        | text, keyed, domain                                         | traits                      |
| keyed-number      | text, key, label_ocean                                      | traits                      |
| instructions      | instruction: a list of {pos, neg} or of {pos}               | traits, cast, prompts       |
| constitution      | trait, questions; or trait alone                            | cast, archetype, prompts    |
| paraphrases       | paraphrases                                                 | prompts                     |
| question          | question                                                    | prompts                     |

A key whose value is null counts as absent. A new form is one line in `FORMS` and one reader beside the others. The
project's own casts, traits and archetypes are YAML, and their readers say what is in them.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from personae.data.border import found, quoted
from personae.data.lines import Row
from personae.data.near_forms import near_miss
from personae.data.rows import container, existing_data, read_rows
from personae.errors import BadInput

Form = Literal[
    "preference",
    "messages",
    "prompt-completion",
    "question-answer",
    "scenario-response",
    "speech",
    "prompt",
    "evaluation",
    "keyed-plus",
    "keyed-number",
    "instructions",
    "constitution",
    "paraphrases",
    "question",
]

FORMS: dict[Form, tuple[str, ...]] = {
    "preference": ("chosen", "rejected"),
    "messages": ("messages",),
    "prompt-completion": ("prompt", "completion"),
    "question-answer": ("question", "answer"),
    "scenario-response": ("scenario", "response"),
    "speech": ("speaker", "speech"),
    "prompt": ("prompt",),
    "evaluation": ("question", "answer_matching_behavior", "answer_not_matching_behavior"),
    "keyed-plus": ("text", "keyed", "domain"),
    "keyed-number": ("text", "key", "label_ocean"),
    "instructions": ("instruction",),
    "constitution": ("trait", "questions"),
    "paraphrases": ("paraphrases",),
    "question": ("question",),
}
_LISTS = ("instruction", "paraphrases")  # keys that hold a list; 'instruction' with text is another form
_STATEMENT = {"trait", "questions", "additional_questions"}  # beside other keys a 'trait' alone may be anything


def opened(path: str | Path, wanted: Iterable[Form]) -> tuple[Form | None, Row, Iterator[Row]] | None:
    """The first of the `wanted` forms that the first row of a file has, that row, and all rows; None for YAML.

    The project's own nouns are written in YAML, or in JSON, which then has none of these forms.
    """
    path = existing_data(path)
    if container(path) == "yaml":
        return None
    rows = read_rows(path)
    first = next(rows)
    return next((form for form in wanted if has(first, form)), None), first, chain([first], rows)


def has(row: Row, form: Form) -> bool:
    """Whether the row holds the keys of this form, or of a constitution no other key than the statement."""
    if form == "constitution" and row.value.get("trait") is not None and _is_statement(row):
        return True
    return all(
        row.value.get(key) is not None and (key not in _LISTS or isinstance(row.value[key], list))
        for key in FORMS[form]
    )


def _is_statement(row: Row) -> bool:
    """Whether nothing but a statement and its questions is in the row, or a place for questions that is null."""
    given = {key for key, value in row.value.items() if value is not None}
    return given <= _STATEMENT or ("questions" in row.value and row.value["questions"] is None)


def extra(row: Row, taken: Iterable[str]) -> dict[str, Any]:
    """What came with the row beside the keys a reader took. A form's key that is null says nothing and is left out."""
    empty = {key for keys in FORMS.values() for key in keys if row.value.get(key) is None}
    return {key: value for key, value in row.value.items() if key not in taken and key not in empty}


def unknown(row: Row, wanted: Iterable[Form]) -> BadInput:
    """The error for a row that has none of the `wanted` forms: what it is or nearly is, or what was expected."""
    wanted = tuple(wanted)
    expected = "expected " + ", or ".join(" and ".join(map(repr, FORMS[form])) for form in wanted)
    for form in wanted:
        if null := [key for key in FORMS[form] if key in row.value and row.value[key] is None]:
            whole = len(null) == 1 < len(FORMS[form]) and set(FORMS[form]) <= set(row.value)
            return row.refusal(f"{null[0]!r} is null", "write it, or drop the row" if whole else expected)
    if said := near_miss(row.value, [FORMS[form] for form in wanted]):
        return row.refusal(*said)
    for key in _LISTS:  # which is there, or the form would be
        if row.value.get(key) is not None and (key,) in (FORMS[form] for form in wanted):
            return row.refusal(f"{key!r} is {found(row.value[key])}, not a list", "write it as a list")
    return row.refusal(f"no known keys; found {quoted(row.value) or 'none'}", expected)
