"""Shares of two arms, against the tables of Newcombe's papers, statsmodels and scipy, and by simulation."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy and statsmodels publish no types.

from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import proportion
from tests.support.simulation import covers, keeps_level

from infersight_analysis.stats import proportions

RUNS = 5_000

ARMS = st.integers(0, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_of_newcombes_table(successes: int, trials: int, low: float, high: float) -> None:
    found = proportions.wilson(successes, trials)
    assert (round(found[0], 4), round(found[1], 4)) == (low, high)


@pytest.mark.parametrize(
    ("b", "a", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_has_the_interval_of_newcombes_table(
    b: tuple[int, int], a: tuple[int, int], low: float, high: float
) -> None:
    found = proportions.difference(*a, *b)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_intervals_of_any_confidence_are_those_of_statsmodels() -> None:
    found = proportions.difference(50, 500, 62, 520, 0.9)
    expected = proportion.confint_proportions_2indep(62, 520, 50, 500, method="newcomb", alpha=0.1)
    assert (found.low, found.high) == pytest.approx(expected)
    expected = proportion.confint_proportions_2indep(62, 520, 50, 500, compare="ratio", method="score", alpha=0.1)
    found = proportions.ratio(50, 500, 62, 520, 0.9)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-3)
    assert found.value == pytest.approx(62 / 520 / 0.1)


def test_the_test_of_large_counts_is_the_pooled_one() -> None:
    z, p_value = proportion.proportions_ztest([62, 50], [520, 500])
    found = proportions.difference(50, 500, 62, 520)
    assert found.p_value == pytest.approx(p_value)
    assert (found.value > 0) == (z > 0)
    assert "pooled" in found.method


def test_the_test_of_small_counts_is_exact() -> None:
    small = proportions.difference(1, 20, 6, 22)
    assert small.p_value == pytest.approx(stats.boschloo_exact([[1, 6], [19, 16]]).pvalue)
    assert "Boschloo" in small.method
    rare = proportions.difference(1, 9_000, 7, 8_000)
    assert rare.p_value == pytest.approx(stats.fisher_exact([[1, 7], [8_999, 7_993]]).pvalue, rel=1e-6)
    assert "Fisher" in rare.method


def test_outcomes_that_never_differ_tell_nothing() -> None:
    for successes in (0, 30):
        found = proportions.difference(successes, 30, successes, 30)
        assert (found.value, found.p_value) == (0, 1)
        assert found.low < 0 < found.high


def test_an_empty_arm_is_unknown() -> None:
    found = proportions.difference(0, 0, 3, 10)
    assert isnan(found.value)
    assert (found.low, found.high, found.p_value) == (-1, 1, None)
    assert proportions.wilson(0, 0) == (0, 1)
    assert proportions.ratio(0, 0, 3, 10).p_value is None


def test_a_ratio_to_none_has_no_upper_end() -> None:
    found = proportions.ratio(0, 100, 4, 100)
    assert (found.value, found.high) == (inf, inf)
    assert found.low > 0
    assert isnan(proportions.ratio(0, 100, 0, 100).value)


def test_more_successes_than_trials_are_refused() -> None:
    for call in (proportions.difference, proportions.ratio):
        with pytest.raises(ValueError, match="5 of 3 cannot"):
            call(1, 10, 5, 3)


def test_several_arms_are_compared_as_scipy_does() -> None:
    successes, trials = [50, 62, 80], [500, 520, 490]
    table = [successes, [n - x for x, n in zip(successes, trials, strict=True)]]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert proportions.homogeneity(successes, trials) == pytest.approx(expected)
    assert proportions.homogeneity([*successes, 0], [*trials, 0]) == pytest.approx(expected)
    assert proportions.homogeneity([0, 0], [10, 20]) == 1


@given(ARMS, ARMS)
def test_swapped_arms_have_the_opposite_difference(a: tuple[int, int], b: tuple[int, int]) -> None:
    one, other = proportions.difference(*a, *b), proportions.difference(*b, *a)
    if a[1] and b[1]:
        assert one.value == pytest.approx(-other.value)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


@given(ARMS, ARMS)
def test_a_difference_lies_in_its_interval_and_that_between_minus_one_and_one(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    found = proportions.difference(*a, *b)
    assert -1 <= found.low <= found.high <= 1
    assert isnan(found.value) or found.low - 1e-12 <= found.value <= found.high + 1e-12


@pytest.mark.parametrize(("share", "trials"), [(0.5, 60), (0.1, 200), (0.02, 800)])
def test_wilsons_interval_holds_the_share_as_often_as_it_says(share: float, trials: int) -> None:
    successes = np.random.default_rng(11).binomial(trials, share, RUNS)
    ends = [proportions.wilson(int(each), trials) for each in successes]
    covers(sum(low <= share <= high for low, high in ends), RUNS)


@pytest.mark.parametrize(
    ("a", "b"),
    [((0.1, 500), (0.1, 520)), ((0.1, 2_000), (0.13, 200)), ((0.5, 80), (0.7, 80)), ((0.01, 900), (0.03, 900))],
)
def test_newcombes_interval_holds_the_difference_as_often_as_it_says(
    a: tuple[float, int], b: tuple[float, int]
) -> None:
    rng = np.random.default_rng(12)
    draws = zip(rng.binomial(a[1], a[0], RUNS).tolist(), rng.binomial(b[1], b[0], RUNS).tolist(), strict=True)
    found = [proportions.difference(x, a[1], y, b[1]) for x, y in draws]
    covers(sum(each.low <= b[0] - a[0] <= each.high for each in found), RUNS)


@pytest.mark.parametrize(
    ("share", "a", "b"), [(0.1, 500, 520), (0.5, 100, 300), (0.02, 2_000, 2_000), (0.002, 900, 9_000)]
)
def test_equal_shares_are_called_different_no_more_often_than_said(share: float, a: int, b: int) -> None:
    rng = np.random.default_rng(13)
    draws = zip(rng.binomial(a, share, RUNS).tolist(), rng.binomial(b, share, RUNS).tolist(), strict=True)
    called = sum((proportions.difference(x, a, y, b).p_value or 1) < 0.05 for x, y in draws)
    keeps_level(called, RUNS)
    assert share < 0.01 or called > 0.04 * RUNS  # exact tests of rare events err on the safe side


def test_boschloos_test_keeps_its_level_and_finds_more_than_fishers() -> None:
    size = 15
    tables = [(x, y) for x in range(size + 1) for y in range(size + 1)]
    exact = np.array([proportions.difference(x, size, y, size).p_value for x, y in tables])
    fisher = np.array([stats.fisher_exact([[x, y], [size - x, size - y]]).pvalue for x, y in tables])
    small = np.array([0 < min(x + y, 2 * size - x - y) < 10 for x, y in tables])
    assert (exact[small] <= fisher[small] + 1e-9).all()
    for share in (0.05, 0.1, 0.2, 0.3):
        likely = np.array([stats.binom.pmf(x, size, share) * stats.binom.pmf(y, size, share) for x, y in tables])
        assert likely[(exact < 0.05) & small].sum() <= 0.05
