"""Normal deviates and their probabilities, by the standard library: to import SciPy takes longer than all of them."""

from math import erfc, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Z_95 = 1.959963984540054
"""Standard errors on each side of a 95 % interval."""

_NORMAL: Final = NormalDist()


def z_of(confidence: float) -> float:
    """Standard errors on each side of an interval with this confidence, which is between 0 and 1."""
    return -_NORMAL.inv_cdf((1 - confidence) / 2)


def two_sided(deviates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The probability of a standard normal deviate as far from 0, on either side."""
    return np.array([erfc(deviate / sqrt(2)) for deviate in np.abs(deviates).tolist()])


def deviates(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of `two_sided`: not negative, finite, and 0 for a probability of 1."""
    return np.array([0.0 - _NORMAL.inv_cdf(p_value / 2) for p_value in np.clip(p_values, 1e-300, 1.0).tolist()])


def z_at(probability: float) -> float:
    """The normal deviate that is not exceeded with this probability."""
    return _NORMAL.inv_cdf(probability)


def probability_below(deviate: float) -> float:
    """The probability of a smaller normal deviate."""
    return _NORMAL.cdf(deviate)
