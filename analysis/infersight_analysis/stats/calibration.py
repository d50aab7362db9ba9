# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# scipy publishes no types.
"""Whether a model is right as often as it says: reliability, the expected calibration error, and a test of both."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.normal import Z_95

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_BINS: Final = 15
"""As many as Guo et al. (ICML 2017) take."""

_LEAST_IN_BIN: Final = 20
_RESAMPLES: Final = 1_000


@dataclass(frozen=True)
class Reliability:
    """Predictions by how sure they were; one element a bin, ascending.

    Args:
        low: the least confidence in each bin.
        high: the largest.
        count: predictions in it.
        confidence: their mean confidence.
        accuracy: the share of them that was right.
    """

    low: Numbers
    high: Numbers
    count: npt.NDArray[np.int64]
    confidence: Numbers
    accuracy: Numbers

    @property
    def error(self) -> float:
        """The expected calibration error (Naeini et al., AAAI 2015): the mean distance of accuracy and confidence.

        Chance alone makes it larger, the more the fewer predictions a bin has: a perfect model's is not 0.
        """
        return float(np.abs(self.accuracy - self.confidence) @ self.count / self.count.sum())

    @property
    def debiased_error(self) -> float:
        """The error less what chance adds to it, not negative (Kumar, Liang and Ma, NeurIPS 2019, section 5)."""
        return float(self._debiased(self.accuracy))

    @cached_property
    def p_value(self) -> float:
        """The probability of as much miscalibration, or more, of a model that is right as often as it says.

        The chi-square of the bins (Hosmer and Lemeshow, 1980) with as many degrees of freedom as bins, since nothing
        was fitted to these predictions.
        """
        from scipy import special  # noqa: PLC0415 - most verbs do without

        variance = np.maximum(self.count * self.confidence * (1 - self.confidence), 1e-9)
        statistic = float((((self.accuracy - self.confidence) * self.count) ** 2 / variance).sum())
        p_value: Any = special.chdtrc(len(self.count), statistic)
        return float(p_value)

    def error_interval(self, seed: int = 0) -> tuple[float, float]:
        """A 95 % interval of the expected calibration error: the parametric bootstrap of the bins' accuracies.

        Resampling adds chance a second time, also to errors that are debiased; so they are shifted to have the
        observed error as their mean. It begins at 0 where a test at 5 % finds the model calibrated, where no resample
        could get.
        """
        chance = np.random.default_rng(seed)
        accuracy = chance.binomial(self.count, self.accuracy, (_RESAMPLES, len(self.count))) / self.count
        errors = self._debiased(accuracy)
        low, high = (np.quantile(errors, [0.025, 0.975]) - errors.mean() + self.debiased_error).tolist()
        return 0.0 if self.p_value > 0.05 else max(0.0, low), max(self.debiased_error, high)

    def _debiased(self, accuracy: Numbers) -> Numbers:
        """The debiased error of accuracies, the last axis of which is that of the bins.

        A bin's accuracy counts as normal, so the mean of its distance is that of a folded normal deviate.
        """
        from scipy import special  # noqa: PLC0415

        distance = np.abs(accuracy - self.confidence)
        share = (accuracy * self.count + 1) / (self.count + 2)  # a bin in which all are right has a variance too
        deviation = np.sqrt(share * (1 - share) / self.count)
        scaled = distance / deviation
        folded = deviation * np.sqrt(2 / np.pi) * np.exp(-(scaled**2) / 2) + distance * (1 - 2 * special.ndtr(-scaled))
        errors: Numbers = np.maximum(0.0, (2 * distance - folded) @ self.count / self.count.sum())
        return errors


def reliability(
    confidence: Numbers, is_right: Flags, bins: int | None = None, *, equal_width: bool = False
) -> Reliability:
    """Group predictions by how sure they were.

    Args:
        confidence: of each prediction, 0 to 1; there is at least one.
        is_right: whether it was.
        bins: how many; by default 15, or as many as have 20 predictions each.
        equal_width: whether bins are equal parts (low, high] of 0 to 1, as the error was first defined; else they have
            as many predictions each, so that none is left to a few. Equal confidences stay together.
    """
    count = len(confidence)
    bins = bins or int(np.clip(count // _LEAST_IN_BIN, 1, MOST_BINS))
    order = np.argsort(confidence, kind="stable")
    ordered = confidence[order]
    if equal_width:
        number = np.clip(np.ceil(ordered * bins).astype(np.int64) - 1, 0, bins - 1)
    else:
        number = np.searchsorted(ordered, ordered, "left") * bins // count
    starts = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    sizes = np.diff(starts, append=count)
    return Reliability(
        low=ordered[starts],
        high=ordered[starts + sizes - 1],
        count=sizes,
        confidence=np.add.reduceat(ordered, starts) / sizes,
        accuracy=np.add.reduceat(is_right[order].astype(np.float64), starts) / sizes,
    )


def overconfidence(confidence: Numbers, is_right: Flags) -> tuple[float, float, float]:
    """By how much the mean confidence exceeds the accuracy, with a 95 % interval: of the mean of paired differences.

    Args:
        confidence: of each prediction, 0 to 1; there are at least two.
        is_right: whether it was.

    Returns:
        the difference, and the ends of its interval.
    """
    difference = confidence - is_right
    mean = float(difference.mean())
    width = Z_95 * float(difference.std(ddof=1)) / len(difference) ** 0.5
    return mean, mean - width, mean + width
