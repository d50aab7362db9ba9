# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# scipy publishes no types.
"""How far two distributions over the same bins are apart, and how far chance alone would put them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_LEAST_EXPECTED: Final = 5.0
"""Cochran's rule: with fewer expected in a cell, a statistic of counts is not yet chi-square."""

_PERMUTATIONS: Final = 9_999


@dataclass(frozen=True)
class Divergence:
    """Two samples counted in bins.

    Args:
        reference: how many of the reference are in each bin.
        current: how many of the other sample; both have some, and no bin is empty in both.
    """

    reference: Counts
    current: Counts

    @cached_property
    def shares(self) -> tuple[Numbers, Numbers]:
        """The shares of each bin, in reference and current, with half of one added so that none is 0 (Jeffreys)."""
        bins = len(self.reference)
        reference, current = ((counts + 0.5) / (counts.sum() + bins / 2) for counts in (self.reference, self.current))
        return reference, current

    @property
    def psi(self) -> float:
        """The population stability index, sum of (q - p) ln(q / p): the divergence of Jeffreys (1946), in nats."""
        return float(_psi(*self.shares))

    @property
    def psi_noise(self) -> float:
        """What the index is on average where nothing has changed (Yurdakul and Naranjo, J. Risk Model Valid. 14, 2020).

        Scaled by the sizes of the samples it is then chi-square, with one degree of freedom less than bins.
        """
        return self._degrees / self._size

    @property
    def psi_debiased(self) -> float:
        """The index less what chance adds to it, not negative."""
        return max(0.0, self.psi - self.psi_noise)

    @property
    def score(self) -> Numbers:
        """What a member of each bin says for the current distribution: ln(q / p).

        Its mean in the current sample exceeds that in the reference by the index; no other score tells the two apart
        better (Neyman and Pearson, 1933).
        """
        reference, current = self.shares
        return np.log(current / reference)

    @property
    def contributions(self) -> Numbers:
        """What each bin adds to the index."""
        reference, current = self.shares
        return (current - reference) * self.score

    @property
    def jensen_shannon(self) -> float:
        """The Jensen-Shannon divergence (Lin, IEEE Trans. Inf. Theory 37, 1991), in bits: 0 to 1."""
        p, q = self.shares
        middle = (p + q) / 2
        return float((p * np.log2(p / middle) + q * np.log2(q / middle)).sum() / 2)

    def psi_interval(self) -> tuple[float, float]:
        """A 95 % interval of the index: those that the scaled one, as a noncentral chi-square, does not reject.

        Scaled by the sizes of the samples, or, where the samples are far apart, by what makes its variance that of the
        delta method.
        """
        from scipy import special  # noqa: PLC0415 - most verbs do without

        if not self._degrees:
            return 0.0, 0.0
        scale = self._scale
        low, high = (self._noncentrality(special, self.psi * scale, tail) for tail in (0.975, 0.025))
        return float(low / scale), float(high / scale)

    def p_value(self, seed: int = 0) -> float:
        """The probability of as large an index, or larger, of two samples of one distribution.

        From chi-square, or, where some cell is expected to hold fewer than five, from 9 999 permutations.
        """
        from scipy import special  # noqa: PLC0415

        if not self._degrees:
            return 1.0
        both = self.reference + self.current
        sizes = int(self.reference.sum()), int(self.current.sum())
        if both.min() * min(sizes) / sum(sizes) >= _LEAST_EXPECTED:
            statistic: Any = special.chdtrc(self._degrees, self.psi * self._size)
            return float(statistic)
        chance = np.random.default_rng(seed)
        current = chance.multivariate_hypergeometric(both, sizes[1], _PERMUTATIONS, method="marginals")
        bins = len(both)
        shuffled = _psi((both - current + 0.5) / (sizes[0] + bins / 2), (current + 0.5) / (sizes[1] + bins / 2))
        return float((1 + np.count_nonzero(shuffled >= self.psi - 1e-12)) / (1 + _PERMUTATIONS))

    @property
    def _degrees(self) -> int:
        return len(self.reference) - 1

    @property
    def _size(self) -> float:
        """The size of a sample that is as uncertain as the difference of both."""
        return float(1 / (1 / self.reference.sum() + 1 / self.current.sum()))

    @property
    def _scale(self) -> float:
        p, q = self.shares
        of_reference, of_current = -np.log(q / p) - q / p, np.log(q / p) - p / q
        variance = (p @ of_reference**2 - (p @ of_reference) ** 2) / self.reference.sum()
        variance += (q @ of_current**2 - (q @ of_current) ** 2) / self.current.sum()
        # The variance of a noncentral chi-square is four times its noncentrality, where that is large.
        return min(self._size, 4 * self.psi / variance) if self.psi > 0 else self._size

    def _noncentrality(self, special: Any, statistic: float, tail: float) -> float:
        """The noncentrality of which a statistic is the quantile `tail`; 0 where there is none."""
        if float(special.chdtr(self._degrees, statistic)) <= tail:
            return 0.0
        return float(special.chndtrinc(statistic, self._degrees, tail))


def _psi(reference: npt.NDArray[Any], current: npt.NDArray[Any]) -> Numbers:
    index: Numbers = ((current - reference) * np.log(current / reference)).sum(axis=-1)
    return index


def edges_of(reference: Numbers, bins: int = 10) -> Numbers:
    """The inner edges of bins with equally many of the reference's numbers; fewer where numbers are equal.

    Args:
        reference: numbers without NaN.
        bins: how many, at most.
    """
    return np.unique(np.quantile(reference, np.arange(1, bins) / bins, method="lower"))


def power(sizes: tuple[int, int], index: float, bins: int, level: float) -> float:
    """The probability that a population stability index differs from chance, where it is so large.

    Args:
        sizes: of both samples.
        index: the true one.
        bins: how many.
        level: of the test.
    """
    from scipy import special  # noqa: PLC0415 - most verbs do without

    needed: Any = special.chdtri(bins - 1, level)
    return 1 - float(special.chndtr(needed, bins - 1, index / (1 / sizes[0] + 1 / sizes[1])))
