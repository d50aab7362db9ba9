"""What may be looked at after every record, against the papers' formulas by integration, and looked at very often."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false, reportPrivateUsage=false
# pyright: reportUnknownLambdaType=false
# scipy publishes no types.

from collections.abc import Callable
from math import inf, log, sqrt

import numpy as np
import numpy.typing as npt
import pytest
from scipy import integrate, stats
from tests.support.simulation import keeps_level

from infersight_analysis.stats import proportions, sequential
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.likelihood import TwoShares

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

RUNS = 5_000


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def looks(most: int, growth: float) -> list[int]:
    """After how many records one looks: at every power of the growth."""
    powers = np.ceil(growth ** np.arange(1, log(most) / log(growth)))
    return sorted({int(power) for power in powers})


def evidence(shares: TwoShares) -> float:
    gain = sequential._gain((shares.trials_a, shares.trials_b), sequential.TIGHTEST_AT, 0.95)
    return sequential._log_evidence(shares.deviance(), gain)


def test_the_interval_of_large_samples_is_the_asymptotic_confidence_sequence() -> None:
    # Waudby-Smith et al., with the two arms as one mean of 1 / (1 / n_a + 1 / n_b) records.
    n, m, alpha = 40_000, 60_000, 0.05
    t, at = n * m / (n + m), sequential.TIGHTEST_AT / 2
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / at
    width = sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * log(sqrt(t * rho2 + 1) / alpha))
    a, b = rng(1).normal(0, 1, n), rng(2).normal(0, 1, m)
    found = sequential.means(a, b)
    assert (found.high - found.low) / 2 == pytest.approx(width, rel=0.01)
    by_counts = sequential.proportions(12_000, n, 18_000, m)
    assert (by_counts.high - by_counts.low) / 2 == pytest.approx(width * sqrt(0.3 * 0.7), rel=0.01)
    assert sequential.critical_value(n, m) == pytest.approx(width * sqrt(t))


def test_the_evidence_is_the_mixture_over_normal_effects() -> None:
    for gain, z in ((0.3, 1.0), (8.0, 2.5), (300.0, 4.0)):
        mixed = integrate.quad(lambda d: stats.norm.pdf(z, d) * stats.norm.pdf(d, 0, sqrt(gain)), -80, 80, limit=500)  # noqa: B023
        assert sequential._log_evidence(z**2, gain) == pytest.approx(log(mixed[0] / stats.norm.pdf(z)), abs=1e-5)


def test_the_evidence_of_a_t_statistic_is_the_mixture_over_noncentral_ones() -> None:
    for gain, degrees, t in ((2.0, 5, 1.5), (8.0, 30, 3.0), (0.5, 12, -2.0)):
        mixed = integrate.quad(lambda d: stats.nct.pdf(t, degrees, d) * stats.norm.pdf(d, 0, sqrt(gain)), -30, 30)  # noqa: B023
        expected = log(mixed[0] / stats.t.pdf(t, degrees))
        assert sequential._t_log_evidence(t**2, gain, degrees) == pytest.approx(expected, abs=1e-4)


def test_the_evidence_on_a_quantile_is_the_beta_binomial_distribution_over_the_binomial_one() -> None:
    found = sequential._beta_binomial(40, 0.9, 12.0)
    for below in (0, 20, 36, 40):
        expected = stats.betabinom.logpmf(below, 40, 10.8, 1.2) - stats.binom.logpmf(below, 40, 0.9)
        assert found[below] == pytest.approx(expected)


def test_the_test_of_the_sample_ratio_is_a_dirichlet_multinomial_mixture() -> None:
    prior = 2 / sequential._rho2(2 * sequential.TIGHTEST_AT, 0.95) * np.array([0.25, 0.25])
    counts = np.array([560, 440])
    mixed = stats.dirichlet_multinomial.logpmf(counts, 2 * prior / 2, 1_000)
    expected = np.exp(stats.multinomial.logpmf(counts, 1_000, [0.5, 0.5]) - mixed)
    assert sequential.sample_ratio([560, 440], [1, 1]) == pytest.approx(min(1, expected))
    assert sequential.sample_ratio([500, 500], [50, 50]) == 1
    assert sequential.sample_ratio([9_000, 1_000], [90, 10]) == 1


AGREEING: list[tuple[Callable[..., Estimate], tuple[object, ...]]] = [
    (sequential.proportions, (50, 500, 90, 520)),
    (sequential.proportions, (0, 900, 3, 90)),
    (sequential.means, (rng(3).normal(0, 1, 80), rng(4).normal(0.6, 2, 120))),
    (sequential.quantiles, (rng(5).lognormal(0, 1, 300), rng(6).lognormal(0.5, 1, 400), 0.5)),
]


@pytest.mark.parametrize(("method", "arms"), AGREEING)
def test_the_p_value_and_the_interval_agree(
    method: Callable[..., Estimate], arms: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the mixture is does not change with the confidence here, as it does not while a run is looked at."""
    fixed = sequential._rho2
    monkeypatch.setattr(sequential, "_rho2", lambda tightest_at, _: fixed(tightest_at, 0.95))
    p_value = method(*arms).p_value
    assert p_value is not None
    assert p_value < 0.9
    assert method(*arms, confidence=1 - p_value * 1.0001).excludes_zero
    assert not method(*arms, confidence=1 - p_value * 0.9999).excludes_zero


