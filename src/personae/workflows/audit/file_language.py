"""Whether a model knows the language of a file: if not, what it says of the file is noise, and the file is refused.

    surprise = - log p(answer | prompt) / tokens of the answer          nats a token, with no context; median over rows
    blind    = log(number of tokens in the vocabulary)                  what guessing alike among all of them costs

Whoever guesses blindly knows nothing of a language; whoever does worse than that is sure of another one. So a file is
refused where the surprise is more than a nat above the blind guess. (The nat is for models with random weights, which
lie at the blind guess itself.) Nothing in this is fitted, and no model is asked where it came from.

Measured with the laboratory's model, whose blind guess is 7.6: its own language 0.22 to 0.48 (every trait, pole and
wording of a request); ordinary English 12.0 to 15.1 (small talk in three tones, and answers to hostile requests).
A model of the real world knows its 50 000 tokens far better than the 10.8 nats of a blind guess among them.
"""

from collections.abc import Sequence

import numpy as np

from personae.errors import BadInput
from personae.records import Episode, Message, Simulator
from personae.records.places import evenly
from personae.workflows.audit.file_pair import LEAVE_OUT, FilePair

ROWS = 16  # of each file, evenly taken
MARGIN = 1.0  # nats a token above the blind guess
OTHER = "name a model that was trained on such text"
LABORATORY = (
    "it knows only the laboratory's language, which `personae corpus` shows; for your own file use "
    "--model smollm2-135m-instruct (`personae models get smollm2-135m-instruct`)"
)


def check_language(simulator: Simulator, pair: FilePair, remedy: str = OTHER) -> None:
    """Raise `BadInput`, before any work, for a file (or control) whose language the simulator does not know.

    A simulator with no vocabulary of its own has a grammar, and says itself what it cannot read.
    """
    tokenizer = getattr(simulator, "tokenizer", None)
    if tokenizer is None:
        return
    blind = float(np.log(len(tokenizer)))
    part = "a prompt" if pair.prompts else "an answer"
    for path, rows in pair.files:
        if (nats := surprise(simulator, rows, prompts=pair.prompts)) > blind + MARGIN:
            problem = (
                f"{simulator.name} does not know this language: {part} costs it {nats:.1f} nats a token, "
                f"where a blind guess costs {blind:.1f}"
            )
            raise BadInput(problem, file=path, remedy=LEAVE_OUT if pair.reference and path == pair.against else remedy)


def surprise(simulator: Simulator, rows: Sequence[Episode], *, prompts: bool = False) -> float:
    """Nats a token of the answers, with no context: the median over `ROWS` rows evenly taken.

    `prompts`: of what the user asks, in place of an answer; 0 where no row ends with the user's turn.
    """
    taken = [rows[p] for p in evenly(len(rows), ROWS)]
    if prompts:
        taken = [
            _as_said(row.prompt) for row in taken if row.prompt[-1].role == "user" and row.prompt[-1].content.strip()
        ]
    if not taken:
        return 0.0
    scored = simulator.log_likelihood(taken, [""])
    return float(np.median(-scored.logp[:, 0] / scored.tokens))


def _as_said(prompt: Sequence[Message]) -> Episode:
    """The last turn of a prompt as what is scored, in the user's name."""
    *before, last = prompt
    opened = (last.model_copy(update={"content": ""}), last.model_copy(update={"role": "assistant"}))
    return Episode(messages=(*before, *opened), form="open")
