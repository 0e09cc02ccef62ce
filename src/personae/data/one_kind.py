"""Files of one kind, preference pairs or single answers, since the evidence of a choice is not that of an answer.

A file that holds both is refused at the first row that is of the other kind, in whichever order they stand, also where
rows that hold no episode are skipped: it is the user who knows which of the two are meant.
"""

from collections.abc import Iterator
from pathlib import Path

from personae.data.episodes import episode, episode_form
from personae.data.lines import Row
from personae.data.preferences import preference
from personae.data.rows import kept, read_rows
from personae.errors import BadInput
from personae.records import Episode, choice

_REMEDY = "give each kind a file of its own, or read the chosen answers alone (--chosen)"


def holds_pairs(path: str | Path, *, skip_bad: bool = False) -> bool:
    """Whether the first row of a file is a preference pair, whatever other form it has too.

    With `skip_bad` it is the first row that is a pair or another episode; a file without any holds none.
    """
    forms = map(episode_form, read_rows(path, limit=None if skip_bad else 1))
    return next(filter(None, forms), None) == "preference"


def read_choices(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Episode]:
    """The pairs of a file as episodes that know what they were preferred to; two answers that are one are no choice.

    Limit and refused rows are as in `read_preferences`.
    """
    return kept(_choice, _alike(read_rows(path, limit=limit), pairs=True), refused)


def read_answers(
    path: str | Path, *, limit: int | None = None, refused: list[BadInput] | None = None
) -> Iterator[Episode]:
    """The episodes of a file of single answers; limit and refused rows are as in `read_episodes`."""
    return kept(episode, _alike(read_rows(path, limit=limit), pairs=False), refused)


def _alike(rows: Iterator[Row], *, pairs: bool) -> Iterator[Row]:
    """The rows, until one is an episode of the other kind."""
    for row in rows:
        form = episode_form(row)
        if form and (form == "preference") != pairs:
            said = "a single answer stands among preference pairs"
            raise row.refusal(said if pairs else "a preference pair stands among single answers", _REMEDY)
        yield row


def _choice(row: Row) -> Episode:
    pair = preference(row)
    if pair.chosen.response.strip() == pair.rejected.response.strip():
        raise row.refusal("'chosen' and 'rejected' are the same answer", "drop the row")
    return choice(pair)
