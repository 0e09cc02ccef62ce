"""Where in the most telling answers evidence sits, token by token, kept in the run folder as `tokens.json`.

Each row is scored again, by token, under the neutral context and under that of the persona which it raises most. With
a matched control its partner is too, and both say which of their tokens are unlike. Preference pairs, rewards and
simulators that tell no scores by token have none of this.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.errors import BadInput
from personae.records import ByToken, Episode
from personae.records.files import read_json, write_json
from personae.report import Apart, Placement, Telling, TokenAnswer, TokenRow
from personae.report.parts import most_telling
from personae.theory import common_ends, difference_by_part, evidence, shares_by_part
from personae.workflows.audit.file_question import Question
from personae.workflows.kept.folder import RunFolder

if TYPE_CHECKING:
    from personae.workflows.watch import Watch

RECORD = "tokens.json"


def placement(question: Question, telling: Sequence[Telling], folder: RunFolder, watch: "Watch") -> Placement | None:
    """Where evidence sits in the answers of `telling`, scored now or as kept in `folder`; None where it is not told.

    What is kept of other rows, which another version or rounding found more telling, is scored anew.
    """
    judge, kept = question.judge, folder.file(RECORD)
    rows = [one for one in most_telling(telling, len(telling)) if one.personas]
    if not isinstance(judge, ByToken) or not rows:
        return None
    by_place = {one.place: one for one in rows}
    if not kept.exists() or not {row["place"] for row in read_json(kept)["rows"]} <= by_place.keys():
        found = []
        with watch("where in the most telling answers evidence sits", "answers") as progress:
            for done, one in enumerate(rows, start=1):
                found += _row(judge, question, one)
                progress(done, len(rows))
        write_json(kept, {"rows": found, "apart": _apart(found), "left_out": len(rows) - len(found)})
    return _read(read_json(kept), by_place)


def _row(judge: ByToken, question: Question, one: Telling) -> list[dict[str, Any]]:
    """The row by token; nothing where contexts change what its tokens are."""
    cast, pair, place = question.cast, question.pair, one.place
    contexts = [cast.neutral, cast.contexts[cast.names.index(one.personas[0])]]
    row: dict[str, Any] = {"place": place, "persona": one.personas[0]}
    try:
        row["answer"] = _answer(judge, pair.episodes[place], contexts)
        if pair.matched and pair.control is not None:
            row["control"] = _answer(judge, pair.control[place], contexts)
    except BadInput:
        return []
    if "control" in row:
        beginning, end = common_ends(row["answer"]["ids"], row["control"]["ids"])
        for side in (row["answer"], row["control"]):
            side["unlike"] = [beginning, len(side["ids"]) - end]
    return [row]


def _answer(judge: ByToken, episode: Episode, contexts: Sequence[str]) -> dict[str, Any]:
    """The tokens of an answer, and the evidence of each for the second of the contexts against the first, nats."""
    found = judge.by_token(episode, contexts)
    nats = evidence(found.logp.T)[:, 1]
    return {"index": episode.index, "ids": found.ids, "texts": found.texts, "nats": nats.tolist()}


def _apart(rows: Sequence[dict[str, Any]]) -> dict[str, float] | None:
    """How much of the rows is unlike their partners, and how much of the difference lies there; None without any."""
    pairs = [(row["answer"], row["control"]) for row in rows if "control" in row]
    if not pairs:
        return None
    parts = []
    for ours, theirs in pairs:
        first, last = ours["unlike"]
        parts.append(difference_by_part(ours["nats"], theirs["nats"], (first, len(ours["ids"]) - last)))
    _, on, after = shares_by_part(parts)
    unlike = [last - first for first, last in (ours["unlike"] for ours, _ in pairs)]
    tokens = [len(ours["ids"]) for ours, _ in pairs]
    return {"tokens": float(np.median(tokens)), "unlike": float(np.median(unlike)), "on": on, "after": after}


def _read(record: dict[str, Any], telling: dict[int, Telling]) -> Placement:
    rows = []
    for row in record["rows"]:
        told, control = telling[row["place"]], row.get("control")
        partner = None if control is None else _side(control)
        rows.append(TokenRow(told.where, told.prompt, row["persona"], _side(row["answer"]), partner))
    shares = record["apart"]
    unknown = float("nan")  # which JSON has as null
    apart = None if shares is None else Apart(**{k: unknown if v is None else v for k, v in shares.items()})
    return Placement(tuple(rows), apart, record.get("left_out", 0))


def _side(kept: dict[str, Any]) -> TokenAnswer:
    first, last = kept.get("unlike", (0, 0))
    return TokenAnswer(tuple(kept["texts"]), tuple(kept["nats"]), (first, last))
