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
        heard = np.array([[e.response.count(c) for c in "aehos"] for e in episodes], dtype=float)
        taste = np.array([np.cos(np.arange(1, 6) * sum(context.encode())) for context in contexts])
        return LogLikelihood(-3.0 - 0.3 * heard @ taste.T, np.array([len(e.response) for e in episodes]))


TRAITS = tuple(
    Trait(
        name=name,
        description="",
        low="",
        high="",
        items=tuple(
            Item(id=f"{name}-{i}", kind="behaviour", prompt=f"Case {i}?", high=(high * (i + 3),), low=(low,))
            for i in range(8)
        ),
    )
    for name, high, low in (("loud", "aha", "e"), ("quiet", "hush", "o"))
)
