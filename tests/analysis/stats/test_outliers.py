"""Whether a verdict hangs on a few values."""

import numpy as np

from infersight_analysis.stats import means, outliers


def arms(seed: int, effect: float) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    generator = np.random.default_rng(seed)
    return generator.normal(10, 1, 1_000), generator.normal(10 + effect, 1, 1_000)


def test_a_difference_that_a_few_values_make_hangs_on_them() -> None:
    a, b = arms(5, 0)
    b[:5] = 100
    found = outliers.dependence(a, b)
    assert found.all_values.excludes_zero
    assert not found.winsorised.excludes_zero
    assert found.hangs_on is not None
    assert 1 <= found.hangs_on <= 8


def test_a_difference_that_a_few_values_hide_hangs_on_them_too() -> None:
    a, b = arms(2, 0.3)
    a[0] = 500
    found = outliers.dependence(a, b)
    assert not found.all_values.excludes_zero
    assert found.winsorised.low > 0
    assert found.hangs_on == 1


def test_a_difference_of_all_values_hangs_on_none() -> None:
    a, b = arms(3, 0.5)
    found = outliers.dependence(a, b)
    assert found.hangs_on is None
    assert found.all_values == means.difference(a, b)
    assert found.winsorised.value > 0.4


def test_fewer_than_a_hundred_values_have_no_few() -> None:
    a, b = arms(4, 0.5)
    found = outliers.dependence(a[:30], b[:30])
    assert found.winsorised == found.all_values
    assert found.hangs_on is None
