"""Shares within strata, against results that R prints, statsmodels, and by simulation."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# statsmodels publishes no types.

from math import inf, isnan

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable
from tests.support.simulation import covers, keeps_level

from infersight_analysis.stats import mantel_haenszel, proportions
from infersight_analysis.stats.strata import stratified

Counts = npt.NDArray[np.int64]

# UCBAdmissions of R: admitted and applicants in the departments A to F, women and men.
ADMITTED_WOMEN, WOMEN = np.array([89, 17, 202, 131, 94, 24]), np.array([108, 25, 593, 375, 393, 341])
ADMITTED_MEN, MEN = np.array([512, 353, 120, 138, 53, 22]), np.array([825, 560, 325, 417, 191, 373])
BERKELEY = (ADMITTED_WOMEN, WOMEN, ADMITTED_MEN, MEN)


def test_berkeley_has_the_odds_ratio_that_r_prints() -> None:
    # mantelhaen.test(UCBAdmissions): 0.7719074 1.0603298, common odds ratio 0.9046968
    found = mantel_haenszel.odds_ratio(*BERKELEY)
    assert (found.value, found.low, found.high) == pytest.approx((0.9046968, 0.7719074, 1.0603298), abs=1e-6)


def test_the_test_is_that_of_statsmodels() -> None:
    table = StratifiedTable([[[y, m - y], [x, n - x]] for x, n, y, m in zip(*BERKELEY, strict=True)])
    expected = table.test_null_odds(correction=False).pvalue
    assert mantel_haenszel.difference(*BERKELEY).p_value == pytest.approx(expected)
    assert mantel_haenszel.odds_ratio(*BERKELEY).p_value == pytest.approx(expected)
    assert mantel_haenszel.homogeneity(*BERKELEY) == pytest.approx(table.test_equal_odds(adjust=True).pvalue)
    assert mantel_haenszel.homogeneity(*BERKELEY) < 0.01  # department A admits women more readily


def test_the_sign_and_the_significance_go_with_the_common_risk_ratio() -> None:
    ratio, p_value = stratified(ADMITTED_MEN, ADMITTED_WOMEN, MEN, WOMEN)
    found = mantel_haenszel.difference(*BERKELEY)
    assert (ratio < 1) == (found.value < 0)
    assert found.p_value == pytest.approx(p_value, abs=0.02)  # that one is corrected for continuity


def test_one_stratum_has_the_crude_difference() -> None:
    found = mantel_haenszel.difference(*(np.array([each]) for each in (50, 500, 62, 520)))
    crude = proportions.difference(50, 500, 62, 520)
    assert found.value == pytest.approx(crude.value)
    assert (found.low, found.high) == pytest.approx((crude.low, crude.high), abs=0.002)
    assert found.p_value == pytest.approx(crude.p_value, rel=0.01)


def test_strata_without_an_arm_say_nothing() -> None:
    more = [np.append(each, extra) for each, extra in zip(BERKELEY, (3, 10, 0, 0), strict=True)]
    assert mantel_haenszel.difference(*more) == mantel_haenszel.difference(*BERKELEY)
    alone = [np.array(each) for each in ([3, 0], [10, 0], [0, 5], [0, 9])]
    assert isnan(mantel_haenszel.difference(*alone).value)
    assert mantel_haenszel.odds_ratio(*alone).p_value is None
    assert mantel_haenszel.homogeneity(*alone) == 1


def test_odds_without_a_failure_are_infinite_and_nothing_is_known_of_them() -> None:
    counts = [np.array(each) for each in ([5, 3], [10, 10], [8, 9], [8, 9])]
    found = mantel_haenszel.odds_ratio(*counts)
    assert (found.value, found.low, found.high) == (inf, 0, inf)


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="more successes than trials"):
        mantel_haenszel.difference(*(np.array([each]) for each in (5, 3, 1, 2)))


def draw(
    generator: np.random.Generator, effect: float, strata: int, size: int
) -> tuple[Counts, Counts, Counts, Counts]:
    """Strata of different shares, and of different sizes in the arms."""
    usual = np.linspace(0.1, 0.6, strata)
    n, m = generator.poisson(size * usual) + 1, generator.poisson(size * usual[::-1]) + 1
    return generator.binomial(n, usual), n, generator.binomial(m, usual + effect), m


@pytest.mark.parametrize(("strata", "size"), [(4, 200), (150, 5)])
def test_the_interval_holds_the_difference_as_often_as_it_says(strata: int, size: int) -> None:
    generator, runs = np.random.default_rng(1), 5_000
    found = [mantel_haenszel.difference(*draw(generator, 0.1, strata, size)) for _ in range(runs)]
    covers(sum(each.low <= 0.1 <= each.high for each in found), runs)


def test_strata_that_explain_the_difference_leave_the_level() -> None:
    generator, runs = np.random.default_rng(2), 5_000
    called, crude = 0, 0
    for _ in range(runs):
        x, n, y, m = draw(generator, 0.0, 4, 200)
        called += (mantel_haenszel.difference(x, n, y, m).p_value or 0) < 0.05
        crude += (proportions.difference(x.sum(), n.sum(), y.sum(), m.sum()).p_value or 0) < 0.05
    keeps_level(called, runs)
    assert crude > 0.9 * runs
