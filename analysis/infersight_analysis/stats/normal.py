"""Normal deviates and their probabilities."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

Z_95 = 1.959963984540054
"""Standard errors on each side of a 95 % interval."""


def two_sided(deviates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The probability of a standard normal deviate as far from 0, on either side."""
    erfc: Any = special.erfc  # scipy publishes no types
    probabilities: npt.NDArray[np.float64] = erfc(np.abs(deviates) / np.sqrt(2))
    return probabilities


def deviates(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of `two_sided`: not negative, finite, and 0 for a probability of 1."""
    erfcinv: Any = special.erfcinv
    found: npt.NDArray[np.float64] = erfcinv(np.clip(p_values, 1e-300, 1.0)) * np.sqrt(2)
    return found
