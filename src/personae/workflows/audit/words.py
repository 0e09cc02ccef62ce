"""In words: what an answer, or a rewarded prompt, reveals of who is speaking, by its evidence and the cast's traits."""

import numpy as np

from personae.predictors import Basis
from personae.records.results import Floats

LOUD = 0.5  # nats of evidence below which a persona is not named
APART = 1.0  # nats by which a persona's level must differ from the cast's mean for a trait to be named


def reveals(basis: Basis, row: Floats, raised: list[int]) -> str:
    """One or two sentences about an episode with evidence `row` (K + 1,), which speaks for the columns `raised`."""
    named = [k for k in raised if row[k] >= LOUD and k > 0]
    if not named:
        return "Nobody in this cast is likelier for it: it says little about who is speaking."
    names = [basis.cast.names[k] for k in named]
    against = int(np.argmin(row))
    sentence = f"Whoever is speaking is likelier {_a(names[0])}"
    if len(names) > 1:
        sentence += f" (or {' or '.join(_a(n) for n in names[1:])})"
    if row[against] <= -LOUD:
        sentence += f" than {_a(basis.cast.names[against])}"
    traits = _marks(basis, named[0])
    return f"{sentence}." + (f" Such a character {traits}." if traits else "")


def _a(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _marks(basis: Basis, persona: int) -> str:
    """The two traits in which a persona stands out from the cast, as its levels show them."""
    stands = {
        t: float(table[persona].mean() - table[1:].mean(axis=0).mean()) for t, table in basis.levels.by_trait.items()
    }
    loudest = sorted(stands, key=lambda t: -abs(stands[t]))[:2]
    said = [f"is {'high' if stands[t] > 0 else 'low'} in {t}" for t in loudest if abs(stands[t]) >= APART]
    return " and ".join(said)
