"""How far an arm is from the baseline in one metric, at one look and at any time, adjusted by what was known before."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import Numbers
from infersight_analysis.experiments.samples import Sample
from infersight_analysis.stats import means, proportions, quantiles, sequential
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


@dataclass(frozen=True)
class Covariate:
    """What is known of units from before the experiment.

    Args:
        values: of each unit, NaN where there is none.
    """

    values: Numbers

    def adjusted(self, a: Sample, b: Sample) -> tuple[Numbers, Numbers] | None:
        """The values of two arms less what the covariate predicts of them; None where too few units have one.

        CUPED (Deng, Xu, Kohavi and Walker, WSDM 2013): one slope for both arms, which leaves the difference unbiased,
        since the covariate is from before the assignment. A unit without one keeps its value.
        """
        both = np.concatenate([self.values[a.units], self.values[b.units]])
        known = ~np.isnan(both)
        if known.mean() < _LEAST_COVERED or known.sum() < 3:
            return None
        earlier = np.where(known, both, both[known].mean())
        values = np.concatenate([a.values, b.values])
        is_a = np.arange(len(both)) < len(a)
        # Within the arms: an effect of the variant is none of the covariate.
        within = [each - np.where(is_a, each[is_a].mean(), each[~is_a].mean()) for each in (values, earlier)]
        spread = float((within[1] ** 2).sum())
        if spread == 0:
            return None
        adjusted = values - float((within[0] * within[1]).sum()) / spread * (earlier - earlier.mean())
        return adjusted[is_a], adjusted[~is_a]


def effect_of(
    metric: Metric,
    a: Sample,
    b: Sample,
    *,
    confidence: float,
    tightest_at: float = sequential.TIGHTEST_AT,
    covariate: Covariate | None = None,
) -> Effect:
    """Arm B less arm A.

    Args:
        metric: what is compared.
        a: the baseline.
        b: the arm.
        confidence: of the intervals.
        tightest_at: units an arm at which the interval that is right at every look is the tightest.
        covariate: what is known of the units from before.
    """
    adjusted = None if covariate is None or metric.quantile is not None else covariate.adjusted(a, b)
    if adjusted is not None:
        removed = 1 - sum(map(np.var, adjusted)) / max(float(np.var(a.values) + np.var(b.values)), 1e-300)
        return Effect(
            means.difference(*adjusted, confidence),
            sequential.means(*adjusted, confidence, tightest_at=tightest_at),
            float(removed),
        )
    if a.is_plain and b.is_plain and metric.is_share:
        counts = (int(a.values.sum()), len(a), int(b.values.sum()), len(b))
        return Effect(
            proportions.difference(*counts, confidence),
            sequential.proportions(*counts, confidence, tightest_at=tightest_at),
        )
    if a.is_plain and b.is_plain and metric.quantile is not None:
        q = metric.quantile
        return Effect(
            quantiles.difference(a.values, b.values, q, confidence),
            sequential.quantiles(a.values, b.values, q, confidence, tightest_at=tightest_at),
        )
    return Effect(
        means.difference(a.values, b.values, confidence),
        sequential.means(a.values, b.values, confidence, tightest_at=tightest_at),
    )
