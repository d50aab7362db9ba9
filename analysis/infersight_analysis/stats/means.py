"""Means of two arms of numbers."""

from math import inf, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.stats.estimate import Estimate

Numbers = npt.NDArray[np.float64]

_special: Any = special  # scipy publishes no types


def difference(a: Numbers, b: Numbers, confidence: float = 0.95) -> Estimate:
    """The mean of B less that of A, by Welch's t test (Biometrika 34, 1947), which asks for no common variance.

    Args:
        a: the numbers of A, none of them NaN.
        b: those of B.
        confidence: of the interval.

    Returns:
        an estimate of which nothing is known but its value, if an arm has fewer than two numbers.
    """
    if min(len(a), len(b)) < 2:
        value = float(np.mean(b) - np.mean(a)) if len(a) and len(b) else nan
        return Estimate(value, -inf, inf, None, "unknown: an arm has fewer than two values")
    variances = float(np.var(a, ddof=1)) / len(a), float(np.var(b, ddof=1)) / len(b)
    value = float(np.mean(b) - np.mean(a))
    return welch(value, variances, (len(a), len(b)), confidence, "Welch's t")


def welch(
    value: float, variances: tuple[float, float], sizes: tuple[int, int], confidence: float, method: str
) -> Estimate:
    """An estimate from the variances of two arms' own estimates, whose difference it is.

    Args:
        value: the difference.
        variances: squared standard errors of A and of B.
        sizes: how many records each of them rests on, 2 at least.
        confidence: of the interval.
        method: the estimate's.
    """
    error = sqrt(sum(variances))
    if error == 0:
        p_value = 1.0 if value == 0 else 0.0
        return Estimate(value, value, value, p_value, f"{method}; no variance")
    degrees = welch_degrees(variances, sizes)
    width = float(_special.stdtrit(degrees, (1 + confidence) / 2)) * error
    p_value = 2 * float(_special.stdtr(degrees, -abs(value) / error))
    return Estimate(value, value - width, value + width, p_value, method)


def welch_degrees(variances: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Degrees of freedom of a difference of estimates (Satterthwaite, Biometrics Bulletin 2, 1946)."""
    scale = sum(variances)  # relative, so that the squares of tiny ones do not vanish
    return 1 / sum((variance / scale) ** 2 / (size - 1) for variance, size in zip(variances, sizes, strict=True))
