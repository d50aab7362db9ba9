"""An effect without what was known before, against a regression, and by simulation."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# statsmodels publishes no types.

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.regression.linear_model import OLS
from tests.support.simulation import covers, keeps_level

from infersight_analysis.stats import cuped, means, sequential

Numbers = npt.NDArray[np.float64]


def units(generator: np.random.Generator, count: int, effect: float, strength: float) -> tuple[Numbers, Numbers]:
    """What units do after and did before."""
    before = generator.gamma(2, 5, count)
    return strength * before + generator.normal(10 + effect, 3, count), before


def test_the_adjusted_difference_is_that_of_a_regression_on_arm_and_covariate() -> None:
    generator = np.random.default_rng(1)
    (a, of_a), (b, of_b) = units(generator, 200, 0, 0.8), units(generator, 300, 1, 0.8)
    adjusted = cuped.adjust(a, b, of_a, of_b)
    arm = np.repeat([0.0, 1.0], [len(a), len(b)])
    design = np.column_stack([np.ones(len(arm)), arm, np.concatenate([of_a, of_b])])
    fitted = OLS(np.concatenate([a, b]), design).fit().params
    assert means.difference(adjusted.a, adjusted.b).value == pytest.approx(fitted[1])
    assert adjusted.slope == pytest.approx(fitted[2])


def test_as_much_variance_goes_as_the_squared_correlation_says() -> None:
    generator = np.random.default_rng(2)
    (a, of_a), (b, of_b) = units(generator, 20_000, 0, 0.8), units(generator, 20_000, 0, 0.8)
    adjusted = cuped.adjust(a, b, of_a, of_b)
    correlation = np.corrcoef(np.concatenate([a, b]), np.concatenate([of_a, of_b]))[0, 1]
    assert adjusted.reduction == pytest.approx(correlation**2, abs=1e-3)
    assert adjusted.a.var() == pytest.approx((1 - adjusted.reduction) * a.var(), rel=0.02)


def test_units_without_a_past_are_left_as_they_are() -> None:
    generator = np.random.default_rng(3)
    (a, of_a), (b, of_b) = units(generator, 300, 0, 0.8), units(generator, 300, 1, 0.8)
    of_a[:50] = np.nan
    adjusted = cuped.adjust(a, b, of_a, of_b)
    assert (adjusted.a[:50] == a[:50]).all()
    assert np.isfinite(adjusted.a).all()
    nothing = cuped.adjust(a, b, np.full(300, np.nan), np.full(300, np.nan))
    assert (nothing.reduction, nothing.slope) == (0, 0)
    assert (nothing.b == b).all()


def test_covariates_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="each number needs its covariate"):
        cuped.adjust(np.ones(3), np.ones(3), np.ones(3), np.ones(2))


def test_adjusted_intervals_hold_the_effect_and_adjusted_tests_their_level() -> None:
    generator, runs, hits, called, found = np.random.default_rng(4), 2_000, 0, 0, [0, 0]
    for _ in range(runs):
        (a, of_a), (b, of_b) = units(generator, 100, 0, 0.8), units(generator, 150, 1, 0.8)
        adjusted = cuped.adjust(a, b, of_a, of_b)
        estimate = means.difference(adjusted.a, adjusted.b)
        hits += estimate.low <= 1 <= estimate.high
        found[0] += means.difference(a, b).excludes_zero
        found[1] += estimate.excludes_zero
        called += (means.difference(adjusted.a, adjusted.b - 1).p_value or 0) < 0.05
    covers(hits, runs)
    keeps_level(called, runs)
    assert found[1] > 1.3 * found[0]  # what the adjustment is for


def test_adjusted_numbers_may_be_looked_at_any_time() -> None:
    generator, runs, called = np.random.default_rng(5), 300, 0
    for _ in range(runs):
        (a, of_a), (b, of_b) = units(generator, 2_000, 0, 0.8), units(generator, 2_000, 0, 0.8)
        adjusted = (cuped.adjust(a[:n], b[:n], of_a[:n], of_b[:n]) for n in (10, 30, 100, 300, 1_000, 2_000))
        called += any((sequential.means(each.a, each.b).p_value or 0) < 0.05 for each in adjusted)
    keeps_level(called, runs)