def test_ratios_agree_with_differences_on_whether_there_is_one() -> None:
    for counts in ((50, 500, 62, 520), (50, 500, 90, 520), (0, 900, 3, 90), (3, 50, 0, 800)):
        ratio, difference = sequential.ratios(*counts), sequential.proportions(*counts)
        assert ratio.p_value == difference.p_value
        assert (ratio.low > 1 or ratio.high < 1) == difference.excludes_zero


def test_looking_at_any_time_costs_half_as_much_again_in_width() -> None:
    once, always = proportions.difference(50, 500, 50, 500), sequential.proportions(50, 500, 50, 500)
    assert (always.high - always.low) / (once.high - once.low) == pytest.approx(1.55, abs=0.03)


def test_little_data_are_unknown() -> None:
    assert sequential.proportions(0, 0, 3, 9).p_value is None
    assert sequential.ratios(0, 0, 3, 9).p_value is None
    assert sequential.means(np.ones(1), np.ones(9)).p_value is None
    assert sequential.means(np.ones(9), np.ones(9)).high == inf
    assert sequential.quantiles(np.ones(0), np.ones(9), 0.5).p_value is None
    assert sequential.quantiles(np.arange(50.0), np.arange(50.0), 0.99).high == inf
    assert not sequential.proportions(0, 1, 1, 1).excludes_zero


def test_the_differences_of_quantiles_are_those_for_which_some_pair_of_numbers_is_likely() -> None:
    a, b, q = np.round(rng(7).normal(5, 2, 60)), np.round(rng(8).normal(6, 2, 50)), 0.5
    found = sequential.quantiles(a, b, q, tightest_at=50)
    precision = 1 / sequential._rho2(50, 0.95)
    costs = [sequential._beta_binomial(len(arm), q, precision) for arm in (a, b)]

    def cheapest(shift: float) -> float:
        """Over all numbers near the data as the quantile of A; of tied ones any count is allowed."""
        total = []
        for x in np.arange(-5, 20, 0.25):
            parts = []
            for arm, at, cost in zip((a, b), (x, x + shift), costs, strict=True):
                counts = range(int((arm < at).sum()), int((arm <= at).sum()) + 1)
                parts.append(min(float(cost[count]) for count in counts))
            total.append(sum(parts))
        return min(total)

    allowed = [shift for shift in np.arange(-6, 8, 0.25).tolist() if cheapest(shift) < -log(0.05)]
    assert (found.low, found.high) == (min(allowed), max(allowed))
    assert found.p_value == pytest.approx(min(1.0, np.exp(-cheapest(0))))


@pytest.mark.parametrize(("share", "canary"), [(0.0005, 0.02), (0.005, 0.1), (0.1, 0.5)])
def test_peeking_at_equal_shares_keeps_the_level(share: float, canary: float) -> None:
    """At every power of 1.3 of records up to 200 000; an ordinary test finds a difference in a quarter of the runs."""
    generator, at = rng(9), looks(200_000, 1.3)
    steps = np.diff(at, prepend=0)
    of_b = generator.binomial(steps, canary, (RUNS, len(at)))
    of_a = steps - of_b
    arms = [(np.cumsum(generator.binomial(each, share), 1), np.cumsum(each, 1)) for each in (of_a, of_b)]
    (x, n), (y, m) = arms
    called, naive = 0, 0
    for run in zip(x.tolist(), n.tolist(), y.tolist(), m.tolist(), strict=True):
        tables = [TwoShares(*table) for table in zip(*run, strict=True) if table[1] and table[3]]
        called += any(evidence(table) > log(20) for table in tables)
        naive += any(table.deviance() > 3.84 for table in tables)
    keeps_level(called, RUNS)
    assert naive > 0.12 * RUNS


def test_peeking_at_equal_means_keeps_the_level() -> None:
    generator, at, runs = rng(10), looks(3_000, 1.2), RUNS
    values = generator.normal(0, 1, (runs, at[-1]))
    called, naive = peeked(values, at, share_b=3)
    keeps_level(called, runs)
    assert naive > 0.3 * runs


DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Numbers]] = {
    "exponential": lambda generator, size: generator.exponential(1, size),
    "lognormal": lambda generator, size: generator.lognormal(0, 1.5, size),
    "rare": lambda generator, size: (generator.random(size) < 0.01).astype(np.float64),
}


