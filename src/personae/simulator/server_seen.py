"""Which of the models that were served under one name this is, told by how it scores one fixed answer.

A server says what it calls a model, and not what its weights are. Results that are kept (the measured cast, a run
folder) would pass from one model to another that took its name, say the same model after training. So the scores of one
answer are kept in the cache folder for every model that was met under a name, and whoever scores it otherwise is
another. A training that moves the answer's tokens by less than rounding may move them is not seen.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from personae.errors import RunFailed
from personae.records import chat
from personae.records.files import digest, read_json, write_json
from personae.simulator.listing import cache_folder
from personae.simulator.server_check import noise

PROBE = chat(
    "Somebody left a purse on the table. What will you do, and what do you want most of all?",
    "I would ask whose it is, and give it back. What I want most is to be of use, and to be trusted with more.",
)
SAME = 0.12  # nats a token, root mean square: rounding in 16 bits makes 0.08 (see `server_check`)


def met_before(known: str, logp: Sequence[float]) -> int:
    """How many other models were met under `known`, what a server says of a model, before the one that scores `logp`.

    0 for the first; where nothing can be kept, always.
    """
    kept = _file(known)
    met: list[list[float]] = []
    with suppress(OSError, ValueError):  # not there, or broken
        met = read_json(kept)
    for number, scores in enumerate(met):
        if len(scores) == len(logp) and noise(scores, logp) < SAME:
            return number
    with suppress(RunFailed):  # a cache that cannot be written tells no two models apart, and stops no work
        write_json(kept, [*met, [round(value, 4) for value in logp]])
    return len(met)


def _file(known: str) -> Path:
    return cache_folder() / "served" / f"{digest(known)[:24]}.json"
