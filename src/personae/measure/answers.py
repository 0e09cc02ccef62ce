"""Answer distributions: how likely each outcome of each probe is, under every context.

    p[k, c, a] = Σ p(answer | c_k, probe c)  over the answers of outcome a

Of a closed probe the last outcome is what the others leave, "something else". Of an open one the outcomes offered share
all of it: p is their probability given that one of them comes. Probes with fewer outcomes than others are filled up
with outcomes that never come. Source: PSM.md section 2, Explained share (answer distributions).
"""

from collections.abc import Sequence

import numpy as np

from personae.records import Probe, Progress, Simulator
from personae.records.results import Floats

LEAST = 1e-9  # of something else: what rounding leaves of a distribution that is used up


def outcome_probabilities(
    simulator: Simulator, probes: Sequence[Probe], contexts: Sequence[str], progress: Progress | None = None
) -> Floats:
    """(K, C, A) probabilities under K contexts of the A outcomes of C probes; every (k, c) adds up to one."""
    scored = simulator.log_likelihood([e for probe in probes for e in probe.episodes()], contexts, progress)
    width = max(len(probe.outcomes) + probe.closed for probe in probes)
    found, start = np.zeros((len(contexts), len(probes), width)), 0
    for place, probe in enumerate(probes):
        for outcome, said in enumerate(probe.outcomes.values()):
            found[:, place, outcome] = np.exp(scored.logp[start : start + len(said)]).sum(axis=0)
            start += len(said)
        if probe.closed:
            rest = len(probe.outcomes)
            found[:, place, rest] = np.maximum(LEAST, 1.0 - found[:, place].sum(axis=1))
    share: Floats = found / found.sum(axis=2, keepdims=True)
    return share
