"""Two cohorts and one property of theirs: many 2 x 2 tables at once.

Each function takes arrays of one length, one element a table: how many of the target's `target` members have the
property, and how many of the baseline's `baseline` members.
"""

from math import exp, lgamma
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.normal import two_sided, z_of

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

EXACT_BELOW: Final = 10
"""Tables in which some cell is expected to hold less are tested exactly."""

_CHI2_95: Final = 3.841458820694124  # the 0.95 quantile of the chi-square distribution with 1 degree of freedom
_TIE: Final = 1e-7  # relative; tables as likely as the observed one but for rounding are as extreme
_BISECTIONS: Final = 45
_CHUNK: Final = 1 << 20


def deviance_root(with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts) -> Numbers:
    """The signed root of the likelihood-ratio statistic (G) of independence; positive where the target has it more.

    Of chi-square's forms the one that stays right far out, where Pearson's takes a few rare cases for certainty. As
    the root of a chi-square with one degree of freedom it is on the scale of a standard normal deviate.
    """
    n = (target + baseline).astype(np.float64)
    having = with_target + with_baseline
    cells: list[tuple[Any, ...]] = [(with_target, target, having), (with_baseline, baseline, having)]
    cells += ((target - with_target, target, n - having), (baseline - with_baseline, baseline, n - having))
    total = np.zeros(len(n))
    for observed, row, column in cells:
        with np.errstate(divide="ignore", invalid="ignore"):
            term = observed * np.log(observed * n / (row * column))
        total += np.where(observed > 0, term, 0.0)
    more = with_target * baseline.astype(np.float64) >= with_baseline * target.astype(np.float64)
    root: Numbers = np.sqrt(2 * np.maximum(total, 0)) * np.where(more, 1.0, -1.0)
    return root


def p_values(with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts) -> Numbers:
    """Two-sided p values of independence: Fisher's exact test, the likelihood-ratio test where all cells are large.

    Fisher's sums the probabilities of all tables with these margins that are no more likely than the observed one.
    """
    found = two_sided(deviance_root(with_target, with_baseline, target, baseline))
    n = (target + baseline).astype(np.float64)
    having = with_target + with_baseline
    least = np.minimum(having, n - having) * np.minimum(target, baseline) / np.maximum(n, 1)
    exact = np.flatnonzero(least < EXACT_BELOW)
    low = np.maximum(0, having - baseline)[exact]
    lengths = np.minimum(having, target)[exact] - low + 1
    ends = np.cumsum(lengths)
    start = 0
    while start < len(exact):  # the supports of all tables together would not fit in memory
        stop = max(start + 1, int(np.searchsorted(ends, ends[start] - lengths[start] + _CHUNK, "right")))
        part = slice(start, stop)
        rows = exact[part]
        found[rows] = _fisher(with_target[rows], (having[rows], target[rows], baseline[rows]), low[part], lengths[part])
        start = stop
    return found


def more_often(with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts) -> Numbers:
    """One-sided p values of the target having it more often: Lancaster's mid-p (Biometrika 48, 1961), of Fisher's test.

    The probability of more, and half of that of as many. With small counts Fisher's test errs on the safe side; this
    one has its level in the mean, as it must where evidence of several tests is added.
    """
    tables = zip(with_target.tolist(), with_baseline.tolist(), target.tolist(), baseline.tolist(), strict=True)
    return np.array([_more(x, x + y, n, m) for x, y, n, m in tables], np.float64)


def _more(observed: int, having: int, target: int, baseline: int) -> float:
    logs = [
        _log_choose(target, x) + _log_choose(baseline, having - x) - _log_choose(target + baseline, having)
        for x in range(observed, min(having, target) + 1)
    ]
    return exp(logs[0]) / 2 + sum(map(exp, logs[1:]))


def _log_choose(of: int, chosen: int) -> float:
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)


