"""Shares of two arms where something else that differs between them is held equal: one table for each of its values.

Each function takes arrays of one length, one element a stratum. A stratum without either arm says nothing.
"""

from math import erfc, inf, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.normal import z_of

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_UNKNOWN = "unknown: no stratum has both arms"


def difference(
    successes_a: Counts, trials_a: Counts, successes_b: Counts, trials_b: Counts, *, confidence: float = 0.95
) -> Estimate:
    """The share of B less that of A within strata.

    Weighed as Mantel and Haenszel do (Greenland and Robins, Biometrics 41, 1985), with the variance of Sato (Biometrics
    45, 1989), which is right for few large strata and for many small ones. The test is that of Mantel and Haenszel
    (1959), without correction for continuity.

    Args:
        successes_a: how many succeeded in A.
        trials_a: of how many.
        successes_b: how many succeeded in B.
        trials_b: of how many.
        confidence: of the interval.

    Raises:
        ValueError: if a stratum cannot have as many successes.
    """
    x, n, y, m = _useful(successes_a, trials_a, successes_b, trials_b)
    if not len(n):
        return Estimate(nan, -1.0, 1.0, None, _UNKNOWN)
    total = n + m
    weights = n * m / total
    value = float((weights * (y / m - x / n)).sum() / weights.sum())
    p = (n**2 * y - m**2 * x + n * m * (m - n) / 2) / total**2
    q = (y * (n - x) + x * (m - y)) / (2 * total)
    width = z_of(confidence) * sqrt(max(0.0, float((value * p + q).sum()))) / float(weights.sum())
    p_value = _independence(x, n, y, m)
    return Estimate(
        value, max(-1.0, value - width), min(1.0, value + width), p_value, "Mantel-Haenszel, Sato's variance"
    )


def odds_ratio(
    successes_a: Counts, trials_a: Counts, successes_b: Counts, trials_b: Counts, *, confidence: float = 0.95
) -> Estimate:
    """The odds of B over those of A within strata, 1 where the arms do not differ.

    Of Mantel and Haenszel, with the variance of Robins, Breslow and Greenland (Biometrics 42, 1986) and the p value of
    `difference`.

    Args:
        successes_a: how many succeeded in A.
        trials_a: of how many.
        successes_b: how many succeeded in B.
        trials_b: of how many.
        confidence: of the interval.

    Raises:
        ValueError: if a stratum cannot have as many successes.
    """
    x, n, y, m = _useful(successes_a, trials_a, successes_b, trials_b)
    above, below = float((y * (n - x) / (n + m)).sum()), float((x * (m - y) / (n + m)).sum())
    if above == 0 and below == 0:
        return Estimate(nan, 0.0, inf, None, _UNKNOWN)
    p_value = _independence(x, n, y, m)
    if above == 0 or below == 0:
        return Estimate(inf if above else 0.0, 0.0, inf, p_value, "Mantel-Haenszel; no interval with empty cells")
    low, high = _tables(x, n, y, m).oddsratio_pooled_confint(1 - confidence)
    return Estimate(above / below, float(low), float(high), p_value, "Mantel-Haenszel, Robins-Breslow-Greenland")


def homogeneity(successes_a: Counts, trials_a: Counts, successes_b: Counts, trials_b: Counts) -> float:
    """The p value of the odds ratio being the same in all strata (Breslow and Day, 1980, with Tarone's adjustment).

    If it is not, one figure for all of them hides what is different: look at the strata.

    Returns:
        1 where fewer than two strata can tell.
    """
    x, n, y, m = _useful(successes_a, trials_a, successes_b, trials_b)
    varies = (x + y > 0) & (x + y < n + m)
    x, n, y, m = x[varies], n[varies], y[varies], m[varies]
    if len(n) < 2 or not (y * (n - x)).any() or not (x * (m - y)).any():
        return 1.0
    return float(_tables(x, n, y, m).test_equal_odds(adjust=True).pvalue)


def _useful(
    successes_a: Counts, trials_a: Counts, successes_b: Counts, trials_b: Counts
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """The strata that have both arms, as floating-point numbers."""
    x, n, y, m = (np.asarray(each, np.float64) for each in (successes_a, trials_a, successes_b, trials_b))
    if ((x < 0) | (x > n) | (y < 0) | (y > m)).any():
        raise ValueError("a stratum cannot have more successes than trials")
    both = (n > 0) & (m > 0)
    return x[both], n[both], y[both], m[both]


def _independence(x: Numbers, n: Numbers, y: Numbers, m: Numbers) -> float:
    """The p value of Mantel and Haenszel's test: in each stratum the successes of B are as the margins say."""
    total, having = n + m, x + y
    variance = float((n * m * having * (total - having) / (total**2 * (total - 1))).sum())
    excess = float((y - m * having / total).sum())
    return erfc(abs(excess) / sqrt(2 * variance)) if variance > 0 else 1.0


def _tables(x: Numbers, n: Numbers, y: Numbers, m: Numbers) -> Any:
    from statsmodels.stats import contingency_tables  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - slow

    tables: Any = contingency_tables  # statsmodels publishes no types
    return tables.StratifiedTable(np.array([[y, m - y], [x, n - x]]))
