"""Whether a difference of means hangs on a few values."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.means import difference

Numbers = npt.NDArray[np.float64]

_FEW: Final = 0.01
"""The share of the values that are few."""


@dataclass(frozen=True)
class Dependence:
    """A comparison of means with and without its extreme values.

    Args:
        all_values: with all of them.
        winsorised: with the most extreme 1 % of both arms together drawn in to the next value.
        hangs_on: how many extreme values have to be drawn in for another verdict, at most twice the least number; None
            if 1 % of all do not change it.
    """

    all_values: Estimate
    winsorised: Estimate
    hangs_on: int | None


def dependence(a: Numbers, b: Numbers, confidence: float = 0.95) -> Dependence:
    """Draw in the values that are farthest from the common median, more and more of them, and compare again.

    Both arms are drawn in to the same two bounds, so that no difference is made where there is none (Tukey and
    McLaughlin, Sankhya A 25, 1963, do so for one sample).

    Args:
        a: the numbers of A, none of them NaN, two at least.
        b: those of B.
        confidence: of the intervals.
    """
    both = np.concatenate([a, b])
    centre = float(np.median(both)) if len(both) else 0.0
    distances = np.sort(np.abs(both - centre))
    most = int(len(both) * _FEW)
    crude = difference(a, b, confidence)
    hangs_on, winsorised, count = None, crude, 1
    while count <= most:
        low, high = centre - distances[-count - 1], centre + distances[-count - 1]
        winsorised = difference(np.clip(a, low, high), np.clip(b, low, high), confidence)
        if hangs_on is None and _verdict(winsorised) != _verdict(crude):
            hangs_on = count
        count = most if count < most < 2 * count else 2 * count
    return Dependence(crude, winsorised, hangs_on)


def _verdict(estimate: Estimate) -> int:
    return int(estimate.low > 0) - int(estimate.high < 0)
