"""Worse by more than is allowed, not worse, or unknown: and how often that is wrong, looked at again and again."""

import numpy as np
import pytest
from tests.support.simulation import keeps_level

from infersight_analysis.stats import noninferiority, sequential
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.likelihood import TwoShares
from infersight_analysis.stats.noninferiority import Decision


def between(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, None, "given")


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [(0.02, 0.05, Decision.WORSE), (-0.03, 0.01, Decision.NOT_WORSE), (-0.03, 0.03, Decision.UNKNOWN)],
)
def test_the_whole_interval_decides(low: float, high: float, decision: Decision) -> None:
    assert noninferiority.decide(between(low, high), 0.01) == decision
    assert noninferiority.decide(between(-high, -low), -0.01, larger_is_worse=False) == decision


def test_no_difference_found_in_little_data_is_no_proof_of_none() -> None:
    assert noninferiority.failures(2, 200, 2, 200, 0.25) == Decision.UNKNOWN


def test_failures_are_judged_by_their_ratio() -> None:
    assert noninferiority.failures(100, 10_000, 400, 10_000, 0.25) == Decision.WORSE
    assert noninferiority.failures(9_000, 100_000, 9_050, 100_000, 0.25) == Decision.NOT_WORSE
    assert noninferiority.failures(0, 10_000, 0, 10_000, 0.25) == Decision.UNKNOWN
    assert noninferiority.failures(0, 0, 3, 10, 0.25) == Decision.UNKNOWN


def test_a_quantile_is_judged_by_its_ratio() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.lognormal(3, 0.3, 4_000), generator.lognormal(3, 0.3, 4_000)
    assert noninferiority.quantiles(a, b, 0.95, 0.25) == Decision.NOT_WORSE
    assert noninferiority.quantiles(a, 2 * b, 0.95, 0.25) == Decision.WORSE
    assert noninferiority.quantiles(a[:40], b[:40], 0.95, 0.25) == Decision.UNKNOWN


def test_a_decision_is_wrong_no_more_often_than_said_however_often_one_looks() -> None:
    """B is as much worse as is allowed, to a hair: either decision is wrong by that hair."""
    generator, runs = np.random.default_rng(2), 2_000
    at = np.unique(np.ceil(1.6 ** np.arange(6, 21)).astype(int)).tolist()
    steps = np.diff(at, prepend=0)
    x, y = (np.cumsum(generator.binomial(steps, share, (runs, len(at))), 1) for share in (0.04, 0.05))
    limits = [sequential.critical_value(n, n) ** 2 for n in at]
    decided = 0
    for number, run in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        looks = list(zip(*run, at, limits, strict=True))
        far = [TwoShares(a, n, b, n).deviance(ratio=1.25) > limit for a, b, n, limit in looks]
        decided += any(far)
        a, b, n, _ = looks[-1]
        if far[-1] or number < 30:
            assert far[-1] == (noninferiority.failures(a, n, b, n, 0.25) != Decision.UNKNOWN)
    keeps_level(decided, runs)
