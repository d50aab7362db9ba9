"""How surprising readings are beside earlier ones, on one scale whatever they measure and however they spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_NORMAL_MAD: Final = 1.4826  # makes the median absolute deviation a standard deviation, for normal values
_PRIOR_READINGS: Final = 4
"""How many readings the deviation that is common to a family counts as, beside those of one member (Smyth, 2004)."""

_PRIOR_INDEX: Final = 0.5
_PRIOR_EXCEEDANCES: Final = 5
"""The tail index that is assumed, that of Student's t with two degrees of freedom, and what it counts as."""

_LEAST_BLOCKS: Final = 3


@dataclass(frozen=True)
class Sample:
    """Readings of one thing.

    Args:
        incident: those of the incident, at least one.
        baseline: those of the baseline in the order of time, at least `LEAST_BASELINE`.
    """

    incident: Numbers
    baseline: Numbers


LEAST_BASELINE: Final = 3


@dataclass(frozen=True)
class Surprise:
    """What is surprising about a sample.

    Args:
        deviation: the median of the incident less that of the baseline, in standard errors of robust estimates.
        p_value: how often one as far out is met where nothing happened.
    """

    deviation: float
    p_value: float


def surprises(family: Sequence[Sample], *, only_above: bool = False) -> list[Surprise]:
    """How far the incident is from the baseline in each sample of a family, and how often that is met.

    The reference is the family itself: the baselines are cut into blocks as long as the incident, and each block is
    compared with its baseline. So what jumps now and then in any member, or drifts, is no surprise in another one.
    Beyond the largest blocks the tail is a power law (Hill, Annals of Statistics 3, 1975). Deviations are estimated by
    the median absolute deviation, moderated towards that of the family (Smyth, SAGMB 3, 2004), so that members of few
    readings, or of constant ones, neither hide nor shout.

    Args:
        family: readings of the same kind: one metric of many services, the durations of many operations.
        only_above: whether only more than usual is a surprise.
    """
    if not family:
        return []
    centres = np.array([np.median(sample.baseline) for sample in family])
    scales = _moderated(family, centres)
    found = np.array([_deviation(sample.incident, *of) for sample, *of in zip(family, centres, scales, strict=True)])
    blocks = np.array(
        [
            _deviation(block, centre, scale)
            for sample, centre, scale in zip(family, centres, scales, strict=True)
            for block in _blocks(sample)
        ]
    )
    far, usual = (found, blocks) if only_above else (np.abs(found), np.abs(blocks))
    p_values = tail(np.maximum(far, 0), np.maximum(usual, 0))
    return [Surprise(float(deviation), float(p)) for deviation, p in zip(found, p_values, strict=True)]


def tail(values: Numbers, reference: Numbers) -> Numbers:
    """The probability to exceed each value, from a reference of values that are not negative.

    Up to the largest square root of the reference it is the share that is as large; from there on a power law, whose
    index is Hill's estimate, moderated towards 1/2.
    """
    ordered = np.sort(reference)[::-1]
    size = len(ordered)
    many = int(np.clip(np.sqrt(size), min(_PRIOR_EXCEEDANCES, size - 1), max(1, size - 1)))
    threshold = ordered[many] if many < size else 0.0
    if threshold <= 0:
        positive = ordered[ordered > 0]
        if not len(positive):
            return np.where(values > 0, 1 / (size + 1), 1.0)
        many, threshold = len(positive), positive[-1]
    exceedances = np.log(np.maximum(ordered[:many], threshold) / threshold)
    index = (exceedances.sum() + _PRIOR_EXCEEDANCES * _PRIOR_INDEX) / (many + _PRIOR_EXCEEDANCES)
    as_large = (1 + np.searchsorted(-ordered, -values, side="right")) / (size + 1)
    beyond = (many + 1) / (size + 1) * np.maximum(values / threshold, 1.0) ** (-1 / index)
    return np.where(values > threshold, np.minimum(beyond, as_large), np.minimum(as_large, 1.0))


def smallest(p_values: Sequence[float]) -> float:
    """The p value of the smallest of independent p values (Sidak): many readings alone make no surprise; 1 of none."""
    if not p_values:
        return 1.0
    least = min(*p_values, 1 - 1e-12)
    return float(-np.expm1(len(p_values) * np.log1p(-least)))


def common(p_values: Sequence[float]) -> float:
    """The p value that all of them share, however they depend on each other.

    e times their geometric mean (Vovk and Wang, Biometrika 107, 2020).
    """
    return float(min(1.0, np.exp(1 + np.mean(np.log(np.maximum(p_values, 1e-300))))))


def evidence(p_value: float) -> float:
    """The most evidence that a p value can be for anything but chance, in nats: a logarithm of odds.

    The bound of Sellke, Bayarri and Berger (American Statistician 55, 2001), 0 from 1/e on. On this scale evidence of
    different kinds adds up.
    """
    p = float(np.clip(p_value, 1e-300, 1 / np.e))
    return max(0.0, float(-np.log(-np.e * p * np.log(p))))


def _moderated(family: Sequence[Sample], centres: Numbers) -> Numbers:
    """The standard deviation of each baseline, robust, and moderated towards the family's."""
    spread = [np.abs(sample.baseline - centre) for sample, centre in zip(family, centres, strict=True)]
    scales = np.array([_NORMAL_MAD * np.median(each) for each in spread])
    every = np.concatenate(spread)
    known = scales[scales > 0] if (scales > 0).any() else every[every > 0]
    typical = float(np.median(known)) if len(known) else 1e-9 * max(1.0, float(np.abs(centres).max()))
    degrees = np.array([len(sample.baseline) - 1 for sample in family])
    variance = (_PRIOR_READINGS * typical**2 + degrees * scales**2) / (_PRIOR_READINGS + degrees)
    moderated: Numbers = np.sqrt(variance)
    return moderated


def _deviation(readings: Numbers, centre: float, scale: float) -> float:
    return float((np.median(readings) - centre) / scale * np.sqrt(len(readings)))


def _blocks(sample: Sample) -> list[Numbers]:
    length = min(len(sample.incident), max(1, len(sample.baseline) // _LEAST_BLOCKS))
    return np.array_split(sample.baseline, max(1, len(sample.baseline) // length))
