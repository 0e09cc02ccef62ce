"""What a part of a file already settles: how far a trait will shift, and which personas need not be read on.

Evidence means m (K + 1,) over all rows make weights w ∝ prior · exp(dose · m), and weights make shifts. How far m may
be from the mean of the rows read, `stopping` says, at every look at once; from that follows:
- *A shift* g(m) with gradient G is, to first order, the mean of Gᵀ L_i over rows, which has margins of its own. To stay
  honest where g bends, its interval also covers g at the two means that are likeliest to lie that far off,
  m ± margin · CG / (GᵀCG), C the covariance of a row's evidence.
- *A weight* is at most exp( log w'_k + margin of dose · (L_k - w'·L) ), w' the present weights: by Jensen's inequality
  log w_k ≤ log π_k + dose · m_k - Σ_j q_j (log π_j + dose · m_j - log q_j) for any weights q, which is linear in m.

A persona whose weight is surely next to nothing is *dropped*: no more rows are scored for it, and it counts with weight
zero. If those dropped together weigh at most u in the posterior of the whole file, no persona's weight is off by more
than u, and an item's level by no more than if u spoke with whoever of them says it most, or least: every interval is
widened by that.
Source: PSM.md section 2 for w and g; the rest is elementary (delta method, Jensen).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from personae.records import Blocks
from personae.records.results import Estimate, Floats
from personae.theory.influence import gradient
from personae.theory.predictive import level, mix, mixture_levels
from personae.theory.selection import mean_evidence
from personae.theory.simplex import log_of, normalised, softmax
from personae.theory.stopping import margins

NEGLIGIBLE = 0.01  # posterior weight that all dropped personas may have together
BLUR = 0.01  # nats by which dropping may widen the interval of a trait that is asked about, at either end


@dataclass(frozen=True)
class Sample:
    """What is known after some of the `of` rows of a file: their evidence `blocks` (n, C) for those still `kept`.

    `mean` (C,) is that of the blocks. `prior` and `kept` are (K + 1,), and so is `below`: what the weight of a dropped
    persona is at most, and zero of the others.
    """

    prior: Floats
    dose: float
    of: int
    kept: NDArray[np.bool_]
    below: Floats
    blocks: Blocks
    mean: Floats

    @classmethod
    def read(
        cls, prior: Floats, dose: float, of: int, blocks: Blocks, kept: NDArray[np.bool_], below: Floats
    ) -> "Sample":
        """What those rows say."""
        return cls(normalised(prior), dose, of, kept, below, blocks, mean_evidence(blocks))

    @property
    def dropped(self) -> float:
        """The most that all who were dropped weigh together."""
        return float(self.below.sum())

    @property
    def weights(self) -> Floats:
        """(K + 1,) the posterior of a file whose other rows are like those read; zero for who was dropped."""
        every = np.zeros(len(self.prior))
        every[self.kept] = self._weights(self.mean)
        return every

    def bounds(self, alpha: float) -> Floats:
        """(C,) what the weights of those kept are at most, all at once with error `alpha`."""
        now = self._weights(self.mean)
        along = self.dose * (np.eye(len(now)) - now[:, None])  # column k: persona k against the mixture
        _, above, _ = self._margins(along, alpha / len(self.prior))
        most: Floats = np.minimum(np.exp(log_of(now) + above), 1.0)
        return most

    def shifts(self, asked: Mapping[str, Floats], alpha: float) -> dict[str, Estimate]:
        """{trait: shift, nats} of levels `asked` {trait: (K + 1, I)}; all intervals hold at once with error `alpha`."""
        if not asked:
            return {}
        along = np.stack([self._gradient(levels) for levels in asked.values()], axis=1)  # (C, T)
        below, above, towards = self._margins(along, alpha / len(asked))
        found = {}
        for t, (trait, levels) in enumerate(asked.items()):
            at_low, at_high = self.mean - below[t] * towards[:, t], self.mean + above[t] * towards[:, t]
            low = min(self._level(self.mean, levels, -1) - below[t], self._level(at_low, levels, -1))
            high = max(self._level(self.mean, levels, 1) + above[t], self._level(at_high, levels, 1))
            before = level(mixture_levels(self.prior, levels))
            found[trait] = Estimate(self._level(self.mean, levels, 0) - before, low - before, high - before)
        return found

    def spared(self, asked: Sequence[Floats], alpha: float) -> "Sample":
        """With as many more personas dropped as `NEGLIGIBLE` and the `BLUR` of what is `asked` allow; never neutral."""
        columns, most = np.flatnonzero(self.kept), self.bounds(alpha)
        found = self
        for c in np.argsort(most, kind="stable")[:-1]:  # somebody stays
            if columns[c] == 0:
                continue
            more = found._without(int(columns[c]), float(most[c]))
            if more.dropped > NEGLIGIBLE or any(more._blur(levels) > BLUR for levels in asked):
                break
            found = more
        return found

    def _without(self, column: int, below: float) -> "Sample":
        kept, bounds, left = self.kept.copy(), self.below.copy(), self.kept.copy()
        kept[column], bounds[column] = False, below
        stay = kept[left]
        blocks = Blocks(self.blocks.rows, lambda: (block[:, stay] for block in self.blocks))
        return replace(self, kept=kept, below=bounds, blocks=blocks, mean=self.mean[stay])

    def _margins(self, along: Floats, alpha: float) -> tuple[Floats, Floats, Floats]:
        """Margins below and above (S,) of the means of `along`ᵀ L_i; and (C, S) by how much m goes with each."""
        rows, size = self.blocks.rows, along.shape[1]
        shared, lowest, highest = np.zeros(along.shape), np.zeros(size), np.zeros(size)
        for block in self.blocks:
            apart = block - self.mean
            values = apart @ along
            shared += apart.T @ values / max(rows - 1, 1)
            lowest, highest = np.minimum(lowest, values.min(axis=0)), np.maximum(highest, values.max(axis=0))
        variance = np.maximum((along * shared).sum(axis=0), 0.0)
        towards = np.divide(shared, variance, out=np.zeros_like(shared), where=variance > 0.0)
        return *margins(rows, self.of, alpha, variance, lowest, highest), towards

    def _weights(self, mean: Floats) -> Floats:
        """(C,) of those kept, adding up to one, at an evidence mean (C,)."""
        return softmax(log_of(self.prior[self.kept]) + self.dose * mean)

    def _gradient(self, levels: Floats) -> Floats:
        """(C,) of a trait's level by the evidence means of those kept."""
        slope: Floats = self.dose * gradient(self._weights(self.mean), levels[self.kept])
        return slope

    def _level(self, mean: Floats, levels: Floats, side: int) -> float:
        """A trait's level, nats: of those kept alone (`side` 0), or the lowest (-1), highest (1) with the dropped."""
        weights, table = self._weights(mean), levels[self.kept]
        alone, most = mix(log_of(weights), table), self.dropped
        if side == 0 or most == 0.0:
            return level(alone)
        others = levels[~self.kept]
        extreme = np.minimum(others.min(axis=0), alone) if side < 0 else np.maximum(others.max(axis=0), alone)
        return level(mix(log_of(np.append((1.0 - most) * weights, most)), np.vstack([table, extreme])))

    def _blur(self, levels: Floats) -> float:
        """By how much the dropped widen the interval of a trait, nats, at the worse end."""
        low, alone, high = (self._level(self.mean, levels, side) for side in (-1, 0, 1))
        return max(alone - low, high - alone)
