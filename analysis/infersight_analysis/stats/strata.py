"""Two cohorts and one property of theirs, within the strata of something that may explain it (Mantel and Haenszel)."""

from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.normal import two_sided

Counts = npt.NDArray[np.int64]

_CONTINUITY: Final = 0.5


def stratified(with_target: Counts, with_baseline: Counts, target: Counts, baseline: Counts) -> tuple[float, float]:
    """The common risk ratio of tables, and the p value of the test that none of them has any difference.

    The ratio is that of Greenland and Robins (Biometrics 41, 1985), infinite where none of the baseline has it, 1 where
    nobody can tell; the test is that of Mantel and Haenszel (1959) with its correction for continuity. A stratum
    without either cohort says nothing.

    Args:
        with_target: members of the target that have the property; an element a stratum.
        with_baseline: the same of the baseline.
        target: members of the target.
        baseline: members of the baseline.
    """
    x, y, n, m = (each.astype(np.float64) for each in (with_target, with_baseline, target, baseline))
    total = n + m
    useful = (n > 0) & (m > 0) & (total > 1)
    x, y, n, m, total = x[useful], y[useful], n[useful], m[useful], total[useful]
    above, below = float((x * m / total).sum()), float((y * n / total).sum())
    ratio = above / below if below > 0 else (np.inf if above > 0 else 1.0)
    having = x + y
    variance = float((n * m * having * (total - having) / (total**2 * (total - 1))).sum())
    distance = max(0.0, abs(float((x - n * having / total).sum())) - _CONTINUITY)
    p_value = float(two_sided(np.array([distance / np.sqrt(variance)]))[0]) if variance > 0 else 1.0
    return float(ratio), p_value
