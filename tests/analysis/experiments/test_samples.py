"""Metrics as means of units: with many requests a unit, with weights, of quantiles and ratios."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (statsmodels publishes no types)

from math import sqrt

import numpy as np
import pytest

from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import Codes, Numbers
from infersight_analysis.experiments.samples import Rows


def rows(
    text: str, unit: Codes, value: Numbers, *, divisor: Numbers | None = None, weight: Numbers | None = None
) -> Rows:
    """Values of one arm."""
    ones = np.ones(len(value))
    places = np.arange(len(value))
    given = (ones if divisor is None else divisor, ones if weight is None else weight)
    return Rows(Metric.of(text), places, np.zeros(len(value), np.int64), unit, value, *given)


def clustered(seed: int, units: int = 300) -> tuple[Codes, Numbers]:
    """Values of units that differ from each other, of which some have many more than others."""
    rng = np.random.default_rng(seed)
    counts = rng.geometric(0.2, units)
    unit = np.repeat(np.arange(units), counts)
    return unit, rng.normal(10, 3, units)[unit] + rng.normal(0, 2, len(unit))


def test_a_value_a_unit_stays_as_it_is() -> None:
    sample = rows("x,mean", np.arange(5), np.arange(5.0)).sample(0)
    assert sample.is_plain
    assert sample.value == 2.0
    assert sample.values.tolist() == [0, 1, 2, 3, 4]


def test_the_error_of_a_mean_over_requests_is_that_of_a_regression_with_clustered_errors() -> None:
    import statsmodels.api as sm  # pyright: ignore[reportMissingTypeStubs]

    unit, value = clustered(1)
    sample = rows("x,mean", unit, value).sample(0)
    fitted = sm.OLS(value, np.ones(len(value))).fit(
        cov_type="cluster", cov_kwds={"groups": unit, "use_correction": False}
    )
    assert sample.value == pytest.approx(value.mean())
    assert sample.values.mean() == pytest.approx(sample.value)
    # The regression divides by the number of clusters, a sample by one less.
    size = len(sample)
    assert sqrt(sample.variance * (size - 1) / size) == pytest.approx(float(fitted.bse[0]), rel=1e-9)
    alone = float(np.std(value)) / sqrt(len(value))
    assert sqrt(sample.variance) > 2 * alone  # what one would believe if requests were independent


def test_a_ratio_is_that_of_the_sums() -> None:
    unit = np.array([0, 0, 1, 2])
    sample = rows("x/y", unit, np.array([1.0, 2.0, 3.0, 0.0]), divisor=np.array([2.0, 2.0, 4.0, 4.0])).sample(0)
    assert sample.value == pytest.approx(0.5)
    assert sample.values.mean() == pytest.approx(0.5)
    assert len(sample) == 3


def test_weights_count_requests_that_were_left_out() -> None:
    value, weight = np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 8.0])
    sample = rows("x,rate", np.arange(3), value, weight=weight).sample(0)
    assert sample.value == pytest.approx(0.1)
    assert not sample.is_plain
    median = rows("x,median", np.arange(3), np.array([5.0, 6.0, 1.0]), weight=weight).sample(0)
    assert median.value == 1.0


def test_any_asks_each_unit_once() -> None:
    sample = rows("x,any", np.array([0, 0, 1, 1, 2]), np.array([0.0, 1, 0, 0, 3])).sample(0)
    assert sample.is_plain
    assert sorted(sample.values.tolist()) == [0, 1, 1]


def test_the_interval_of_a_clustered_quantile_holds_it_as_often_as_it_says() -> None:
    truth = 10 + sqrt(3**2 + 2**2) * 1.2815515655446004
    held = 0
    for seed in range(400):
        unit, value = clustered(seed, units=200)
        sample = rows("x,p90", unit, value).sample(0)
        held += abs(sample.value - truth) < 1.96 * sqrt(sample.variance)
    # A 95 % interval; 400 runs are within 2.8 percentage points of the truth 99 times in 100.
    assert 0.91 <= held / 400 <= 0.98


def test_nothing_is_known_of_an_arm_without_values() -> None:
    none = np.zeros(0)
    for text in ("x,mean", "x,rate", "x,p90", "x/y", "x,any"):
        sample = rows(text, none.astype(np.int64), none).sample(0)
        assert len(sample) == 0
        assert np.isnan(sample.value)
