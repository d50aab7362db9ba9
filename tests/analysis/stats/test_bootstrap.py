"""Any statistic of two arms, against scipy and by simulation."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false, reportUnknownParameterType=false
# pyright: reportMissingParameterType=false, reportUnknownLambdaType=false
# scipy publishes no types.

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.support.simulation import covers

from infersight_analysis.stats import bootstrap, means


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def skewed() -> tuple[Any, Any]:
    return rng(1).lognormal(0, 1, 80), rng(2).lognormal(0.4, 1.2, 120)


def test_the_interval_is_that_of_scipys_bca_bootstrap() -> None:
    a, b = skewed()
    for statistic in (np.mean, np.std):
        found = bootstrap.difference(a, b, statistic, 0.9)
        expected = stats.bootstrap(
            (b, a),
            lambda y, x, axis, of=statistic: of(y, axis=axis) - of(x, axis=axis),
            confidence_level=0.9,
            n_resamples=20_000,
            rng=rng(3),
        )
        width = found.high - found.low
        assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=0.05 * width)
        assert found.value == statistic(b) - statistic(a)


def test_the_p_value_is_the_level_at_which_the_interval_ends_at_none() -> None:
    a, b = skewed()
    a = a + 1
    found = bootstrap.difference(a, b, np.mean)
    assert found.p_value is not None
    assert 0.01 < found.p_value < 0.5
    ends = bootstrap.difference(a, b, np.mean, 1 - found.p_value)
    assert min(abs(ends.low), abs(ends.high)) < 0.02 * (found.high - found.low)


def test_the_mean_has_about_the_p_value_of_welchs_test() -> None:
    a, b = rng(4).normal(0, 1, 200), rng(5).normal(0.25, 1, 200)
    expected = means.difference(a, b).p_value
    assert bootstrap.difference(a, b, np.mean).p_value == pytest.approx(expected, abs=0.02)


def test_the_same_data_and_seed_have_the_same_interval() -> None:
    a, b = skewed()
    assert bootstrap.difference(a, b, np.median) == bootstrap.difference(a, b, np.median)
    assert bootstrap.difference(a, b, np.median) != bootstrap.difference(a, b, np.median, seed=1)


def test_large_arms_are_resampled_in_parts_and_left_out_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = rng(6).exponential(1, 2_000), rng(7).exponential(1.1, 3_000)
    whole = bootstrap.difference(a, b, np.mean)
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 100_000)
    monkeypatch.setattr(bootstrap, "_JACKKNIFE_UP_TO", 10_000)
    parts = bootstrap.difference(a, b, np.mean)
    assert parts.low == pytest.approx(whole.low, abs=0.005)
    assert parts.high == pytest.approx(whole.high, abs=0.005)


def test_arms_that_never_vary_differ_by_what_they_differ() -> None:
    found = bootstrap.difference(np.ones(9), np.full(9, 3.0), np.mean)
    assert (found.low, found.value, found.high) == (2, 2, 2)
    assert found.p_value == pytest.approx(1 / 5_000, rel=0.01)
    assert bootstrap.difference(np.ones(1), np.ones(9), np.mean).p_value is None


@pytest.mark.slow
@pytest.mark.parametrize("statistic", [np.mean, np.median])
def test_an_interval_holds_the_difference_as_often_as_it_says(statistic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_RESAMPLES", 999)
    generator, runs, hits = rng(8), 1_000, 0
    for _ in range(runs):
        found = bootstrap.difference(generator.gamma(4, 1, 80), 1 + generator.gamma(4, 1, 120), statistic)
        hits += found.low <= 1 <= found.high
    covers(hits, runs, 0.92, 0.97)  # chance is 0.7 points in so few runs
