"""Asked and answered Yes or No, of both poles alike, so that a liking for Yes cancels.

    level[k, i] = yes(k, high answer) - yes(k, low answer)      nats
    yes(k, a)   = log p(Yes | c_k, "would you answer a?") - log p(No | c_k, the same)

Whatever makes Yes likelier whatever is asked adds as much to both terms. Of paraphrases the first is asked about.

An item whose own answers are yes and no (as published evaluations have) is put as it stands: the i-th one that yes
keys high meets the i-th that yes keys low. A trait of which all are keyed one way cannot be balanced and is refused;
items without a partner are counted as lost.

This is a self-report, and what training kills first. Source: PSM.md section 4, the pilot on a real model.
"""

from functools import partial

from personae.errors import BadInput
from personae.measure.instrument import Asked, Likelihood, Question, Weighed, in_chat, mark
from personae.records import Item, Trait

YES, NO = "Yes.", "No."
FRAMES = (
    'Suppose somebody says to you: "{prompt}" Would you answer like this: "{answer}"? Say Yes or No.',
    'Here is an answer to "{prompt}" It goes: "{answer}" Is that you speaking? Reply with Yes or No.',
)


def yes_no(frame: int = 0) -> Likelihood:
    """The instrument in one of its two frames."""
    return Likelihood("yes-no", partial(_ask, frame=frame), mark("yes-no", FRAMES[frame]))


def _ask(trait: Trait, frame: int) -> Asked:
    own = [item for item in trait.items if _keyed(item)]
    about = [item for item in trait.items if not _keyed(item)]
    questions = [_question(in_chat(item, trait, "yes-no"), frame) for item in about]
    pairs = _pairs(trait, own) if own else []
    return Asked(tuple(questions + pairs), len(own) - 2 * len(pairs))


def _question(item: Item, frame: int) -> Question:
    """Yes to the high answer, less yes to the low one."""

    def put(answer: str, weight: float) -> Weighed:
        request = FRAMES[frame].format(prompt=item.prompt, answer=answer)
        return Weighed(weight, item.model_copy(update={"prompt": request, "high": (YES,), "low": (NO,)}))

    return put(item.high[0], 1.0), put(item.low[0], -1.0)


def _keyed(item: Item) -> str | None:
    """The pole of yes, where the item's own answers are yes and no."""
    high, low = ({answer.strip(" .()").lower() for answer in pole} for pole in (item.high, item.low))
    if (high, low) == ({"yes"}, {"no"}):
        return "high"
    return "low" if (high, low) == ({"no"}, {"yes"}) else None


def _pairs(trait: Trait, own: list[Item]) -> list[Question]:
    """The i-th item that yes keys high with the i-th that yes keys low; each level is of its own high pole."""
    by_key = {key: [item for item in own if _keyed(item) == key] for key in ("high", "low")}
    if not all(by_key.values()):
        key, other = ("high", "low") if by_key["high"] else ("low", "high")
        raise BadInput(
            f"yes is the {key} pole of all {len(own)} yes-or-no items of {trait.name!r}, so a liking for yes could not "
            "be told from the trait",
            remedy=f"add items of which yes is the {other} pole, or use another instrument",
        )
    return [(Weighed(1.0, h), Weighed(1.0, low)) for h, low in zip(by_key["high"], by_key["low"], strict=False)]