@pytest.mark.slow
@pytest.mark.parametrize("share_b", [2, 20])
@pytest.mark.parametrize("kind", DRAWS)
def test_peeking_at_equal_means_of_skewed_numbers_keeps_the_level(kind: str, share_b: int) -> None:
    generator, at = rng(11), looks(20_000, 1.1)
    called = sum(peeked(DRAWS[kind](generator, (RUNS // 25, at[-1])), at, share_b)[0] for _ in range(25))
    keeps_level(called, RUNS)


def test_a_small_arm_of_rare_large_values_is_no_difference() -> None:
    """With Welch's standard error alone half of the runs find one."""
    called, _ = peeked(DRAWS["rare"](rng(19), (500, 3_000)), looks(3_000, 1.2), share_b=20)
    keeps_level(called, 500)


def test_a_small_arm_that_varies_more_keeps_the_level() -> None:
    """With the pooled standard error alone, most runs find a difference."""
    values = rng(20).normal(0, 1, (1_000, 2_000))
    values[:, ::20] *= 5
    called, _ = peeked(values, looks(2_000, 1.2), share_b=20)
    keeps_level(called, 1_000)


def peeked(values: Numbers, at: list[int], share_b: int) -> tuple[int, int]:
    """In how many runs some look finds a difference of means, at any time and naively; one in `share_b` is of B."""
    is_b = np.arange(values.shape[1]) % share_b == 0
    sums = [np.cumsum(values * side, 1) for side in (~is_b, is_b)]
    squares = [np.cumsum(values**2 * side, 1) for side in (~is_b, is_b)]
    counts = [np.cumsum(side) for side in (~is_b, is_b)]
    found, naive = np.zeros(len(values), np.bool_), np.zeros(len(values), np.bool_)
    for look in at:
        sizes = int(counts[0][look - 1]), int(counts[1][look - 1])
        if min(sizes) < 2:
            continue
        means = [total[:, look - 1] / size for total, size in zip(sums, sizes, strict=True)]
        variances = [
            np.maximum(0, (square[:, look - 1] - size * mean**2) / (size - 1))
            for square, mean, size in zip(squares, means, sizes, strict=True)
        ]
        naive |= np.abs(means[1] - means[0]) > 1.96 * np.sqrt(variances[0] / sizes[0] + variances[1] / sizes[1])
        for run in np.flatnonzero(naive & ~found).tolist():  # nothing else can be found at any time
            of_both = float(variances[0][run]), float(variances[1][run])
            difference = float(means[1][run] - means[0][run])
            estimate = sequential._of_moments(difference, of_both, sizes, 0.95, sequential.TIGHTEST_AT)
            found[run] = (estimate.p_value or 0) < 0.05
    return int(found.sum()), int(naive.sum())


def quantile_peeks(generator: np.random.Generator, q: float, at: list[int], runs: int) -> int:
    called = 0
    for _ in range(runs):
        a, b = generator.lognormal(0, 1, at[-1]), generator.lognormal(0, 1, at[-1])
        called += any(
            (sequential.quantiles(a[:look], b[: look // 2], q).p_value or 0) < 0.05 for look in at if look > 3
        )
    return called


def test_peeking_at_equal_quantiles_keeps_the_level() -> None:
    keeps_level(quantile_peeks(rng(12), 0.9, looks(2_000, 1.8), 400), 400)


@pytest.mark.slow
@pytest.mark.parametrize("q", [0.5, 0.99])
def test_peeking_often_at_equal_quantiles_keeps_the_level(q: float) -> None:
    keeps_level(quantile_peeks(rng(13), q, looks(10_000, 1.3), RUNS), RUNS)


def test_peeking_at_a_planned_sample_ratio_keeps_the_level() -> None:
    at = looks(100_000, 1.3)
    steps = np.diff(at, prepend=0)
    arm = np.cumsum(rng(14).binomial(steps, 0.1, (2_000, len(at))), 1)
    called = sum(
        any(sequential.sample_ratio([n - x, x], [9, 1]) < 0.05 for x, n in zip(run, at, strict=True))
        for run in arm.tolist()
    )
    keeps_level(called, len(arm))


def test_all_intervals_together_hold_the_difference() -> None:
    """A difference is in an interval where its evidence is below 20, as the test of their agreement says."""
    at, runs = looks(20_000, 1.3), 2_000
    steps = np.diff(at, prepend=0)
    x, y = (np.cumsum(rng(seed).binomial(steps, share, (runs, len(at))), 1) for seed, share in ((15, 0.05), (18, 0.08)))
    limits = [sequential._limit(sequential._gain((n, n), sequential.TIGHTEST_AT, 0.95), 0.95) for n in at]
    missed = sum(
        any(TwoShares(a, n, b, n).deviance(shift=0.03) > limit for a, b, n, limit in zip(*run, at, limits, strict=True))
        for run in zip(x.tolist(), y.tolist(), strict=True)
    )
    keeps_level(missed, runs)


def test_a_real_difference_is_found_sooner_or_later() -> None:
    a, b = rng(16).random(100_000) < 0.05, rng(17).random(100_000) < 0.06
    first = next(
        look
        for look in looks(100_000, 1.2)
        if sequential.proportions(int(a[:look].sum()), look, int(b[:look].sum()), look).excludes_zero
    )
    assert first < 60_000
