"""How far an arm is from the baseline in one metric, at one look and at any time, adjusted by what was known before."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import Numbers
from infersight_analysis.experiments.samples import Sample
from infersight_analysis.stats import cuped, means, proportions, quantiles, sequential
from infersight_analysis.stats.estimate import Estimate

_LEAST_COVERED: Final = 0.1
"""The share of units with an earlier value from which on an adjustment is worth its words."""


@dataclass(frozen=True)
class Effect:
    """An arm against the baseline.

    Args:
        once: right for one look at a size that was set before.
        always: right at every look.
        variance_removed: the share of the variance that the units' earlier values took away; None without any.
    """

    once: Estimate
    always: Estimate
    variance_removed: float | None = None


def effect_of(
    metric: Metric,
    a: Sample,
    b: Sample,
    *,
    confidence: float,
    earlier: Numbers | None = None,
) -> Effect:
    """Arm B less arm A.

    Args:
        metric: what is compared.
        a: the baseline.
        b: the arm.
        confidence: of the intervals.
        earlier: what each unit had before the experiment, NaN where that is not known.
    """
    if earlier is not None and metric.quantile is None and _is_known(earlier, a, b):
        adjusted = cuped.adjust(a.values, b.values, earlier[a.units], earlier[b.units])
        return Effect(
            means.difference(adjusted.a, adjusted.b, confidence),
            sequential.means(adjusted.a, adjusted.b, confidence),
            adjusted.reduction,
        )
    return Effect(once(metric, a, b, confidence), always(metric, a, b, confidence, sequential.TIGHTEST_AT))


def once(metric: Metric, a: Sample, b: Sample, confidence: float) -> Estimate:
    """Arm B less arm A, right for one look at a size that was set before; arguments are those of `effect_of`."""
    is_plain = a.is_plain and b.is_plain
    if _are_counts(metric, a, b):
        return proportions.difference(int(a.values.sum()), len(a), int(b.values.sum()), len(b), confidence)
    if is_plain and metric.quantile is not None:
        return quantiles.difference(a.values, b.values, metric.quantile, confidence)
    return means.difference(a.values, b.values, confidence)


def always(metric: Metric, a: Sample, b: Sample, confidence: float, tightest_at: float) -> Estimate:
    """The same, right at every look."""
    is_plain = a.is_plain and b.is_plain
    if _are_counts(metric, a, b):
        counts = int(a.values.sum()), len(a), int(b.values.sum()), len(b)
        return sequential.proportions(*counts, confidence, tightest_at=tightest_at)
    if is_plain and metric.quantile is not None:
        return sequential.quantiles(a.values, b.values, metric.quantile, confidence, tightest_at=tightest_at)
    return sequential.means(a.values, b.values, confidence, tightest_at=tightest_at)


def _are_counts(metric: Metric, a: Sample, b: Sample) -> bool:
    """Whether both arms count units that are 0 or 1.

    So do those in which no request of any unit failed, or every one: as means they would have no variance, and a rate
    of 0 would be certain.
    """
    is_plain = a.is_plain and b.is_plain
    return metric.is_share and (is_plain or not (np.ptp(a.values) or np.ptp(b.values)))


def _is_known(earlier: Numbers, a: Sample, b: Sample) -> bool:
    known = ~np.isnan(np.concatenate([earlier[a.units], earlier[b.units]]))
    return bool(known.mean() >= _LEAST_COVERED)
