"""Two samples by order, against scipy and against the definitions, pair by pair."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from infersight_analysis.stats.ranks import TwoSamples

Numbers = npt.NDArray[np.float64]

RNG = np.random.default_rng(5)


def samples() -> list[tuple[Numbers, Numbers]]:
    """Continuous, tied, shifted, unequal in size."""
    return [
        (RNG.normal(0.3, 1, 40), RNG.normal(0, 1, 300)),
        (RNG.poisson(3, 60).astype(np.float64), RNG.poisson(2, 90).astype(np.float64)),
        (RNG.integers(0, 2, 50).astype(np.float64), RNG.integers(0, 2, 500).astype(np.float64)),
        (RNG.lognormal(0, 1, 500), RNG.lognormal(0, 2, 20)),
    ]


def test_the_deviate_and_its_p_value_are_those_of_the_mann_whitney_test() -> None:
    for target, baseline in samples():
        expected = stats.mannwhitneyu(target, baseline, method="asymptotic")
        two = TwoSamples.of(target, baseline)
        assert two.p_value == pytest.approx(expected.pvalue, rel=1e-9)
        assert (two.deviate > 0) == (expected.statistic > len(target) * len(baseline) / 2)


def test_numbers_that_are_all_the_same_differ_in_nothing() -> None:
    two = TwoSamples.of(np.ones(10), np.ones(20))
    assert (two.deviate, two.p_value, two.delta, two.distance) == (0, 1, 0, 0)


def test_delta_is_the_share_of_larger_pairs_less_that_of_smaller_ones() -> None:
    for target, baseline in samples():
        pairs = np.sign(target[:, None] - baseline[None, :])
        assert TwoSamples.of(target, baseline).delta == pytest.approx(pairs.mean())


def test_the_interval_of_delta_rests_on_the_variance_of_delong() -> None:
    for target, baseline in samples():
        pairs = np.sign(target[:, None] - baseline[None, :])
        variance = pairs.mean(axis=1).var(ddof=1) / len(target) + pairs.mean(axis=0).var(ddof=1) / len(baseline)
        delta, z = pairs.mean(), stats.norm.ppf(0.975)
        width = z * np.sqrt(variance) * np.sqrt((1 - delta**2) ** 2 + z**2 * variance)
        scale = 1 - delta**2 + z**2 * variance
        expected = ((delta - delta**3 - width) / scale, (delta - delta**3 + width) / scale)
        assert TwoSamples.of(target, baseline).delta_interval() == pytest.approx(expected)


def test_the_interval_holds_the_true_delta_as_often_as_it_says() -> None:
    true = 2 * stats.norm.cdf(1 / np.sqrt(2)) - 1  # of two normal distributions one standard deviation apart
    held = 0
    for _ in range(1_000):
        low, high = TwoSamples.of(RNG.normal(1, 1, 30), RNG.normal(0, 1, 200)).delta_interval()
        held += low <= true <= high
    assert held / 1_000 == pytest.approx(0.95, abs=0.02)


def test_samples_that_do_not_overlap_leave_room_for_chance() -> None:
    low, high = TwoSamples.of(np.arange(100.0, 110.0), np.arange(0.0, 90.0)).delta_interval()
    assert high == 1
    assert 0.4 < low < 0.6
    assert TwoSamples.of(np.arange(0.0, 90.0), np.arange(100.0, 110.0)).delta_interval() == (-high, -low)


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    for target, baseline in samples():
        expected = stats.ks_2samp(target, baseline, method="asymp")
        two = TwoSamples.of(target, baseline)
        assert two.distance == pytest.approx(expected.statistic)
        assert two.distance_p_value == pytest.approx(expected.pvalue, rel=0.25, abs=1e-3)


def test_the_probability_of_a_distance_is_kolmogorovs_limit_with_stephens_correction() -> None:
    for size in (5, 20, 400):
        root = np.sqrt(size / 2)
        for shift in np.linspace(0.01, 1, 12).tolist():
            two = TwoSamples.of(np.arange(size) / size, np.arange(size) / size + shift)
            expected = stats.kstwobign.sf((root + 0.12 + 0.11 / root) * two.distance)
            assert two.distance_p_value == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_a_distance_is_within_its_interval_and_equal_samples_are_at_none() -> None:
    grid = np.linspace(0, 6, 1_000)
    true = (stats.norm.cdf(grid) - stats.norm.cdf(grid / 6)).max()
    low, high = TwoSamples.of(RNG.normal(0, 1, 500), RNG.normal(0, 6, 500)).distance_interval()
    assert 0 < low < true < high
    assert TwoSamples.of(RNG.normal(0, 1, 500), RNG.normal(0, 1, 500)).distance_interval()[0] == 0


def test_the_cut_is_where_the_samples_differ_most() -> None:
    larger = TwoSamples.of(np.array([8, 32, 32, 64.0]), np.array([1, 2, 8, 8, 8, 16, 16, 32.0])).cut
    assert (larger.value, larger.above, larger.target, larger.baseline) == (32, True, 0.75, 0.125)
    smaller = TwoSamples.of(np.array([1, 2, 2, 9.0]), np.array([2, 8, 8, 16.0])).cut
    assert (smaller.value, smaller.above, smaller.target, smaller.baseline) == (2, False, 0.75, 0.25)


def test_medians_are_those_of_target_and_baseline() -> None:
    assert TwoSamples.of(np.array([3, 1, 2.0]), np.array([4, 8.0])).medians == (2, 6)
