import pytest

from infersight_analysis.stats.order import percentile_of, robust_deviation


@pytest.mark.parametrize(("value", "percentile"), [(0, 0.0), (1, 12.5), (2.5, 50.0), (4, 87.5), (9, 100.0)])
def test_a_percentile_counts_the_smaller_and_half_of_the_equal(value: float, percentile: float) -> None:
    assert percentile_of(value, [1, 2, 3, 4]) == percentile


def test_a_deviation_is_measured_against_the_spread_of_the_middle_half() -> None:
    assert robust_deviation(10 + 2 * 1.4826, [8, 9, 10, 11, 1000, -1000, 10.5, 9.5, 10]) == pytest.approx(2, rel=0.5)
    assert robust_deviation(12, [10, 9, 11, 8, 12]) == pytest.approx(2 / 1.4826)


def test_a_mostly_constant_history_is_judged_by_its_mean_deviation() -> None:
    assert robust_deviation(5, [1, 1, 1, 1, 6]) == pytest.approx(4 / 1.2533)


def test_a_departure_from_a_constant_has_no_number() -> None:
    assert robust_deviation(1, [1, 1, 1]) == 0
    assert robust_deviation(2, [1, 1, 1]) is None