def _fisher(observed: Counts, margins: tuple[Counts, Counts, Counts], low: Counts, lengths: Counts) -> Numbers:
    """Fisher's test of each table; the tables' supports, from `low` on, lie one behind the other.

    The margins are how many have it, and how many there are in target and baseline.
    """
    first = np.cumsum(lengths) - lengths
    cells = np.arange(int(lengths.sum())) - np.repeat(first - low, lengths)
    having, target, baseline = (np.repeat(margin, lengths) for margin in margins)
    # The ratio of each probability to the one before; the first of a table starts anew.
    up = (having - cells + 1.0) * (target - cells + 1.0)
    down = cells * (baseline - having + cells).astype(np.float64)
    steps = np.zeros(len(cells))
    inner = np.ones(len(cells), np.bool_)
    inner[first] = False
    steps[inner] = np.log(up[inner] / down[inner])
    logs = np.cumsum(steps)
    logs -= np.repeat(logs[first], lengths)
    logs -= np.repeat(np.maximum.reduceat(logs, first), lengths)
    at = logs[first + observed - low]
    weights = np.exp(logs)
    extreme = np.add.reduceat(np.where(logs <= np.repeat(at, lengths) + _TIE, weights, 0.0), first)
    return np.minimum(1.0, extreme / np.add.reduceat(weights, first))


def risk_ratios(with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts) -> Numbers:
    """The share that has it in the target over that in the baseline; infinite where none of the baseline has it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (with_target / target) / (with_baseline / baseline)


def risk_ratio_intervals(
    with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts, confidence: float = 0.95
) -> tuple[Numbers, Numbers]:
    """Score intervals of risk ratios (Koopman, Biometrics 40, 1984): right with empty cells, and with small ones.

    They hold the ratios that a chi-square test does not reject. The upper end is infinite where none of the baseline
    has it, the lower one 0 where none of the target has it.

    Returns:
        lower and upper ends.
    """
    counts = tuple(each.astype(np.float64) for each in (with_target, with_baseline, target, baseline))
    estimate = risk_ratios(with_target, with_baseline, target, baseline)
    middle = np.where(np.isfinite(estimate) & (estimate > 0), estimate, 1.0)
    limit = z_of(confidence) ** 2
    lower = np.where(with_target == 0, 0.0, _end(counts, np.where(with_baseline == 0, 1e12, middle), -1, limit))
    upper = np.where(with_baseline == 0, np.inf, _end(counts, np.where(with_target == 0, 1e-12, middle), 1, limit))
    return lower, upper


def risk_ratios_exceed(
    with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts, ratio: float
) -> npt.NDArray[np.bool_]:
    """Whether the lower end of each of `risk_ratio_intervals` is at least a ratio, which one score tells."""
    counts = tuple(each.astype(np.float64) for each in (with_target, with_baseline, target, baseline))
    with np.errstate(invalid="ignore"):
        is_larger = risk_ratios(with_target, with_baseline, target, baseline) > ratio
        exceeds: npt.NDArray[np.bool_] = is_larger & (_score(counts, np.full(len(with_target), ratio)) >= _CHI2_95)
    return exceeds


def _end(counts: tuple[Numbers, ...], inside: Numbers, direction: int, limit: float) -> Numbers:
    """Where the score reaches the limit, going from a ratio inside up (1) or down (-1), on the logarithmic scale."""
    near = np.log(inside)
    far = near + direction * 60.0
    for _ in range(_BISECTIONS):
        middle = (near + far) / 2
        is_inside = _score(counts, np.exp(middle)) < limit
        near, far = np.where(is_inside, middle, near), np.where(is_inside, far, middle)
    return np.exp((near + far) / 2)


def _score(counts: tuple[Numbers, ...], ratio: Numbers) -> Numbers:
    """The chi-square of a ratio; its shares are the most likely ones that have this ratio."""
    x1, x2, n1, n2 = counts
    b = ratio * (n1 + x2) + x1 + n2
    share1 = 2 * ratio * (x1 + x2) / (b + np.sqrt(np.maximum(0.0, b**2 - 4 * ratio * (n1 + n2) * (x1 + x2))))
    share2 = share1 / ratio
    # Both shares as deviations: Koopman's one formula divides by zero where a share is 1.
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (x1 - n1 * share1) ** 2 / (n1 * share1 * (1 - share1))
        second = (x2 - n2 * share2) ** 2 / (n2 * share2 * (1 - share2))
    return np.where(np.isnan(first), 0.0, first) + np.where(np.isnan(second), 0.0, second)
