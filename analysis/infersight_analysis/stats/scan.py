"""Where in a series of counts there are too many: a scan over windows of all lengths (Kulldorff, 1997).

Counts of failures vary more than Poisson's, and neighbours resemble each other, so the base is a negative binomial
distribution whose variance is a multiple of its mean (NB1), fitted at each scale of time on its own. It is fitted to
counts that are censored where they become extreme, so that a burst cannot hide in the variance that it makes itself.
Sums of NB1 counts are NB1, and given their total a window's count is beta-binomial whatever the base rate is: the test
of a window is exact for an estimated rate, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, special  # pyright: ignore[reportMissingTypeStubs]

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_LEAST: Final = 3
"""Fewer failures are no burst, however quiet it was."""

_LEAST_RATIO: Final = 2.0
"""A burst is at least so many times the base rate; less is a change of it."""

_LEAST_BLOCKS: Final = 20
"""So many sums are needed to say how much they vary."""

_LEAST_EXTRA: Final = 1e-3
_UNKNOWN_EXTRA: Final = 1.0
_ENOUGH: Final = 20
"""Of fewer failures nobody can tell whether they come one by one or a few at a time: they are taken to vary by that
much more than Poisson counts do, more of them by less."""

_MOST_BURSTS: Final = 10
_CANDIDATES: Final = 25
_LENGTHS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_OVERLAP: Final = 4
"""Windows of one length that overlap by more than three quarters count as one test."""

_special: Any = special  # scipy publishes no types
_optimize: Any = optimize


@dataclass(frozen=True)
class Burst:
    """A window with more than the base rate explains.

    Args:
        start: its first step.
        stop: the step behind its last one.
        count: what was counted in it.
        expected: what the base rate makes of its exposure.
        p_value: of so many or more, corrected for all windows that were looked at.
    """

    start: int
    stop: int
    count: int
    expected: float
    p_value: float


@dataclass(frozen=True)
class Base:
    """The base rate: counts by exposure, and at each scale how much more than a Poisson count they vary.

    Args:
        rate: counts by unit of exposure.
        extra: of sums over 1, 2, 4, ... steps, the variance by the mean less 1.
    """

    rate: float
    extra: Sequence[float]

    def extra_of(self, length: int) -> float:
        """Of windows of so many steps."""
        return self.extra[min(len(self.extra) - 1, int(np.log2(length)))]


def bursts(counts: Counts, exposure: Numbers, *, false_alarms: float = 0.01) -> list[Burst]:
    """The bursts in a series, the least likely first.

    Args:
        counts: at least 20 steps of equal length.
        exposure: what counts are proportional to, requests or time; above 0 in every step.
        false_alarms: in how many series without a burst there may be one.
    """
    free = np.ones(len(counts), np.bool_)
    found: list[Burst] = []
    poisson = Base(float(counts.sum() / exposure.sum()), (_LEAST_EXTRA,))
    tests = sum(min(len(counts) - length + 1, _OVERLAP * len(counts) // length) for length in _lengths(len(counts)))
    while len(found) < _MOST_BURSTS and counts[free].sum() >= _LEAST:
        # What even Poisson counts would explain needs no fit.
        burst = _strongest(counts, exposure, free, poisson)
        if burst is not None and burst.p_value * tests <= false_alarms:
            rest = free.copy()
            rest[burst.start : burst.stop] = False
            burst = _strongest(counts, exposure, free, fit(counts, exposure, rest))
        if burst is None or burst.p_value * tests > false_alarms:
            break
        found.append(Burst(burst.start, burst.stop, burst.count, burst.expected, min(1.0, burst.p_value * tests)))
        free[burst.start : burst.stop] = False
    return sorted(found, key=lambda each: each.p_value)


def fit(counts: Counts, exposure: Numbers, free: npt.NDArray[np.bool_]) -> Base:
    """The base rate of the steps that are free of bursts.

    Args:
        counts: of all steps.
        exposure: of all steps.
        free: which of them to look at.
    """
    total = int(counts[free].sum())
    if total < _ENOUGH:
        return Base(max(total, 0.5) / float(exposure[free].sum()), [_UNKNOWN_EXTRA])
    rate, extra = _fit(counts[free], exposure[free])
    # Two standard errors more than the likeliest: an estimate of few sums may be far too small.
    extra *= 1 + 2 * np.sqrt(2 / free.sum())
    scales = [max(extra, _ENOUGH * _UNKNOWN_EXTRA / total)]
    length = 2
    while len(counts) // length >= _LEAST_BLOCKS:
        whole = len(counts) // length * length
        blocks = free[:whole].reshape(-1, length).all(axis=1)
        if blocks.sum() < _LEAST_BLOCKS:
            break
        sums = counts[:whole].reshape(-1, length).sum(axis=1)[blocks]
        likeliest = _fit(sums, exposure[:whole].reshape(-1, length).sum(axis=1)[blocks])[1]
        scales.append(max(scales[-1], likeliest * (1 + 2 * np.sqrt(2 / blocks.sum()))))
        length *= 2
    return Base(rate, scales)


def _fit(counts: Counts, exposure: Numbers) -> tuple[float, float]:
    """The likeliest rate and extra variance, of counts that are censored from three standard deviations on."""
    rate = max(float(counts.sum()), 0.5) / float(exposure.sum())
    for _ in range(5):
        bound = np.maximum(3.0, np.ceil(rate * exposure + 3 * np.sqrt(rate * exposure)))
        rate = max(float(np.minimum(counts, bound).sum()), 0.5) / float(exposure.sum())
    bound = np.maximum(3.0, np.ceil(rate * exposure + 3 * np.sqrt(rate * exposure)))
    is_inside = counts < bound

    def unlikely(parameters: Numbers) -> float:
        extra = float(np.exp(parameters[1]))
        sizes = np.exp(parameters[0]) * exposure / extra
        inside, size = counts[is_inside], sizes[is_inside]
        logs = (
            _special.gammaln(inside + size) - _special.gammaln(inside + 1) - _special.gammaln(size)
            - size * np.log1p(extra) + inside * (np.log(extra) - np.log1p(extra))
        )  # fmt: skip
        beyond = _special.betainc(bound[~is_inside], sizes[~is_inside], extra / (1 + extra))
        return -float(logs.sum() + np.log(np.maximum(beyond, 1e-300)).sum())

    bounds = [(np.log(rate) - 3, np.log(rate) + 3), (np.log(_LEAST_EXTRA), np.log(1e3))]
    residual = (np.minimum(counts, bound) - rate * exposure) ** 2 / (rate * exposure)
    start = np.array([np.log(rate), np.log(max(0.1, float(residual.mean()) - 1))])
    options = {"maxiter": 30, "ftol": 1e-6}
    best = _optimize.minimize(unlikely, start, method="L-BFGS-B", bounds=bounds, options=options)
    return float(np.exp(best.x[0])), float(np.exp(best.x[1]))


def _lengths(steps: int) -> list[int]:
    return [length for length in _LENGTHS if length <= max(1, steps // 8)]


def _strongest(counts: Counts, exposure: Numbers, free: npt.NDArray[np.bool_], base: Base) -> Burst | None:
    """The window that the base rate explains worst, its p value not corrected yet."""
    candidates = sorted(_candidates(counts, exposure, free, base), reverse=True)[:_CANDIDATES]
    total, every = int(counts[free].sum()), float(exposure[free].sum())
    tested: list[tuple[float, float, Burst]] = []
    for strength, start, stop in candidates:
        count, own = int(counts[start:stop].sum()), float(exposure[start:stop].sum())
        # Without a burst all failures are of the base, the window's own included.
        size = total / every / base.extra_of(stop - start)
        p_value = _at_least(count, total, size * own, size * (every - own))
        tested.append((p_value, -strength, Burst(start, stop, count, base.rate * own, p_value)))
    return min(tested, key=lambda each: each[:2])[2] if tested else None


def _candidates(
    counts: Counts, exposure: Numbers, free: npt.NDArray[np.bool_], base: Base
) -> Iterator[tuple[float, int, int]]:
    """Likelihood ratio, start and stop of windows with more than expected, scaled by how much such windows vary."""
    sums = np.concatenate([[0], np.cumsum(counts)])
    exposures = np.concatenate([[0.0], np.cumsum(exposure)])
    taken = np.concatenate([[0], np.cumsum(~free)])
    for length in _lengths(len(counts)):
        count = (sums[length:] - sums[:-length]).astype(np.float64)
        expected = base.rate * (exposures[length:] - exposures[:-length])
        usable = (taken[length:] == taken[:-length]) & (count >= _LEAST) & (count >= _LEAST_RATIO * expected)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(usable, count * np.log(count / expected) - (count - expected), 0.0)
        ratio /= 1 + base.extra_of(length)
        for start in np.argsort(-ratio, kind="stable")[:_CANDIDATES]:
            if ratio[start] > 0:
                yield float(ratio[start]), int(start), int(start) + length


def _at_least(count: int, total: int, inside: float, outside: float) -> float:
    """The probability that a beta-binomial variable of `total` trials is `count` or more."""
    values = np.arange(count, min(total, count + 20_000) + 1)
    logs = (
        _special.gammaln(total + 1) - _special.gammaln(values + 1) - _special.gammaln(total - values + 1)
        + _special.betaln(values + inside, total - values + outside) - _special.betaln(inside, outside)
    )  # fmt: skip
    return float(min(1.0, np.exp(logs).sum()))
