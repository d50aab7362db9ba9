"""Shares of two arms of records: how far apart, with what interval, and whether chance explains it."""

from math import erfc, inf, nan, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.normal import z_of
from infersight_analysis.stats.tables import p_values, risk_ratio_intervals

_special: Any = special  # scipy publishes no types

EXACT_BELOW: Final = 5
"""Tables in which some cell is expected to hold less are tested exactly (Cochran's rule, Biometrics 10, 1954)."""

_BOSCHLOO_UP_TO: Final = 200
"""Records of the larger arm; Boschloo's test looks at every table that could have been, 35 ms for two such arms."""


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson, JASA 22, 1927), between 0 and 1 even where nothing or all succeeded.

    Args:
        successes: how many.
        trials: of how many; of none the share is anywhere between 0 and 1.
        confidence: of the interval.

    Raises:
        ValueError: if there cannot be as many successes.
    """
    _check(successes, trials)
    if trials == 0:
        return 0.0, 1.0
    z2 = z_of(confidence) ** 2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    width = sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return 0.0 if successes == 0 else max(0.0, centre - width), 1.0 if successes == trials else min(1.0, centre + width)


def difference(successes_a: int, trials_a: int, successes_b: int, trials_b: int, confidence: float = 0.95) -> Estimate:
    """The share of B less that of A.

    The interval is Newcombe's (Statistics in Medicine 17, 1998, method 10), whose ends come from the Wilson intervals
    of both arms. The test is the one of pooled shares, or, where some cell of the table is expected to hold fewer than
    `EXACT_BELOW`, Boschloo's exact one (Annals of Statistics 1, 1970; uniformly more powerful than Fisher's), and
    Fisher's for arms too large for it. Right for one look at data of a size that was set before; `sequential` is for
    looking again and again.

    Args:
        successes_a: how many succeeded in A.
        trials_a: of how many.
        successes_b: how many succeeded in B.
        trials_b: of how many.
        confidence: of the interval.

    Returns:
        an estimate without a value, of which nothing is known, if an arm is empty.

    Raises:
        ValueError: if an arm cannot have as many successes.
    """
    low_a, high_a = wilson(successes_a, trials_a, confidence)
    low_b, high_b = wilson(successes_b, trials_b, confidence)
    if trials_a == 0 or trials_b == 0:
        return Estimate(nan, -1.0, 1.0, None, "unknown: an arm is empty")
    a, b = successes_a / trials_a, successes_b / trials_b
    low = b - a - sqrt((b - low_b) ** 2 + (high_a - a) ** 2)
    high = b - a + sqrt((high_b - b) ** 2 + (a - low_a) ** 2)
    p_value, test = _test(successes_a, trials_a, successes_b, trials_b)
    return Estimate(b - a, low, high, p_value, f"Newcombe interval, {test}")


def ratio(successes_a: int, trials_a: int, successes_b: int, trials_b: int, confidence: float = 0.95) -> Estimate:
    """The share of B over that of A; less 1 it is the lift.

    The interval holds the ratios that a score test does not reject (Koopman, Biometrics 40, 1984): its upper end is
    infinite where nothing succeeded in A. The p value is that of `difference`.

    Args:
        successes_a: how many succeeded in A.
        trials_a: of how many.
        successes_b: how many succeeded in B.
        trials_b: of how many.
        confidence: of the interval.

    Raises:
        ValueError: if an arm cannot have as many successes.
    """
    _check(successes_a, trials_a)
    _check(successes_b, trials_b)
    if trials_a == 0 or trials_b == 0:
        return Estimate(nan, 0.0, inf, None, "unknown: an arm is empty")
    b, a = _column(successes_b), _column(successes_a)
    lows, highs = risk_ratio_intervals(b, a, _column(trials_b), _column(trials_a), confidence)
    of_none = inf if successes_b else nan
    value = successes_b / trials_b / (successes_a / trials_a) if successes_a else of_none
    p_value, test = _test(successes_a, trials_a, successes_b, trials_b)
    return Estimate(value, float(lows[0]), float(highs[0]), p_value, f"Koopman interval of the ratio, {test}")


def homogeneity(successes: list[int], trials: list[int]) -> float:
    """The p value of any number of arms having one share in common: Pearson's chi-square.

    Args:
        successes: how many succeeded; an element an arm.
        trials: of how many.

    Returns:
        1 if all or none succeeded, or fewer than two arms have trials.

    Raises:
        ValueError: if an arm cannot have as many successes.
    """
    for arm in zip(successes, trials, strict=True):
        _check(*arm)
    x, n = np.array(successes, np.float64), np.array(trials, np.float64)
    x, n = x[n > 0], n[n > 0]
    pooled = float(x.sum() / n.sum()) if len(n) else 0.0
    if len(n) < 2 or pooled in {0.0, 1.0}:
        return 1.0
    chi2 = float(((x - n * pooled) ** 2 / (n * pooled * (1 - pooled))).sum())
    return float(_special.chdtrc(len(n) - 1, chi2))


def _test(successes_a: int, trials_a: int, successes_b: int, trials_b: int) -> tuple[float, str]:
    """The p value of equal shares, and the name of the test."""
    both, n = successes_a + successes_b, trials_a + trials_b
    if both in {0, n}:
        return 1.0, "nothing to test: the outcome is always the same"
    if min(both, n - both) * min(trials_a, trials_b) / n >= EXACT_BELOW:
        error = sqrt(both / n * (1 - both / n) * (1 / trials_a + 1 / trials_b))
        z = (successes_b / trials_b - successes_a / trials_a) / error
        return erfc(abs(z) / sqrt(2)), "pooled z-test"
    if max(trials_a, trials_b) <= _BOSCHLOO_UP_TO:
        from scipy import stats  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - slow, and seldom needed

        exact: Any = stats  # scipy publishes no types
        table = [[successes_a, successes_b], [trials_a - successes_a, trials_b - successes_b]]
        return float(exact.boschloo_exact(table).pvalue), "Boschloo's exact test"
    found = p_values(_column(successes_a), _column(successes_b), _column(trials_a), _column(trials_b))
    return float(found[0]), "Fisher's exact test"


def _column(count: int) -> npt.NDArray[np.int64]:
    return np.array([count], np.int64)


def _check(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} cannot have succeeded")
