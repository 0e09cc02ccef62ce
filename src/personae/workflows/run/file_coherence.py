"""How coherent a run's trainings left the model, the least of each arm."""

from collections.abc import Mapping, Sequence

from personae.workflows.run.file_arms import Trained


def least_coherence(trained: Mapping[str, Sequence[Trained]]) -> tuple[dict[str, float], float | None]:
    """{arm: the least coherence of its trainings}, and the untrained model's, as far as they were measured."""
    known = {arm: [one.coherence for one in several if one.coherence is not None] for arm, several in trained.items()}
    before = [one.untrained_coherence for several in trained.values() for one in several]
    untrained = next((one for one in before if one is not None), None)
    return {arm: min(some) for arm, some in known.items() if some}, untrained
