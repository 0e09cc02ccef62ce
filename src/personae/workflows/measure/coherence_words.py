"""What is said of shifts where a training has broken the model (the bar: `measure.coherence`)."""

from collections.abc import Mapping

from personae.measure import is_coherent


def broken_words(own: Mapping[str, float], untrained: float | None) -> str:
    """Which arm of `own` {arm: coherence} broke the model, and by how much; empty where none did, or nobody knows."""
    if untrained is None:
        return ""
    broke = [f"{arm} {coherence:.3f}" for arm, coherence in own.items() if not is_coherent(coherence, untrained)]
    return f"training has broken the model (coherence: {', '.join(broke)}, untrained {untrained:.3f})" if broke else ""


def incoherent_words(broken: str) -> str:
    """That what was measured is not to be read, where training has `broken` the model; else nothing."""
    return f"INCOHERENT: do not read these shifts; {broken}." if broken else ""
