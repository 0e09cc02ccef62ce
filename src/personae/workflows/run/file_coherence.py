"""Whether a training broke the model (the bar: `measure.coherence`), and what is said of its shifts then."""

from collections.abc import Mapping, Sequence

from personae.measure import is_coherent
from personae.workflows.run.file_arms import Trained


def least_coherence(trained: Mapping[str, Sequence[Trained]]) -> tuple[dict[str, float], float | None]:
    """{arm: the least coherence of its trainings}, and the untrained model's, as far as they were measured."""
    known = {arm: [one.coherence for one in several if one.coherence is not None] for arm, several in trained.items()}
    before = [one.untrained_coherence for several in trained.values() for one in several]
    untrained = next((one for one in before if one is not None), None)
    return {arm: min(some) for arm, some in known.items() if some}, untrained


def broken_words(own: Mapping[str, float], untrained: float | None) -> str:
    """Which arm of `own` {arm: coherence} broke the model, and by how much; empty where none did, or nobody knows."""
    if untrained is None:
        return ""
    broke = [f"{arm} {coherence:.3f}" for arm, coherence in own.items() if not is_coherent(coherence, untrained)]
    return f"training has broken the model (coherence: {', '.join(broke)}, untrained {untrained:.3f})" if broke else ""


def incoherent_words(broken: str) -> str:
    """That what was measured is not to be read, where training has `broken` the model; else nothing."""
    return f"INCOHERENT: do not read these shifts; {broken}." if broken else ""
