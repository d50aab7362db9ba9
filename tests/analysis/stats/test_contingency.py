"""Association in tables of counts, against SciPy's."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# (scipy publishes no types)

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from infersight_analysis.stats.contingency import association, goodness_of_fit

stats: Any = scipy_stats


@pytest.mark.parametrize("seed", range(20))
def test_it_is_pearson_s_chi_square(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(20, 200, (rng.integers(2, 5), rng.integers(2, 6)))
    found = association(counts)
    expected = stats.chi2_contingency(counts, correction=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.strength == pytest.approx(stats.contingency.association(counts, "cramer"), rel=1e-9)


def test_shares_are_tested_as_scipy_does() -> None:
    counts, shares = np.array([480, 270, 250]), np.array([2.0, 1.0, 1.0])
    expected = stats.chisquare(counts, counts.sum() * shares / 4).pvalue
    assert goodness_of_fit(counts, shares) == pytest.approx(expected)
    assert goodness_of_fit(np.zeros(3), shares) == 1.0


def test_small_columns_are_taken_together() -> None:
    counts = np.array([[100, 100, 3, 4], [100, 100, 4, 3]])
    merged = np.array([[100, 100, 7], [100, 100, 7]])
    assert association(counts).p_value == association(merged).p_value
    # Taken together they are still too few: left out.
    assert association(np.array([[100, 80, 2], [100, 90, 1]])) == association(np.array([[100, 80], [100, 90]]))


@pytest.mark.parametrize("counts", [[[0, 0], [0, 0]], [[5, 5], [0, 0]], [[3, 1], [1, 3]], [[50], [50]]])
def test_too_little_to_test_is_unknown(counts: list[list[int]]) -> None:
    assert association(np.array(counts)).p_value is None


def test_one_that_tells_the_other_is_as_strong_as_can_be() -> None:
    found = association(np.array([[40, 0], [0, 60]]))
    assert found.strength == pytest.approx(1.0)


def test_independent_ones_are_called_associated_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.4, 0.3, 0.2, 0.08, 0.02])
    p_values = [association(rng.multinomial(500, shares, 2)).p_value or 1.0 for _ in range(2_000)]
    # 99.9 % of what 2 000 runs at 5 % give.
    assert 0.034 <= float(np.mean(np.array(p_values) < 0.05)) <= 0.067
