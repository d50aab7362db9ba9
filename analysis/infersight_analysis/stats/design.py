"""How many records a comparison needs before it begins, and what it can see with those that there are."""

from dataclasses import dataclass
from math import asin, ceil, inf, pi, sin, sqrt
from typing import Any, Final

from infersight_analysis.stats import sequential
from infersight_analysis.stats.normal import probability_below, z_at, z_of

_MOST: Final = 1e15
"""Records; an effect that asks for more has no size."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Records that each arm needs.

    Args:
        a: of A.
        b: of B.
    """

    a: int
    b: int

    @property
    def total(self) -> int:
        """Of both."""
        return self.a + self.b


def cohens_h(share_a: float, share_b: float) -> float:
    """The difference of two shares, B less A, on the scale on which their noise does not depend on them (Cohen, 1988).

    Two sample shares of n records each are sqrt(2 / n) apart on it by chance, as means in standard deviations are.
    """
    for share in (share_a, share_b):
        if not 0 <= share <= 1:
            raise ValueError(f"a share lies between 0 and 1, not at {share}")
    return 2 * (asin(sqrt(share_b)) - asin(sqrt(share_a)))


def proportion_sizes(
    share_a: float, share_b: float, *, power: float = 0.8, confidence: float = 0.95, ratio: float = 1.0
) -> Sizes:
    """Records that a two-sided test needs to tell two shares apart: 2 ((z_alpha + z_beta) / h)^2 an arm (Cohen, 1988).

    Args:
        share_a: of A.
        share_b: of B, another one.
        power: how often the test is to find the difference.
        confidence: of the test.
        ratio: records of B for each record of A.

    Raises:
        ValueError: if the shares are the same, or none.
    """
    effect = _effect(cohens_h(share_a, share_b))
    size_a = (1 + 1 / ratio) * ((z_of(confidence) + z_at(power)) / effect) ** 2
    return _sizes(size_a, ratio)


def proportion_power(share_a: float, share_b: float, sizes: Sizes, *, confidence: float = 0.95) -> float:
    """How often a two-sided test of so many records tells two shares apart."""
    distance = abs(cohens_h(share_a, share_b)) / sqrt(1 / sizes.a + 1 / sizes.b)
    z = z_of(confidence)
    return probability_below(distance - z) + probability_below(-distance - z)


def detectable_shares(
    share_a: float, sizes: Sizes, *, power: float = 0.8, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The nearest shares of B, below and above that of A, that so many records can tell apart from it.

    Returns:
        None where there is none: 1 % cannot be told from less with 50 records.
    """
    distance = (z_of(confidence) + z_at(power)) * sqrt(1 / sizes.a + 1 / sizes.b) / 2
    middle = asin(sqrt(share_a))
    lower, upper = middle - distance, middle + distance
    return sin(lower) ** 2 if lower >= 0 else None, sin(upper) ** 2 if upper <= pi / 2 else None


def mean_sizes(
    difference: float, deviation: float, *, power: float = 0.8, confidence: float = 0.95, ratio: float = 1.0
) -> Sizes:
    """Records that a two-sided t test needs to tell two means apart, by the noncentral t distribution.

    Args:
        difference: of the means, not 0.
        deviation: the standard deviation of the numbers, more than 0.
        power: how often the test is to find the difference.
        confidence: of the test.
        ratio: records of B for each record of A.

    Raises:
        ValueError: if the means do not differ.
    """
    effect = _effect(difference / deviation)
    by_normal = (1 + 1 / ratio) * ((z_of(confidence) + z_at(power)) / effect) ** 2
    if by_normal > _MOST / 1e6:
        return _sizes(by_normal, ratio)  # where t is normal, and the solver's search for it fails
    size_a = _t_test().solve_power(effect, alpha=1 - confidence, power=power, ratio=ratio)
    return _sizes(float(size_a), ratio)


def mean_power(difference: float, deviation: float, sizes: Sizes, *, confidence: float = 0.95) -> float:
    """How often a two-sided t test of so many records tells two means apart."""
    effect = difference / deviation
    return float(_t_test().power(effect, sizes.a, 1 - confidence, ratio=sizes.b / sizes.a))


def detectable_difference(deviation: float, sizes: Sizes, *, power: float = 0.8, confidence: float = 0.95) -> float:
    """The smallest difference of means, in the unit of the deviation, that so many records can see."""
    ratio = sizes.b / sizes.a
    effect = _t_test().solve_power(None, nobs1=sizes.a, alpha=1 - confidence, power=power, ratio=ratio)
    return float(effect) * deviation


def sequential_sizes(
    effect: float,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
    ratio: float = 1.0,
    tightest_at: float = sequential.TIGHTEST_AT,
) -> Sizes:
    """Records by which a comparison that is looked at again and again has found an effect.

    Found by a look at this size; as it may be found before, the power is a little more.

    Args:
        effect: in standard deviations of a record, or `cohens_h` of two shares; not 0.
        power: how often the effect is to be found by then.
        confidence: of all intervals together.
        ratio: records of B for each record of A.
        tightest_at: as in `sequential`.

    Raises:
        ValueError: if there is no effect.
    """
    effect = _effect(effect)
    near, far = 1.0, _MOST
    while far - near > 0.5:
        size = (near + far) / 2
        distance = effect * sqrt(size * ratio / (1 + ratio))
        critical = sequential.critical_value(size, size * ratio, confidence, tightest_at=tightest_at)
        near, far = (near, size) if distance - critical >= z_at(power) else (size, far)
    return _sizes(far, ratio)


def duration(sizes: Sizes, rate_a: float, rate_b: float) -> float:
    """How long it takes until both arms have their records, in the unit of time that the rates are of."""
    rates = ((sizes.a, rate_a), (sizes.b, rate_b))
    return max(size / rate if rate > 0 else inf for size, rate in rates)


def _effect(effect: float) -> float:
    if effect == 0:
        raise ValueError("no number of records tells apart what is the same")
    return abs(effect)


def _sizes(size_a: float, ratio: float) -> Sizes:
    return Sizes(ceil(size_a - 1e-9), ceil(size_a * ratio - 1e-9))


def _t_test() -> Any:
    from statsmodels.stats.power import TTestIndPower  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - takes a second

    return TTestIndPower()
