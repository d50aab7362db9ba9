"""Means of two arms, against scipy, results that R prints, and by simulation."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

from math import inf, isnan

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from tests.support.simulation import covers, keeps_level

from infersight_analysis.stats import means

Numbers = npt.NDArray[np.float64]

RUNS = 5_000


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_sleep_data_have_the_result_that_r_prints() -> None:
    # t.test(extra ~ group, data = sleep): t = -1.8608, p-value = 0.07939, -3.3654832 0.2054832
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    found = means.difference(first, second)
    assert (found.low, found.high) == pytest.approx((-0.2054832, 3.3654832), abs=1e-7)
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)


def test_a_difference_is_that_of_scipys_welch_test() -> None:
    a, b = rng(1).normal(10, 1, 40), rng(2).normal(10.5, 3, 300)
    expected = stats.ttest_ind(b, a, equal_var=False)
    found = means.difference(a, b, 0.9)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.9)))


def test_numbers_so_small_that_their_squares_vanish_are_compared_all_the_same() -> None:
    a, b = rng(1).normal(10, 1, 40), rng(2).normal(10.5, 3, 30)
    assert means.difference(a * 1e-100, b * 1e-100).p_value == pytest.approx(means.difference(a, b).p_value)


def test_fewer_than_two_values_are_unknown() -> None:
    found = means.difference(np.array([1.0]), np.array([2.0, 3.0]))
    assert (found.value, found.low, found.high, found.p_value) == (1.5, -inf, inf, None)
    assert isnan(means.difference(np.zeros(0), np.ones(3)).value)


def test_numbers_without_variance_differ_or_do_not() -> None:
    assert means.difference(np.ones(5), np.ones(4)).p_value == 1
    assert means.difference(np.ones(5), np.zeros(4)).p_value == 0


@pytest.mark.parametrize(("n", "m", "deviation"), [(10, 10, 1.0), (20, 200, 5.0), (500, 50, 0.2)])
def test_welchs_interval_holds_the_difference_as_often_as_it_says(n: int, m: int, deviation: float) -> None:
    a, b = rng(3).normal(0, 1, (RUNS, n)), rng(4).normal(1, deviation, (RUNS, m))
    found = [means.difference(*arms) for arms in zip(a, b, strict=True)]
    covers(sum(each.low <= 1 <= each.high for each in found), RUNS)


def test_equal_skewed_means_are_called_different_as_often_as_said() -> None:
    a, b = rng(5).exponential(1, (RUNS, 200)), rng(6).exponential(1, (RUNS, 400))
    keeps_level(sum((means.difference(*arms).p_value or 0) < 0.05 for arms in zip(a, b, strict=True)), RUNS)


def test_one_stratum_is_no_stratification() -> None:
    a, b = rng(1).normal(0, 1, 40), rng(2).normal(0, 2, 50)
    one, plain = means.stratified([(a, b)]), means.difference(a, b)
    assert (one.value, one.low, one.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_strata_take_out_what_they_explain() -> None:
    slow, fast = rng(7).normal(100, 5, 400), rng(8).normal(10, 1, 600)
    strata = [(slow[:300], slow[300:] - 2), (fast[:100], fast[100:] - 2)]
    found = means.stratified(strata)
    assert found.low <= -2 <= found.high
    assert found.p_value is not None
    assert found.p_value < 0.001
    crude = means.difference(np.concatenate([slow[:300], fast[:100]]), np.concatenate([slow[300:], fast[100:]]) - 2)
    assert crude.value < -30


def test_strata_of_one_arm_say_nothing() -> None:
    assert means.stratified([(np.ones(5), np.ones(1)), (np.ones(0), np.ones(9))]).p_value is None


def test_the_interval_within_strata_holds_the_difference_as_often_as_it_says() -> None:
    generator, hits, runs = rng(9), 0, 2_000
    for _ in range(runs):
        strata = [
            (generator.normal(mu, 1, n), generator.normal(mu + 1, 2, m)) for mu, n, m in ((0, 5, 20), (9, 40, 10))
        ]
        found = means.stratified(strata)
        hits += found.low <= 1 <= found.high
    covers(hits, runs)


def users(generator: np.random.Generator, count: int, share: float) -> tuple[Numbers, Numbers]:
    """Clicks and views of users who differ, so that the views of one are not independent."""
    views = 1 + generator.poisson(9, count)
    own = generator.beta(4 * share, 4 * (1 - share), count)
    return generator.binomial(views, own).astype(np.float64), views.astype(np.float64)


def test_a_ratio_of_totals_has_the_variance_that_the_jackknife_finds() -> None:
    a, b = users(rng(10), 300, 0.2), users(rng(11), 200, 0.25)
    found = means.ratio_of_totals(a, b)
    variance = 0.0
    for top, bottom in (a, b):
        left_out = (top.sum() - top) / (bottom.sum() - bottom)
        variance += (len(top) - 1) / len(top) * float(((left_out - left_out.mean()) ** 2).sum())
    assert found.value == pytest.approx(b[0].sum() / b[1].sum() - a[0].sum() / a[1].sum())
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(np.sqrt(variance), rel=0.01)


def test_a_ratio_of_totals_keeps_its_level_where_a_test_of_views_does_not() -> None:
    generator, called, naive, runs = rng(12), 0, 0, 2_000
    for _ in range(runs):
        a, b = users(generator, 200, 0.2), users(generator, 200, 0.2)
        called += (means.ratio_of_totals(a, b).p_value or 0) < 0.05
        table = [[top.sum(), bottom.sum() - top.sum()] for top, bottom in (a, b)]
        naive += stats.chi2_contingency(table, correction=False).pvalue < 0.05
    keeps_level(called, runs)
    assert naive > 0.2 * runs


def test_nothing_to_divide_by_is_unknown() -> None:
    empty = (np.zeros(4), np.zeros(4))
    assert means.ratio_of_totals(empty, users(rng(1), 9, 0.2)).p_value is None


def test_the_ends_of_a_lift_are_where_the_t_test_of_the_ratio_turns() -> None:
    a, b = rng(13).exponential(2, 80), rng(14).exponential(3, 60)
    found, plain = means.lift(a, b), means.difference(a, b)
    of_a, of_b = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    t = (plain.high - plain.value) / np.sqrt(of_a + of_b)
    for end in (found.low, found.high):
        ratio = 1 + end
        assert abs(b.mean() - ratio * a.mean()) / np.sqrt(of_b + ratio**2 * of_a) == pytest.approx(t)
    assert found.p_value == plain.p_value
    assert found.low < found.value < found.high


def test_a_lift_over_a_mean_that_may_be_zero_has_no_bounds() -> None:
    assert means.lift(rng(15).normal(0, 1, 50), rng(16).normal(5, 1, 50)).high == inf


def test_the_interval_of_a_lift_holds_it_as_often_as_it_says() -> None:
    a, b = rng(17).gamma(4, 1, (RUNS, 60)), rng(18).gamma(4, 1.2, (RUNS, 80))
    found = [means.lift(*arms) for arms in zip(a, b, strict=True)]
    covers(sum(each.low <= 0.2 <= each.high for each in found), RUNS)
