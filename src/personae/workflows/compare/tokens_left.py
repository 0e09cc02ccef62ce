"""Where in an answer the rest lies: what the trained model says and no reweighting would, token by token.

    nats[t] = log p_post(t | said so far) - log M(t | said so far)
    M(t | said so far) = Σ_k w_k · P_k(said so far, t) / Σ_k w_k · P_k(said so far)        k of the mixture's personas

over the trained model's own answer, the likeliest token each time, in each of the contexts of which least is explained.
A persona is chosen once an answer, so the mixture learns from its beginning who is speaking. The end of turn counts
where the model came to it. Kept in the run folder as `tokens.json`.
"""

from typing import TYPE_CHECKING

import numpy as np

from personae.errors import BadInput
from personae.records import Cast, Episode, Message
from personae.records.files import read_json, write_json
from personae.records.results import Floats
from personae.workflows.compare.comparison import Comparison
from personae.workflows.kept.folder import RunFolder
from personae.workflows.watch import Watch

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

RECORD = "tokens.json"
MOST = 6  # contexts
LENGTH = 48  # tokens of an answer

Tokens = list[tuple[str, float]]


def tokens_left(
    found: Comparison, base: "LocalSimulator", post: "LocalSimulator", cast: Cast, folder: RunFolder, watch: Watch
) -> list[Tokens]:
    """(token, nats) of an answer in each of the contexts in which most is left, most of all first.

    Empty for a context that is no conversation, for one where the trained model says nothing or has no room to, and
    where an answer cannot be laid out again, or not in the same tokens by both models.
    """
    kept = folder.file(RECORD)
    if not kept.exists():
        every: list[Tokens] = []
        most = found.most[:MOST]
        with watch("what is left, by token", "answers") as progress:
            for one in most:
                every.append(_answered(one.said, found, base, post, cast) if one.form == "chat" else [])
                progress(len(every), len(most))
        write_json(kept, every)
    return [[(str(token), float(nats)) for token, nats in one] for one in read_json(kept)]


def _answered(
    asked: tuple[Message, ...], found: Comparison, base: "LocalSimulator", post: "LocalSimulator", cast: Cast
) -> Tokens:
    """The tokens of what the trained model says, each with its nats; none where that cannot be told."""
    try:
        answer, ended = _said(post, asked)
        if not answer:
            return []
        said = Episode(messages=(*asked, Message(role="assistant", content=answer)))
        tokens = _of(said, found, base, post, cast)
        return tokens if ended else within(tokens, answer)
    except BadInput:
        return []


def _said(post: "LocalSimulator", asked: tuple[Message, ...]) -> tuple[str, bool]:
    """What the trained model says, the likeliest token each time, and whether it came to an end."""
    stop = post.dialogue.stop_ids
    (ids,) = post.draw([post.dialogue.prompt_ids(asked)], stop, LENGTH, temperature=0.0, seed=0)
    return post.dialogue.spoken(str(post.tokenizer.decode(ids, skip_special_tokens=True))), ids[-1] in stop


def within(tokens: Tokens, answer: str) -> Tokens:
    r"""Those of the tokens that are of the `answer`, and not of what ends its turn.

    >>> within([(" So", 0.1), (".", 0.2), ("", 0.3)], "So."), within([(" So", 0.1), (".\n", 0.2)], "So.")
    ([(' So', 0.1), ('.', 0.2)], [(' So', 0.1)])
    """
    before, said, _ = "".join(text for text, _ in tokens).rpartition(answer)
    ends = np.cumsum([len(text) for text, _ in tokens])
    last = len(before) + len(said)
    return [one for one, end in zip(tokens, ends, strict=True) if end <= last and end - len(one[0]) < last]


def _of(episode: Episode, found: Comparison, base: "LocalSimulator", post: "LocalSimulator", cast: Cast) -> Tokens:
    """One answer's tokens, each with its nats."""
    speaking = found.speaking
    theirs = base.by_token(episode, [cast.contexts[k] for k in speaking])
    own = post.by_token(episode, [""])
    if own.ids != theirs.ids:
        return []
    nats = own.logp[0] - mixed(theirs.logp, found.whole.weights[speaking])
    return list(zip(theirs.texts, nats.tolist(), strict=True))


def mixed(logp: Floats, weights: Floats) -> Floats:
    """(T,) log p of each token in the mixture of K personas whose own are `logp` (K, T), given the tokens before it.

    >>> np.exp(mixed(np.log([[0.5, 0.5], [0.5, 0.1]]), np.array([0.5, 0.5]))).round(2).tolist()
    [0.5, 0.3]
    """
    so_far = np.logaddexp.reduce(np.log(weights)[:, None] + np.cumsum(logp, axis=1), axis=0)
    steps: Floats = np.diff(so_far, prepend=np.log(weights.sum()))
    return steps
