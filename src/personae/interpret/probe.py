"""Linear probes: how likely something is so of who is speaking, read off one hidden state.

    log-odds[n] = weights · state[n] + bias      nats, above zero: it is so

The fit is logistic regression on standardised states with a ridge, towards shares (N,) in [0, 1]: cross-entropy with
what is true of the character on whom the state was taken, plus ridge / 2 · |weights|².
Source: Alain & Bengio, arXiv 1610.01644 (linear probes).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personae.errors import BadInput
from personae.records import Message
from personae.records.results import Floats

RIDGE = 0.01
DIGITS = 5  # weights of standardised states are kept to so many, so that the same fit is the same probe


@dataclass(frozen=True)
class LinearProbe:
    """Reads states (N, D) of the output of block `layer`, counted from 0."""

    layer: int
    weights: tuple[float, ...]
    bias: float

    def read(self, states: ArrayLike) -> Floats:
        """(N,) log-odds, nats."""
        found: Floats = np.asarray(states, dtype=np.float64) @ np.array(self.weights) + self.bias
        return found


@dataclass(frozen=True)
class Look:
    """A `probe` under a `name`, and the `prompts` (turns so far) before whose answers it is read."""

    name: str
    probe: LinearProbe
    prompts: tuple[tuple[Message, ...], ...]


def fit_probe(states: ArrayLike, share: ArrayLike, layer: int, ridge: float = RIDGE) -> LinearProbe:
    """The probe that tells `share` (N,) best from `states` (N, D). Raises `BadInput` where there is nothing to tell."""
    from scipy.optimize import minimize
    from scipy.special import expit

    x, y = np.asarray(states, dtype=np.float64), np.asarray(share, dtype=np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.size:
        raise BadInput(f"a probe needs a share for each state, not arrays of shape {x.shape} and {y.shape}")
    if y.min() < 0.0 or y.max() > 1.0 or np.ptp(y) == 0.0:
        raise BadInput("a probe needs shares from 0 to 1 that differ", remedy="give states of both kinds")
    middle, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - middle) / np.where(spread > 0.0, spread, 1.0)

    def loss(b: Floats) -> tuple[float, Floats]:
        odds = z @ b[:-1] + b[-1]
        off = expit(odds) - y
        value = np.mean(np.logaddexp(0.0, odds) - y * odds) + ridge / 2.0 * (b[:-1] @ b[:-1])
        return float(value), np.append(z.T @ off / len(y) + ridge * b[:-1], off.mean())

    fitted = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    exact = fitted[:-1].round(DIGITS) / np.where(spread > 0.0, spread, 1.0)
    weights = np.array([float(f"{weight:.9g}") for weight in exact])  # and no digit that another machine has otherwise
    return LinearProbe(layer, tuple(weights.tolist()), round(float(fitted[-1] - weights @ middle), DIGITS))
