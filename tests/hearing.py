"""A simulator whose scores are arithmetic, with a cast and traits that it shows: for tests of a whole job on a file."""

import numpy as np

from personae.records import Cast, Item, LogLikelihood, Persona, Trait

NAMES = ("clerk", "pirate", "nurse")
CAST = Cast(
    name="three",
    neutral="-",
    personas=tuple(Persona(name=n, kind="person", context=f"A {n} speaks.") for n in NAMES),
)


class Heard:
    """A simulator whose scores are arithmetic: a context likes some letters. It counts the rows that it scores."""

    name, digest = "heard", "heard"

    def __init__(self, most: float = np.inf) -> None:
        self.scored, self.most = 0, most

    def log_likelihood(self, episodes, contexts, progress=None) -> LogLikelihood:
        rows = sum(not e.prompt[-1].content.startswith("Case") for e in episodes)
        if self.scored + rows > self.most:
            raise KeyboardInterrupt
        self.scored += rows
        return arithmetic(episodes, contexts)


def arithmetic(episodes, contexts) -> LogLikelihood:
    """Scores computed from the letters of an answer: each context likes some of them."""
    heard = np.array([[e.response.count(c) for c in "aehos"] for e in episodes], dtype=float)
    taste = np.array([np.cos(np.arange(1, 6) * sum(context.encode())) for context in contexts])
    return LogLikelihood(-3.0 - 0.3 * heard @ taste.T, np.array([len(e.response) for e in episodes]))


def two_traits(shortest: int) -> tuple[Trait, ...]:
    """Two traits of eight items, whose high answers repeat a word so many times and more."""
    return tuple(
        Trait(
            name=name,
            description="",
            low="",
            high="",
            items=tuple(
                Item(id=f"{name}-{i}", kind="behaviour", prompt=f"Case {i}?", high=(high * (i + shortest),), low=(low,))
                for i in range(8)
            ),
        )
        for name, high, low in (("loud", "aha", "e"), ("quiet", "hush", "o"))
    )


TRAITS = two_traits(3)
