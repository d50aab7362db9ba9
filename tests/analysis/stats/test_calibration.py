"""Calibration: against numbers by hand and published ones, and what holds over many samples."""

import numpy as np
import numpy.typing as npt
import pytest

from infersight_analysis.stats.calibration import overconfidence, reliability

Numbers = npt.NDArray[np.float64]


def sampled(chance: np.random.Generator, count: int, gap: float) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Confidences, and whether a model that is right less often by `gap` was."""
    confidence = 0.5 + 0.5 * chance.beta(3, 1.2, count)
    return confidence, chance.random(count) < confidence - gap


def test_the_expected_error_of_a_published_example() -> None:
    # Pavlovic, "Expected Calibration Error: a step by step visual explanation", Towards Data Science, July 2023.
    confidence = np.array([0.22, 0.64, 0.92, 0.42, 0.51, 0.15, 0.70, 0.37, 0.83])
    label_true = np.array([0, 1, 0, 0, 0, 1, 1, 0, 1])
    is_right = (confidence > 0.5) == label_true
    assert reliability(confidence, is_right, 3, equal_width=True).error == pytest.approx(0.23778, abs=1e-5)


def test_bins_are_closed_at_their_upper_end() -> None:
    found = reliability(np.array([0.0, 0.1, 0.2, 0.3, 1.0]), np.ones(5, np.bool_), 10, equal_width=True)
    assert found.count.tolist() == [2, 1, 1, 1]


def test_equal_confidences_stay_in_one_bin() -> None:
    found = reliability(np.repeat([0.7, 0.9], [60, 40]), np.ones(100, np.bool_), 10)
    assert found.count.tolist() == [60, 40]


def test_a_model_that_is_always_sure_and_half_the_time_right_is_off_by_half() -> None:
    found = reliability(np.ones(200), np.arange(200) % 2 == 0)
    assert found.error == pytest.approx(0.5)
    low, high = found.error_interval()
    assert low < 0.5 < high
    assert high - low < 0.2


@pytest.mark.parametrize("gap", [0.0, 0.03, 0.1])
def test_debiasing_takes_away_what_chance_adds(gap: float) -> None:
    chance = np.random.default_rng(1)
    found = [reliability(*sampled(chance, 500, gap)) for _ in range(300)]
    plain = float(np.mean([each.error for each in found]))
    debiased = float(np.mean([each.debiased_error for each in found]))
    assert debiased < plain
    assert abs(debiased - gap) < max(0.006, 0.6 * abs(plain - gap))


@pytest.mark.parametrize(("gap", "count"), [(0.0, 300), (0.05, 600), (0.15, 600)])
def test_intervals_hold_the_error_and_the_overconfidence(gap: float, count: int) -> None:
    chance = np.random.default_rng(2)
    runs, of_error, of_gap = 150, 0, 0
    for _ in range(runs):
        confidence, is_right = sampled(chance, count, gap)
        low, high = reliability(confidence, is_right).error_interval()
        of_error += low <= gap <= high
        _, low, high = overconfidence(confidence, is_right)
        of_gap += low <= gap <= high
    assert of_error / runs > 0.91
    assert of_gap / runs > 0.91


def test_the_test_of_calibration_rejects_a_calibrated_model_as_often_as_it_says() -> None:
    chance = np.random.default_rng(3)
    p_values = np.array([reliability(*sampled(chance, 400, 0)).p_value for _ in range(1_000)])
    assert 0.03 < float((p_values <= 0.05).mean()) < 0.075
    assert reliability(*sampled(chance, 1_000, 0.1)).p_value < 1e-6


def test_overconfidence_is_the_mean_of_paired_differences() -> None:
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    confidence, is_right = sampled(np.random.default_rng(4), 5_000, 0.05)
    mean, low, high = overconfidence(confidence, is_right)
    expected = stats.ttest_rel(confidence, is_right.astype(float)).confidence_interval()  # pyright: ignore
    assert mean == pytest.approx(float(confidence.mean() - is_right.mean()))
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-4)  # pyright: ignore
