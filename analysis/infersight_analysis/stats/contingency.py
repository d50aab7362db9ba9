"""Two ways to divide the same things: whether one has to do with the other."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

_special: Any = special  # scipy publishes no types

_LEAST_EXPECTED: Final = 5.0
"""Columns of which some row is expected to hold less are taken together (Cochran's rule, Biometrics 10, 1954)."""


@dataclass(frozen=True, slots=True)
class Association:
    """What is known of it.

    Args:
        p_value: of independence; None where there is too little to test.
        strength: Cramer's V, from 0 for independence to 1 where one tells the other.
    """

    p_value: float | None
    strength: float


def association(counts: npt.NDArray[Any]) -> Association:
    """Pearson's chi-square test of a table of counts.

    Args:
        counts: of each row (an arm, say) and each column (a segment). Columns too small to test are taken together.
    """
    table = _testable(np.asarray(counts, np.float64))
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return Association(None, 0.0)
    total = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    chi2 = float(((table - expected) ** 2 / expected).sum())
    p_value = float(_special.chdtrc((rows - 1) * (columns - 1), chi2))
    return Association(p_value, sqrt(chi2 / total / (min(rows, columns) - 1)))


def goodness_of_fit(counts: npt.NDArray[Any], shares: npt.NDArray[np.float64]) -> float:
    """The p value of counts having come about by given shares: Pearson's chi-square.

    Args:
        counts: how many of each kind.
        shares: how many there should be, in any unit; none of them 0.
    """
    seen = np.asarray(counts, np.float64)
    expected = seen.sum() * shares / shares.sum()
    if not seen.sum():
        return 1.0
    return float(_special.chdtrc(len(seen) - 1, float(((seen - expected) ** 2 / expected).sum())))


def _testable(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Without empty rows, and with the small columns as one, which is left out where it stays too small."""
    table: npt.NDArray[np.float64] = counts[counts.sum(axis=1) > 0]
    total = table.sum()
    if not total:
        return np.zeros((len(table), 0))
    least = table.sum(axis=1).min() / total * table.sum(axis=0)
    large, rest = table[:, least >= _LEAST_EXPECTED], table[:, least < _LEAST_EXPECTED].sum(axis=1, keepdims=True)
    is_enough = table.sum(axis=1).min() / total * rest.sum() >= _LEAST_EXPECTED
    found: npt.NDArray[np.float64] = np.hstack([large, rest]) if is_enough else large
    return found
