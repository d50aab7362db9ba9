"""Strata, against tables worked out by hand and against one another."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

import numpy as np
import pytest
from scipy import stats

from infersight_analysis.stats.strata import stratified


def columns(*tables: tuple[int, int, int, int]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return [np.array(column, np.int64) for column in zip(*tables, strict=True)]


def test_one_stratum_has_its_risk_ratio_and_about_the_p_value_of_its_table() -> None:
    ratio, p_value = stratified(*columns((30, 100, 80, 600)))
    assert ratio == pytest.approx((30 / 80) / (100 / 600))
    corrected = stats.chi2_contingency([[30, 50], [100, 500]], correction=True).pvalue
    assert p_value == pytest.approx(corrected, rel=0.05)


def test_a_property_that_only_follows_the_strata_is_explained_by_them() -> None:
    # Half of those with one call have it and nine tenths of those with many, in both cohorts; the target calls often.
    tables = columns((10, 500, 20, 1_000), (90, 90, 100, 100))
    ratio, p_value = stratified(*tables)
    assert ratio == pytest.approx(1)
    assert p_value > 0.9
    crude = (100 / 120) / (590 / 1_100)
    assert crude > 1.5


def test_the_ratio_weighs_strata_as_greenland_and_robins_do() -> None:
    x, y, n, m = columns((8, 3, 20, 30), (15, 20, 25, 60))
    total = n + m
    expected = (x * m / total).sum() / (y * n / total).sum()
    assert stratified(x, y, n, m)[0] == pytest.approx(expected)


def test_strata_of_one_cohort_say_nothing() -> None:
    assert stratified(*columns((5, 0, 10, 0), (0, 7, 0, 9))) == (1.0, 1.0)


def test_what_only_the_target_has_is_infinitely_more_common() -> None:
    assert stratified(*columns((5, 0, 10, 50)))[0] == np.inf
