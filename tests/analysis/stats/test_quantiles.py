"""Quantiles of two arms, against the binomial distribution and by simulation, in both tails."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

from math import inf

import numpy as np
import pytest
from scipy import stats
from tests.support.simulation import covers, keeps_level

from infersight_analysis.stats import quantiles


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("size", "q"), [(20, 0.5), (100, 0.9), (500, 0.99)])
def test_an_interval_lies_between_the_binomial_ones(size: int, q: float) -> None:
    values = rng(1).lognormal(0, 1, size)
    low, high = quantiles.interval(values, q)
    ordered = np.sort(values)
    tails = stats.binom.ppf([0.025, 0.975], size, q).astype(int)
    assert ordered[tails[0] - 1] <= low <= ordered[tails[0]]
    assert ordered[tails[1] - 1] <= high <= ordered[min(tails[1] + 1, size - 1)]


def test_the_ranks_are_those_of_the_beta_distribution() -> None:
    low, high = quantiles.interval(np.arange(1.0, 101.0), 0.5)  # a number is its rank
    assert stats.beta.cdf(0.5, low, 101 - low) == pytest.approx(0.975)
    assert stats.beta.cdf(0.5, high, 101 - high) == pytest.approx(0.025)


def test_too_few_numbers_have_no_upper_end() -> None:
    values = rng(2).lognormal(0, 1, 100)
    assert quantiles.interval(values, 0.99)[1] == inf
    found = quantiles.difference(values, values, 0.99)
    assert (found.low, found.high) == (-inf, inf)
    assert found.p_value == 1


def test_the_p_value_is_the_level_at_which_the_interval_ends_at_none() -> None:
    a, b = rng(3).lognormal(0, 1, 300), rng(4).lognormal(0.2, 1, 500)
    found = quantiles.difference(a, b, 0.5)
    assert found.p_value is not None
    ends = quantiles.difference(a, b, 0.5, 1 - found.p_value)
    assert min(abs(ends.low), abs(ends.high)) == pytest.approx(0, abs=1e-5)


def test_what_is_far_apart_has_a_tiny_p_value_and_what_is_the_same_has_none() -> None:
    a = rng(5).normal(0, 1, 300)
    assert (quantiles.difference(a, a + 100, 0.5).p_value or 1) < 1e-30
    assert quantiles.difference(a, a, 0.5).p_value == 1


def test_swapped_arms_have_the_opposite_difference() -> None:
    a, b = rng(6).lognormal(0, 1, 200), rng(7).lognormal(0.3, 1, 150)
    one, other = quantiles.difference(a, b, 0.9), quantiles.difference(b, a, 0.9)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.p_value == pytest.approx(other.p_value)


def test_a_quantile_outside_of_zero_and_one_is_refused() -> None:
    for q in (0.0, 1.0, 99.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            quantiles.difference(np.ones(3), np.ones(3), q)


def test_an_empty_arm_is_unknown() -> None:
    found = quantiles.difference(np.zeros(0), np.ones(9), 0.5)
    assert (found.low, found.high, found.p_value) == (-inf, inf, None)


@pytest.mark.parametrize(("size", "q"), [(30, 0.5), (200, 0.95), (1_000, 0.99)])
def test_an_interval_holds_the_quantile_as_often_as_it_says(size: int, q: float) -> None:
    samples = rng(8).exponential(1, (2_000, size))
    ends = [quantiles.interval(sample, q) for sample in samples]
    covers(sum(low <= -np.log(1 - q) <= high for low, high in ends), len(samples))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "m", "q", "scale"),
    [
        (200, 100, 0.5, 1.0),
        (200, 200, 0.95, 1.0),
        (2_000, 2_000, 0.99, 1.3),
        (500, 5_000, 0.99, 1.0),
        (5_000, 500, 0.99, 3.0),
    ],
)
def test_a_difference_is_missed_on_neither_side_more_often_than_said(n: int, m: int, q: float, scale: float) -> None:
    generator, runs = rng(9), 2_000
    truth = (scale - 1) * float(stats.lognorm.ppf(q, 1))
    found = [
        quantiles.difference(generator.lognormal(0, 1, n), scale * generator.lognormal(0, 1, m), q) for _ in range(runs)
    ]
    keeps_level(sum(each.low > truth for each in found), runs, 0.025)
    keeps_level(sum(each.high < truth for each in found), runs, 0.025)
    covers(sum(each.low <= truth <= each.high for each in found), runs, 0.94, 0.98)


def test_equal_quantiles_are_called_different_no_more_often_than_said() -> None:
    generator, runs = rng(10), 300
    called = sum(
        (quantiles.difference(generator.lognormal(0, 1, 150), generator.lognormal(0, 1, 100), 0.9).p_value or 0) < 0.05
        for _ in range(runs)
    )
    keeps_level(called, runs)


def test_ties_do_not_make_a_difference() -> None:
    generator, runs = rng(11), 200
    called = 0
    for _ in range(runs):
        a, b = (np.round(generator.lognormal(1, 0.3, 200)) for _ in range(2))
        called += (quantiles.difference(a, b, 0.5).p_value or 0) < 0.05
    keeps_level(called, runs)
