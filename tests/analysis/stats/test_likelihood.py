"""Two shares bound to each other, against a search over all pairs."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# scipy publishes no types.

from math import inf

import numpy as np
import pytest
from scipy import optimize, stats

from infersight_analysis.stats.likelihood import TwoShares
from infersight_analysis.stats.tables import deviance_root

RNG = np.random.default_rng(1)

TABLES = [
    TwoShares(int(RNG.binomial(n, p)), int(n), int(RNG.binomial(m, r)), int(m))
    for n, m, p, r in zip(
        RNG.integers(1, 300, 60), RNG.integers(1, 300, 60), RNG.random(60) ** 2, RNG.random(60) ** 2, strict=True
    )
]
TABLES.extend(
    [TwoShares(0, 20, 0, 30), TwoShares(20, 20, 30, 30), TwoShares(0, 20, 30, 30), TwoShares(0, 1_000, 1, 50)]
)


def searched(shares: TwoShares, ratio: float, shift: float) -> float:
    def unlikelihood(share: float) -> float:
        a = stats.binom.logpmf(shares.successes_a, shares.trials_a, share)
        b = stats.binom.logpmf(shares.successes_b, shares.trials_b, np.clip(ratio * share + shift, 0, 1))
        return -2 * float(a + b)

    low, high = max(0.0, -shift / ratio), min(1.0, (1 - shift) / ratio)
    found = optimize.minimize_scalar(unlikelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    free = stats.binom.logpmf(shares.successes_a, shares.trials_a, shares.a)
    free += stats.binom.logpmf(shares.successes_b, shares.trials_b, shares.b)
    return min(float(found.fun), unlikelihood(low), unlikelihood(high)) + 2 * float(free)


@pytest.mark.parametrize(("ratio", "shift"), [(1.0, 0.0), (1.0, 0.1), (1.0, -0.3), (2.0, 0.0), (0.4, 0.0)])
def test_the_deviance_is_that_of_the_likeliest_pair_on_the_line(ratio: float, shift: float) -> None:
    for shares in TABLES:
        expected = searched(shares, ratio, shift)
        found = shares.deviance(ratio=ratio, shift=shift)
        if np.isinf(expected) or expected > 1e6:
            assert found > 1e3
        else:
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_deviance_of_equal_shares_is_the_g_statistic() -> None:
    for shares in TABLES:
        columns = (shares.successes_b, shares.successes_a, shares.trials_b, shares.trials_a)
        root = deviance_root(*(np.array([each], np.int64) for each in columns))
        assert shares.deviance() == pytest.approx(float(root[0]) ** 2, abs=1e-8)


def test_the_ends_of_an_interval_have_the_deviance_of_the_limit() -> None:
    for shares in TABLES:
        low, high = shares.differences(6.0)
        assert -1 <= low <= shares.b - shares.a <= high <= 1
        for end in (low, high):
            if abs(end) < 1:
                assert shares.deviance(shift=end) == pytest.approx(6.0, rel=1e-6)
        low, high = shares.ratios(6.0)
        assert (low == 0) == (shares.successes_b == 0)
        assert (high == inf) == (shares.successes_a == 0)
        for end in (low, high):
            if 0 < end < inf:
                assert shares.deviance(ratio=end) == pytest.approx(6.0, rel=1e-6)


def test_one_failure_of_few_beside_none_of_many_is_no_certainty() -> None:
    shares = TwoShares(0, 1_000, 1, 50)
    pooled = 1 / 1_050
    pearson = (1 / 50) ** 2 / (pooled * (1 - pooled) * (1 / 1_000 + 1 / 50))
    assert pearson > 20 - 1
    assert shares.deviance() < 6.2
