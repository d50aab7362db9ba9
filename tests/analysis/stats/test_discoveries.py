"""Many tests at once, against scipy."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from infersight_analysis.stats.discoveries import holm, q_values
from infersight_analysis.stats.normal import deviates, two_sided


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    p = np.random.default_rng(1).random(50) ** 3
    assert q_values(p) == pytest.approx(stats.false_discovery_control(p))


def test_tests_that_are_not_listed_count_as_made() -> None:
    p = np.array([1e-4, 0.02])
    assert q_values(p, 4) == pytest.approx(stats.false_discovery_control(np.array([1e-4, 0.02, 1, 1]))[:2])


def test_holm_s_adjustment_is_that_of_statsmodels() -> None:
    p = np.random.default_rng(2).random(50) ** 6
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_no_tests_are_no_discoveries() -> None:
    assert q_values(np.zeros(0)).tolist() == []
    assert holm(np.zeros(0)).tolist() == []


def test_deviates_and_probabilities_are_each_others_inverse() -> None:
    p = np.array([1e-200, 1e-9, 0.05, 1.0])
    assert two_sided(deviates(p)) == pytest.approx(p, rel=1e-9)
    assert deviates(p)[1:] == pytest.approx(stats.norm.isf(p[1:] / 2))
