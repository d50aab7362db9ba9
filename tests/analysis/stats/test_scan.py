"""Windows of counts with more than the base rate explains."""

import numpy as np

from infersight_analysis.stats.scan import bursts, fit

STEPS = 200
ONES = np.ones(STEPS)


def test_a_window_of_too_many_is_found_and_little_around_it() -> None:
    counts = np.random.default_rng(1).poisson(1.0, STEPS)
    counts[90:96] += 8
    (burst,) = bursts(counts, ONES)
    assert (burst.start, burst.stop) == (90, 96)
    assert burst.count == counts[90:96].sum()
    assert 4 < burst.expected < 9
    assert burst.p_value < 1e-6


def test_two_bursts_do_not_hide_each_other() -> None:
    counts = np.random.default_rng(2).poisson(0.2, STEPS)
    counts[50:53] += 30
    counts[150:153] += 30
    assert sorted((burst.start, burst.stop) for burst in bursts(counts, ONES)) == [(50, 53), (150, 153)]


def test_counts_in_proportion_to_their_exposure_are_no_burst() -> None:
    exposure = np.where((np.arange(STEPS) >= 80) & (np.arange(STEPS) < 100), 50.0, 1.0)
    counts = np.random.default_rng(3).poisson(0.5 * exposure)
    assert bursts(counts, exposure) == []
    assert bursts(counts, ONES) != []


def test_few_failures_of_a_silent_service_are_none_and_none_are_none() -> None:
    counts = np.zeros(STEPS, np.int64)
    assert bursts(counts, ONES) == []
    counts[7] = 3
    counts[100] = 1
    assert bursts(counts, ONES) == []


def test_the_variance_of_the_base_is_estimated_beside_a_burst() -> None:
    random = np.random.default_rng(4)
    counts = random.negative_binomial(2, 0.5, STEPS)  # mean 2, variance 4
    counts[20:24] += 200
    base = fit(counts, ONES, np.ones(STEPS, np.bool_))
    assert 1.5 < base.rate < 2.8
    assert 0.5 < base.extra_of(1) < 2.5


def test_of_series_without_a_burst_at_most_one_in_a_hundred_has_one() -> None:
    """Of 60 series three would be too many with a probability of 98 %."""
    random = np.random.default_rng(5)
    series = [random.poisson(0.3, STEPS) for _ in range(30)] + [
        random.negative_binomial(1, 0.5, STEPS) for _ in range(30)
    ]
    assert sum(bool(bursts(counts, ONES)) for counts in series) <= 2
