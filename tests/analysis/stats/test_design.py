"""Sizes and power, against statsmodels, results that R documents, and by simulation."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# statsmodels publishes no types.

from math import ceil, inf

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from infersight_analysis.stats import design, means, proportions, sequential
from infersight_analysis.stats.design import Sizes
from infersight_analysis.stats.likelihood import TwoShares


@pytest.mark.parametrize(
    ("a", "b", "ratio", "power"), [(0.1, 0.11, 1, 0.8), (0.1, 0.09, 0.25, 0.9), (0.5, 0.9, 3, 0.8)]
)
def test_sizes_for_shares_are_those_of_statsmodels(a: float, b: float, ratio: float, power: float) -> None:
    size = NormalIndPower().solve_power(proportion_effectsize(b, a), alpha=0.05, power=power, ratio=ratio)
    assert design.cohens_h(a, b) == pytest.approx(proportion_effectsize(b, a))
    assert design.proportion_sizes(a, b, ratio=ratio, power=power) == Sizes(ceil(size), ceil(size * ratio))


def test_ten_percent_and_a_tenth_more_need_14745_an_arm() -> None:
    assert design.proportion_sizes(0.10, 0.11) == Sizes(14_745, 14_745)


def test_fifty_an_arm_do_not_find_a_twentieth_more() -> None:
    assert design.proportion_sizes(0.10, 0.105).a > 50_000
    assert design.proportion_power(0.10, 0.105, Sizes(50, 50)) < 0.06


def test_the_power_of_the_sizes_is_the_power_asked_for() -> None:
    sizes = design.proportion_sizes(0.02, 0.03, ratio=0.5, power=0.9)
    assert design.proportion_power(0.02, 0.03, sizes) == pytest.approx(0.9, abs=1e-3)
    lower, upper = design.detectable_shares(0.02, sizes, power=0.9)
    assert upper == pytest.approx(0.03, abs=1e-4)
    assert lower is not None
    assert design.proportion_power(0.02, lower, sizes) == pytest.approx(0.9, abs=1e-6)


def test_a_share_too_small_to_be_told_from_less_has_no_lower_one() -> None:
    assert design.detectable_shares(0.01, Sizes(50, 50))[0] is None
    assert design.detectable_shares(0.99, Sizes(50, 50))[1] is None


def test_means_have_the_size_and_the_power_that_r_documents() -> None:
    # power.t.test(power = .90, delta = 1): n = 22.02110; power.t.test(n = 20, delta = 1, sd = 1): power = 0.8689528
    assert design.mean_sizes(1, 1, power=0.9) == Sizes(23, 23)
    assert design.mean_power(1, 1, Sizes(20, 20)) == pytest.approx(0.8689528, abs=1e-6)
    assert design.detectable_difference(1, Sizes(20, 20), power=0.8689528) == pytest.approx(1, abs=1e-5)
    assert design.mean_power(-20, 20, Sizes(20, 20)) == pytest.approx(0.8689528, abs=1e-6)


def test_effects_too_small_for_a_solver_have_sizes_too() -> None:
    assert design.mean_sizes(1e-6, 1).a == pytest.approx(2 * (1.959964 + 0.841621) ** 2 / 1e-12, rel=1e-5)


def test_no_effect_has_no_size() -> None:
    with pytest.raises(ValueError, match="no number of records"):
        design.proportion_sizes(0.1, 0.1)
    with pytest.raises(ValueError, match="no number of records"):
        design.mean_sizes(0, 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        design.cohens_h(0.1, 1.2)


def test_a_run_lasts_until_the_slower_arm_is_there() -> None:
    sizes = Sizes(1_000, 500)
    assert sizes.total == 1_500
    assert design.duration(sizes, 100, 10) == 50
    assert design.duration(sizes, 100, 0) == inf


def test_sizes_are_found_with_the_power_that_was_designed() -> None:
    generator, runs = np.random.default_rng(1), 5_000
    sizes = design.proportion_sizes(0.10, 0.13, ratio=0.5)
    draws = zip(
        generator.binomial(sizes.a, 0.10, runs).tolist(), generator.binomial(sizes.b, 0.13, runs).tolist(), strict=True
    )
    found = sum((proportions.difference(x, sizes.a, y, sizes.b).p_value or 1) < 0.05 for x, y in draws)
    assert found / runs == pytest.approx(0.8, abs=0.02)
    sizes = design.mean_sizes(0.5, 1)
    arms = generator.normal(0, 1, (runs, sizes.a)), generator.normal(0.5, 1, (runs, sizes.b))
    found = sum((means.difference(*each).p_value or 1) < 0.05 for each in zip(*arms, strict=True))
    assert found / runs == pytest.approx(0.8, abs=0.02)


def test_sizes_for_looks_at_any_time_have_at_least_the_power_that_was_designed() -> None:
    generator, runs = np.random.default_rng(2), 5_000
    effect = design.cohens_h(0.10, 0.15)
    sizes = design.sequential_sizes(effect)
    assert 1.9 < sizes.a / design.proportion_sizes(0.10, 0.15).a < 2.1
    x, y = (generator.binomial(sizes.a, share, runs).tolist() for share in (0.10, 0.15))
    limit = sequential.critical_value(sizes.a, sizes.b) ** 2
    found = sum(TwoShares(a, sizes.a, b, sizes.b).deviance() > limit for a, b in zip(x, y, strict=True))
    assert found / runs == pytest.approx(0.8, abs=0.02)
    assert design.sequential_sizes(effect, tightest_at=sizes.a).a < sizes.a + 1


def test_an_unequal_split_takes_more_records() -> None:
    equal, canary = design.sequential_sizes(0.2), design.sequential_sizes(0.2, ratio=0.1)
    assert canary.total > 2 * equal.total
    assert canary.b == pytest.approx(canary.a / 10, abs=1)
