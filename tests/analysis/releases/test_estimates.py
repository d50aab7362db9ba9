# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# (scipy and statsmodels publish no types)
"""Shares and quantiles of weighted requests, and their differences, against references."""

from math import inf, isnan

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from infersight_analysis.releases.estimates import Bounds, Sorted, growth, less, mean, score, share
from infersight_analysis.stats.proportions import wilson
from infersight_analysis.stats.sequential import standard_errors


@pytest.mark.parametrize(("having", "size"), [(0, 40), (3, 200), (150, 200), (40, 40)])
def test_a_share_has_wilson_s_interval_with_the_standard_errors_of_any_time(having: int, size: int) -> None:
    found = share(np.arange(size) < having, np.ones(size), 0.95)
    alpha = 2 * float(norm.sf(standard_errors(size, 0.95)))
    low, high = proportion_confint(having, size, alpha=alpha, method="wilson")
    assert found.value == having / size
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_requests_that_stand_for_more_are_known_no_better() -> None:
    """A tenth sampled: the share is that of the recorded ones, and so is how well it is known."""
    of = np.arange(300) < 12
    found, plain = share(of, np.full(300, 10.0), 0.99), share(of, np.ones(300), 0.99)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_unequal_weights_know_less_than_as_many_equal_ones() -> None:
    of, weights = np.arange(400) % 10 == 0, np.where(np.arange(400) % 2 == 0, 9.0, 1.0)
    found, equal = share(of, weights, 0.99), share(of, np.ones(400), 0.99)
    assert found.value == pytest.approx(0.18)
    assert found.high - found.low > equal.high - equal.low


def test_a_quantile_s_interval_holds_the_values_that_could_be_it() -> None:
    values = np.random.default_rng(5).lognormal(0, 1, 700)
    found = Sorted(values, np.ones(700)).quantile(0.9, 0.95)
    width = standard_errors(700, 0.95) * np.sqrt(0.9 * 0.1 / 700)
    possible = [
        value for value in values if (values <= value).mean() >= 0.9 - width and (values < value).mean() <= 0.9 + width
    ]
    assert (found.low, found.high) == (min(possible), max(possible))
    assert found.value == pytest.approx(np.quantile(values, 0.9, method="hazen"))


def test_a_quantile_has_no_upper_end_while_too_few_are_beyond_it() -> None:
    values = Sorted(np.arange(1.0, 501.0), np.ones(500))
    assert values.quantile(0.99, 0.95).high == inf
    assert values.quantile(0.5, 0.95).high < 300


def test_weighted_values_have_the_quantiles_of_repeated_ones() -> None:
    rng = np.random.default_rng(6)
    values, weights = rng.random(200), rng.integers(1, 5, 200)
    weighted = Sorted(values, weights.astype(np.float64)).quantile(0.8, 0.95)
    repeated = Sorted(np.repeat(values, weights), np.ones(int(weights.sum()))).quantile(0.8, 0.95)
    assert weighted.value == pytest.approx(repeated.value, abs=0.02)
    assert weighted.high - weighted.low > repeated.high - repeated.low


def test_a_difference_of_shares_is_newcombe_s() -> None:
    """56 of 70 and 48 of 80: 0.0524 to 0.3339 (Newcombe, Statistics in Medicine 17, 1998, table II, method 10)."""
    a, b = (Bounds(x / n, *wilson(x, n)) for x, n in ((48, 80), (56, 70)))
    found = less(a, b)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_growth_is_the_difference_of_logarithms_and_open_where_an_end_is() -> None:
    found = growth(Bounds(100.0, 90.0, 110.0), Bounds(150.0, 120.0, inf))
    assert found.value == pytest.approx(0.5)
    assert found.high == inf
    assert found.low == pytest.approx(1.5 * np.exp(-np.hypot(np.log(150 / 120), np.log(110 / 100))) - 1)


def test_nothing_is_known_of_nothing() -> None:
    nothing = np.zeros(0)
    assert isnan(share(np.zeros(0, np.bool_), nothing, 0.95).value)
    assert Sorted(nothing, nothing).quantile(0.5, 0.95).high == inf
    assert mean(nothing, 0.95).high == inf
    assert (score(0.5, 0, 0.95).low, score(0.5, 0, 0.95).high) == (0.0, 1.0)
