"""Means of two arms of numbers."""

from collections.abc import Sequence
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


def stratified(strata: Sequence[tuple[Numbers, Numbers]], confidence: float = 0.95) -> Estimate:
    """The mean of B less that of A, where something else that differs between the arms is held equal.

    The mean of the strata's own differences, each weighed by its records (n_a n_b / (n_a + n_b)), as Mantel and
    Haenszel weigh shares. A stratum with fewer than two numbers of an arm says nothing.

    Args:
        strata: the numbers of A and of B, none of them NaN.
        confidence: of the interval.

    Returns:
        an estimate of which nothing is known if no stratum says anything.
    """
    useful = [(a, b) for a, b in strata if min(len(a), len(b)) >= 2]
    if not useful:
        return Estimate(nan, -inf, inf, None, "unknown: no stratum has both arms")
    weights = np.array([len(a) * len(b) / (len(a) + len(b)) for a, b in useful])
    weights /= weights.sum()
    value = float(sum(weight * (b.mean() - a.mean()) for weight, (a, b) in zip(weights, useful, strict=True)))
    arms = [(weight, arm) for weight, both in zip(weights, useful, strict=True) for arm in both]
    variances = [float(weight**2 * arm.var(ddof=1) / len(arm)) for weight, arm in arms]
    return welch(value, variances, [len(arm) for _, arm in arms], confidence, "Welch's t within strata")


def ratio_of_totals(a: tuple[Numbers, Numbers], b: tuple[Numbers, Numbers], confidence: float = 0.95) -> Estimate:
    """A ratio of sums in B less that in A, such as clicks per view, where the unit that was assigned is the user.

    By the delta method (Deng, Knoblich and Lu, KDD 2018): the views of one user are not independent, the users are.

    Args:
        a: numerators and denominators of the units of A, of one length, none of them NaN.
        b: those of B.
        confidence: of the interval.

    Returns:
        an estimate of which nothing is known if an arm has fewer than two units or nothing to divide by.
    """
    if any(len(bottom) < 2 or bottom.sum() == 0 for _, bottom in (a, b)):
        return Estimate(nan, -inf, inf, None, "unknown: an arm has fewer than two units, or nothing to divide by")
    ratios = [float(top.sum() / bottom.sum()) for top, bottom in (a, b)]
    influences = [(top - ratio * bottom) / bottom.mean() for (top, bottom), ratio in zip((a, b), ratios, strict=True)]
    variances = [float(influence.var(ddof=1)) / len(influence) for influence in influences]
    sizes = [len(influence) for influence in influences]
    return welch(ratios[1] - ratios[0], variances, sizes, confidence, "Welch's t, delta method")


def lift(a: Numbers, b: Numbers, confidence: float = 0.95) -> Estimate:
    """The mean of B over that of A, less 1, with Fieller's interval (JRSS B 16, 1954) and Welch's p value.

    Args:
        a: the numbers of A, none of them NaN.
        b: those of B.
        confidence: of the interval.

    Returns:
        an estimate without bounds where the mean of A cannot be told from 0.
    """
    found = difference(a, b, confidence)
    mean = float(np.mean(a)) if len(a) else 0.0
    if found.p_value is None or mean == 0:
        return Estimate(nan, -inf, inf, found.p_value, "unknown: nothing to divide by")
    of_a, of_b = float(np.var(a, ddof=1)) / len(a), float(np.var(b, ddof=1)) / len(b)
    ratio = float(np.mean(b)) / mean
    spread = (found.high - found.value) ** 2 / (of_a + of_b) if of_a + of_b > 0 else 0.0  # squared t
    doubt = spread * of_a / mean**2
    if doubt >= 1:
        return Estimate(ratio - 1, -inf, inf, found.p_value, "unknown: the mean of A may be 0")
    width = sqrt(spread * (of_b + ratio**2 * of_a - doubt * of_b)) / abs(mean)
    low, high = (ratio - width) / (1 - doubt) - 1, (ratio + width) / (1 - doubt) - 1
    return Estimate(ratio - 1, low, high, found.p_value, "Fieller's interval, Welch's t")


def welch(value: float, variances: Sequence[float], sizes: Sequence[int], confidence: float, method: str) -> Estimate:
    """An estimate from the variances of what it is the sum or the difference of, such as the means of two arms.

    Args:
        value: the estimate.
        variances: squared standard errors of the parts.
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


def welch_degrees(variances: Sequence[float], sizes: Sequence[int]) -> float:
    """Degrees of freedom of the sum of such variances (Satterthwaite, Biometrics Bulletin 2, 1946)."""
    scale = sum(variances)  # relative, so that the squares of tiny ones do not vanish
    return 1 / sum((variance / scale) ** 2 / (size - 1) for variance, size in zip(variances, sizes, strict=True))
