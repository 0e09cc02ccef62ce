"""Two answers offered as A and B, in both orders, so that a liking for a letter or a place cancels.

    level[k, i] = mean over both orders of log p(the letter of the high answer) - log p(that of the low one)      nats

Whatever favours A over B, or the first place over the second, adds as much in one order as it takes in the other. Of
paraphrases the first is offered.
"""

from functools import partial

from personae.errors import BadInput
from personae.measure.instrument import Asked, Likelihood, Question, Weighed, in_chat, mark
from personae.records import Item, Trait

LETTERS = ("A", "B")
SAID = """Suppose somebody says to you: "{prompt}" Which answer would you give?
(A) {first}
(B) {second}
Say A or B, and nothing else."""
SHOWN = """Here are two answers.
(A) {first}
(B) {second}
Both are replies to: "{prompt}"
Which one is yours? Reply with its letter."""
FRAMES = (SAID, SHOWN)


def options(frame: int = 0) -> Likelihood:
    """The instrument in one of its two frames."""
    return Likelihood("options", partial(_ask, frame=frame), mark("options", FRAMES[frame]))


def _ask(trait: Trait, frame: int) -> Asked:
    for item in trait.items:
        if _letter(item.high[0]) and _letter(item.low[0]):
            raise BadInput(
                f"{trait.name}: {item.high[0]!r} and {item.low[0]!r} are letters of options already",
                remedy="ask with --instrument answers",
            )
    return Asked(tuple(_question(in_chat(item, trait, "options"), frame) for item in trait.items))


def _question(item: Item, frame: int) -> Question:
    return tuple(Weighed(0.5, _put(item, frame, place)) for place in (0, 1))


def _letter(answer: str) -> bool:
    letter = answer.strip(" .()")
    return len(letter) == 1 and letter.isalpha()


def _put(item: Item, frame: int, place: int) -> Item:
    """The two answers with the high one in the first (0) or the second (1) place."""
    first, second = (item.high[0], item.low[0]) if place == 0 else (item.low[0], item.high[0])
    request = FRAMES[frame].format(prompt=item.prompt, first=first, second=second)
    poles = {"high": (LETTERS[place],), "low": (LETTERS[1 - place],)}
    return item.model_copy(update={"prompt": request, **poles})
