"""Episodes, one after the other, from whatever holds rows (see `rows`), in six forms.

    {"chosen": …, "rejected": …}                    of a preference pair the answer that was chosen
    {"messages": [{"role": "user", "content": "…"}, …, {"role": "assistant", "content": "…"}]}
    {"prompt": text or messages, "completion": text or messages}
                                                    of TRL's unpaired preferences those with "label": true, or 1
    {"question": text, "answer": text}              as GSM8K and tables of questions and answers have it
    {"scenario": text, "response": text}            what was said, and not to whom: an answer to no words
    {"speaker": text, "speech": text}               a play: a text of form "text", the speech after the one before it

A prompt that is a string is a user's turn, a completion that is a string the Assistant's answer to it. The last message
is the Assistant's and not empty. A text under `system` or `system_prompt` beside the dialogue is its first
turn. All other keys of the row are kept in `Episode.extra`, of a pair the rejected answer too, but not its `messages`.
A row that has several forms is read by the first of them here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from personae.data.border import found
from personae.data.choices import with_choices
from personae.data.forms import Form, extra, has, unknown
from personae.data.lines import Row
from personae.data.preferences import ASKED_AS, answer_under, with_prompt
from personae.data.row_fields import row_text
from personae.data.rows import kept, read_rows
from personae.data.turns import CONTEXT, SYSTEM, answered, asked, message_list, refuse_unwritten, turns, under_system
from personae.errors import BadInput
from personae.records import Episode, Message

_REMEDY = "end the row with the Assistant's answer, or drop it"
_LABELS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}  # in a table, or as Python's


def read_episodes(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Episode]:
    """The episodes of a file or saved data set in order, those of the first `limit` rows.

    `index` is the line, from 0, or of a list in one document the place in it.
    A row that holds no episode ends the reading; with a list `refused` it is put there instead, and reading goes on.
    """
    return kept(episode, read_rows(path, limit=limit), refused)


def episode(row: Row) -> Episode:
    """The dialogue that a row holds."""
    if form := episode_form(row):
        refuse_unwritten(row)
        return _READERS[form](row)
    raise unknown(row, ("messages", "prompt-completion", "question-answer", "preference"))


def episode_form(row: Row) -> Form | None:
    """The form in which a row is read as an episode; None where it has none of them."""
    return next((form for form in _READERS if has(row, form)), None)


def _messages(row: Row) -> Episode:
    messages = message_list(row, "messages")
    if row.value["messages"][-1].get("weight") == 0:
        raise row.refusal("the last message has the weight 0: nobody is trained on it", "drop the row, or the weight")
    return _built(row, messages, ("messages",))


def _completion(row: Row) -> Episode:
    label = row.value.get("label")
    good = label is None or _LABELS.get(str(label).strip().lower())
    if not good:
        said = "neither true nor false" if good is None else "a rejected answer, which nobody is trained to give"
        remedy = "drop such rows (--skip-bad does), or rename 'label' where it means something else"
        raise row.refusal(f"'label' is {found(label)}: {said}", remedy)
    messages = answered(row, turns(row, "prompt", "user"), turns(row, "completion", "assistant"))
    return _built(row, messages, ("prompt", "completion"))


def _answer(row: Row) -> Episode:
    row = with_choices(row)
    messages = answered(row, asked(row, "question"), turns(row, "answer", "assistant"))
    return _built(row, messages, ("question", "answer", CONTEXT))


def _response(row: Row) -> Episode:
    if beside := next((key for key in ("prompt", *ASKED_AS) if str(row.value.get(key) or "").strip()), None):
        problem = f"{beside!r} stands beside 'scenario' and 'response', which answer no words"
        raise row.refusal(problem, "give all that was asked as 'prompt' and the answer as 'completion'")
    return _built(row, turns(row, "response", "assistant"), ("response",))


def _chosen(row: Row) -> Episode:
    return answer_under(with_prompt(row), "chosen")


def _speech(row: Row) -> Episode:
    refuse_unwritten(row, SYSTEM)
    before = f"{row_text(row, 'before')}\n\n" if row.value.get("before") else ""
    turn = Message(role="user", content=f"{before}{row_text(row, 'speaker')}:\n")
    spoken = Message(role="assistant", content=row_text(row, "speech"))
    fields: dict[str, Any] = {"messages": (turn, spoken), "form": "text", **row.origin}
    fields["extra"] = extra(row, ("before", "speech"))
    return row.built(Episode, fields)


def _built(row: Row, messages: tuple[Message, ...], taken: tuple[str, ...]) -> Episode:
    fields = {"messages": under_system(row, messages), "extra": extra(row, (*taken, *SYSTEM)), **row.origin}
    return row.built(Episode, fields, remedy=_REMEDY)


_READERS: dict[Form, Callable[[Row], Episode]] = {
    "preference": _chosen,
    "messages": _messages,
    "prompt-completion": _completion,
    "question-answer": _answer,
    "scenario-response": _response,
    "speech": _speech,
}
