"""Two-by-two tables, against scipy and against the definitions, solved by brute force."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import optimize, stats

from infersight_analysis.stats.tables import (
    deviance_root,
    more_often,
    p_values,
    risk_ratio_intervals,
    risk_ratios,
    risk_ratios_exceed,
)

Table = tuple[int, int, int, int]
"""How many have it in target and baseline, and how many there are in target and baseline."""

RNG = np.random.default_rng(3)


Column = np.ndarray[tuple[int], np.dtype[np.int64]]


def columns(tables: Sequence[Table]) -> tuple[Column, Column, Column, Column]:
    x, y, n, m = (np.array(column, np.int64) for column in zip(*tables, strict=True))
    return x, y, n, m


def random_tables(count: int, most: int) -> list[Table]:
    sizes = RNG.integers(1, most, (count, 2))
    shares = RNG.random((count, 2)) ** 2
    having = RNG.binomial(sizes, shares)
    return [(int(x), int(y), int(n), int(m)) for (x, y), (n, m) in zip(having, sizes, strict=True)]


def test_small_tables_have_the_p_value_of_fishers_exact_test() -> None:
    tables = random_tables(400, 60)
    expected = [stats.fisher_exact([[x, n - x], [y, m - y]]).pvalue for x, y, n, m in tables]
    small = [min(x + y, n + m - x - y) * min(n, m) / (n + m) < 10 for x, y, n, m in tables]
    found = p_values(*columns(tables))
    assert sum(small) > 300
    assert found[small] == pytest.approx(np.array(expected)[small], rel=1e-6)


def test_a_few_of_a_million_are_tested_exactly_too() -> None:
    tables = [(7, 40, 1_000, 999_000), (5, 0, 2_000, 998_000), (0, 9_000, 50, 999_950), (3, 3, 500_000, 500_000)]
    expected = [stats.fisher_exact([[x, n - x], [y, m - y]]).pvalue for x, y, n, m in tables]
    assert p_values(*columns(tables)) == pytest.approx(expected, rel=1e-4)


def test_large_tables_have_the_p_value_of_the_likelihood_ratio_test() -> None:
    tables = [(60, 400, 500, 4_000), (500, 400, 1_000, 1_000), (900, 9_000, 2_000, 20_000)]
    expected = [
        stats.chi2_contingency([[x, n - x], [y, m - y]], correction=False, lambda_="log-likelihood").pvalue
        for x, y, n, m in tables
    ]
    assert p_values(*columns(tables)) == pytest.approx(expected, rel=1e-9)


def test_where_the_exact_test_gives_way_both_are_near() -> None:
    tables = [(30, 2_000, 400, 40_000), (22, 900, 500, 40_000), (60, 10_000, 100, 30_000)]
    exact = [stats.fisher_exact([[x, n - x], [y, m - y]]).pvalue for x, y, n, m in tables]
    assert p_values(*columns(tables)) == pytest.approx(exact, rel=0.35)


def test_the_deviance_root_is_that_of_the_statistic_with_the_sign_of_the_difference() -> None:
    tables = random_tables(200, 300)
    roots = deviance_root(*columns(tables))
    for (x, y, n, m), root in zip(tables, roots, strict=True):
        if 0 < x + y < n + m:
            cells = [[x, n - x], [y, m - y]]
            statistic = stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood").statistic
            assert root**2 == pytest.approx(statistic, abs=1e-8, rel=1e-8)
            assert (root >= 0) == (x / n >= y / m)
        else:
            assert root == pytest.approx(0, abs=1e-6)


def test_a_risk_ratio_is_infinite_where_only_the_target_has_it() -> None:
    assert risk_ratios(*columns([(10, 0, 100, 100), (10, 5, 100, 100), (0, 5, 100, 100)])).tolist() == [np.inf, 2, 0]


def test_koopmans_example_has_koopmans_interval() -> None:
    low, high = risk_ratio_intervals(*columns([(36, 16, 40, 80)]))
    assert (round(low[0], 2), round(high[0], 2)) == (2.94, 7.15)


def test_an_interval_holds_the_ratios_that_the_score_test_does_not_reject() -> None:
    tables = [*random_tables(60, 200), (0, 5, 100, 300), (7, 0, 40, 5_000), (5, 0, 5, 90), (40, 40, 40, 80)]
    low, high = risk_ratio_intervals(*columns(tables))
    for table, lower, upper in zip(tables, low, high, strict=True):
        x, y = table[:2]
        if x == 0:
            assert lower == 0
        elif x + y:
            assert score(table, lower) == pytest.approx(3.8415, rel=1e-2)
        if y == 0:
            assert upper == np.inf
        else:
            assert score(table, upper) == pytest.approx(3.8415, rel=1e-2)


def test_whether_a_ratio_is_exceeded_is_what_the_interval_says() -> None:
    tables = [*random_tables(500, 80), (0, 5, 100, 300), (7, 0, 40, 5_000), (0, 0, 5, 90), (40, 40, 40, 80)]
    low, _ = risk_ratio_intervals(*columns(tables))
    x, y, n, m = columns(tables)
    exceeds = risk_ratios_exceed(x, y, n, m, 1.5)
    assert exceeds.tolist() == (low >= 1.5).tolist()
    assert 10 < exceeds.sum() < len(tables) - 10


def score(table: Table, ratio: float) -> float:
    """The chi-square of a ratio; the likeliest shares with that ratio are searched for, not calculated."""
    x, y, n, m = table

    def unlikelihood(logit: float) -> float:
        second = min(1.0, 1 / ratio) / (1 + np.exp(-logit))
        first = ratio * second
        return -float(
            stats.binom.logpmf(x, n, min(first, 1 - 1e-15)) + stats.binom.logpmf(y, m, min(second, 1 - 1e-15))
        )

    best = optimize.minimize_scalar(unlikelihood, bounds=(-25, 25), method="bounded", options={"xatol": 1e-10})
    second = min(1.0, 1 / ratio) / (1 + np.exp(-best.x))
    first = ratio * second
    return float((x - n * first) ** 2 / (n * first * (1 - first)) + (y - m * second) ** 2 / (m * second * (1 - second)))


def test_intervals_hold_the_true_ratio_as_often_as_they_say() -> None:
    count, n, m, first, second = 4_000, 60, 400, 0.2, 0.05
    x, y = RNG.binomial(n, first, count), RNG.binomial(m, second, count)
    low, high = risk_ratio_intervals(x, y, np.full(count, n), np.full(count, m))
    assert ((low <= first / second) & (first / second <= high)).mean() == pytest.approx(0.95, abs=0.012)


def test_more_often_is_one_side_of_the_hypergeometric_distribution_with_half_of_the_observed() -> None:
    tables = np.array([(5, 0, 8, 7), (3, 3, 10, 10), (0, 4, 9, 20), (40, 2, 60, 300)]).T
    expected = [
        stats.hypergeom.sf(x, n + m, x + y, n) + stats.hypergeom.pmf(x, n + m, x + y, n) / 2 for x, y, n, m in tables.T
    ]
    assert more_often(*tables) == pytest.approx(expected)
