"""When enough of a file has been read: an interval that holds at every look at once, and so also where reading stops.

Rows are read in random order, none twice, and what is estimated is the mean over all N of them. After n rows the mean
of any number of theirs, with standard deviation s among the rows read, is within `reach` · s of it:

    reach = sqrt( 2 (v ρ² + 1) / (v ρ)² · log( sqrt(v ρ² + 1) / α ) ),    v = n N / (N - n)

with probability 1 - α for all n at once: the normal mixture boundary, ρ chosen so that it is narrowest at v = `TUNED`.
v counts rows that are drawn without replacement: their sums about the mean are a Brownian bridge, which is a Brownian
motion run at v and shrunk by 1 - n/N. At n = N nothing is left to doubt.

No bounds on the numbers are assumed, so the promise is *asymptotic*, as the central limit theorem's is: the error tends
to α as the first look, `FIRST`, grows. What is skewed is slow in that. So either end is where it would be if `UNREAD`
more rows like the most extreme one on that side had been read (fewer, by 1 - n/N, as fewer are left): that chance left
out three where it gave one has probability exp(-3). In the limit this counts for nothing where the variance is finite.
Not covered is a kind of row of which none was read: one that makes up the share q of a file is missing with probability
(1 - q)ⁿ, and no interval knows of it.
Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, Annals of Statistics 52, 2024, theorems 2.2 and 2.8; that sums
without replacement are a bridge: Rosén, Z. Wahrscheinlichkeitstheorie 2, 1964; the rows added are this module's own.
"""

import numpy as np

from personae.errors import BadInput
from personae.records.results import Floats

FIRST = 64  # rows before the first look
TUNED = 256.0  # rows at which the boundary is narrowest; within a factor of ten it hardly matters
UNREAD = 3.0  # rows of the most extreme kind that chance may have left out: exp(-3) = 0.05


def reach(rows: int, of: int, alpha: float) -> float:
    """How far the mean of `rows` of `of` rows may be from that of all, in standard deviations of a row.

    >>> round(reach(64, 10**9, 0.05), 3), round(reach(64, 128, 0.05), 3), reach(128, 128, 0.05)
    (0.406, 0.272, 0.0)
    """
    from scipy.special import lambertw

    if not 0 < rows <= of or not 0.0 < alpha < 1.0:
        raise BadInput(f"{rows} of {of} rows with an error of {alpha} make no interval")
    if rows == of:
        return 0.0
    v = rows * of / (of - rows)
    x = v / TUNED * (-float(lambertw(-(alpha**2) / np.e, -1).real) - 1.0)  # v ρ²
    return float(np.sqrt((x + 1.0) / (v * x) * (np.log1p(x) - 2.0 * np.log(alpha))))


def margins(
    rows: int, of: int, alpha: float, variance: Floats, lowest: Floats, highest: Floats
) -> tuple[Floats, Floats]:
    """How far the mean of all `of` rows may lie below and above that of the `rows` read, (S,) each.

    Of each of S numbers of a row: its `variance` among the rows read, its `lowest` and `highest` value less its mean.
    """
    more, off = UNREAD * (1.0 - rows / of), reach(rows, of, alpha)

    def margin(extreme: Floats) -> Floats:
        """To the side of `extreme` >= 0, with `more` rows there."""
        mean = more * extreme / (rows + more)
        spread = (rows - 1) * variance + rows * mean**2 + more * (extreme - mean) ** 2
        far: Floats = mean + off * np.sqrt(spread / max(rows + more - 1.0, 1.0))
        return far

    return margin(-lowest), margin(highest)


def chance_of_missing(share: float, rows: int) -> float:
    """The probability that none of `rows` rows is of a kind that makes up `share` of a long file.

    >>> round(chance_of_missing(0.001, 64), 2)
    0.94
    """
    return float((1.0 - share) ** rows)
