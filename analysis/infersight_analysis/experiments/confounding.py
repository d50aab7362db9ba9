"""Whether an effect is that of something else: arms of different mixtures (Simpson's paradox, and what leads to it)."""

from dataclasses import dataclass
from math import erfc, sqrt
from typing import Final

import numpy as np

from infersight_analysis.experiments.checks import ALARM, time_of
from infersight_analysis.experiments.observations import Labels, Numbers, Observations, Outcome
from infersight_analysis.experiments.samples import Rows, Sample
from infersight_analysis.stats.contingency import association
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.normal import z_of

TIME: Final = "time"
"""The segment that is made of the time of the exposure."""

_LEAST_UNITS: Final = 2


@dataclass(frozen=True)
class Stratum:
    """One value of a segment.

    Args:
        name: the value.
        units: how many each of the two arms has.
        values: the metric in both.
        difference: arm less baseline, with its interval.
    """

    name: str
    units: tuple[int, int]
    values: tuple[float, float]
    difference: Estimate


@dataclass(frozen=True)
class Adjusted:
    """An effect with a segment held equal.

    Args:
        segment: which.
        crude: the effect as it is, of exposures whose segment is known.
        adjusted: within the segment's values, weighted as Mantel and Haenszel do.
        strata: the effect within each value.
        imbalance: the p value of the arms having the same mixture.
        disagreement: the p value of the effect being the same in all of them.
    """

    segment: str
    crude: Estimate
    adjusted: Estimate
    strata: list[Stratum]
    imbalance: float
    disagreement: float

    @property
    def is_reversed(self) -> bool:
        """Simpson's paradox: held equal, the effect is the opposite, and both are away from none."""
        opposite = self.crude.value * self.adjusted.value < 0
        return opposite and self.crude.excludes_zero and self.adjusted.excludes_zero

    @property
    def is_explained(self) -> bool:
        """The effect is gone where the segment is held equal, half of it at least."""
        shrunk = abs(self.adjusted.value) < abs(self.crude.value) / 2
        return self.crude.excludes_zero and not self.adjusted.excludes_zero and shrunk


def adjusted(observations: Observations, outcome: Outcome, arm: int, confidence: float = 0.95) -> list[Adjusted]:
    """The effect of an arm with each segment held equal, the one that changes it the most first.

    The difference within strata, weighted by n_a n_b / (n_a + n_b): Mantel and Haenszel's for shares (Greenland and
    Robins, Biometrics 41, 1985), the same for means; a quantile is looked at as the share beyond that of both arms.
    Errors are summed by unit, which may be in several strata.

    Args:
        observations: what was observed.
        outcome: a metric's values.
        arm: place of the arm among `observations.arms`.
        confidence: of the intervals.
    """
    times = time_of(observations)
    every = {**observations.segments, **({} if times is None else {TIME: times})}
    rows = Rows.of(observations, outcome).as_means
    rows = rows.only((rows.arm == 0) | (rows.arm == arm))
    found = [held_equal(rows, name, labels, arm, confidence) for name, labels in every.items()]
    known = [each for each in found if each is not None]
    return sorted(known, key=lambda each: -abs(each.adjusted.value - each.crude.value))


def confounders(found: list[Adjusted]) -> list[Adjusted]:
    """Those whose mixture surely differs between the arms, and explains or reverses the effect."""
    return [each for each in found if each.imbalance * len(found) < ALARM and (each.is_reversed or each.is_explained)]


def held_equal(rows: Rows, name: str, labels: Labels, arm: int, confidence: float) -> Adjusted | None:
    """The effect with one segment held equal; None where no value of it has both arms, or there is only one.

    Args:
        rows: the values of two arms, of a mean or share.
        name: of the segment.
        labels: its values by exposure.
        arm: place of the arm that is compared with the first one.
        confidence: of the intervals.
    """
    codes = labels.codes[rows.row]
    samples: dict[int, tuple[Sample, Sample]] = {}
    for code in np.unique(codes[codes >= 0]).tolist():
        part = rows.only(codes == code)
        both = part.sample(0), part.sample(arm)
        if min(map(len, both)) >= _LEAST_UNITS:
            samples[code] = both
    if len(samples) < 2:
        return None
    kept = rows.only(np.isin(codes, list(samples)))
    crude = [kept.sample(0), kept.sample(arm)]
    weights = np.array([len(a) * len(b) / (len(a) + len(b)) for a, b in samples.values()])
    weights /= weights.sum()
    differences = np.array([b.value - a.value for a, b in samples.values()])
    variances = np.array([a.variance + b.variance for a, b in samples.values()])
    common = float(weights @ differences)
    of_arms = [_summed(weights, [both[side] for both in samples.values()]) for side in (0, 1)]
    strata = [
        Stratum(
            labels.names[code],
            (len(a), len(b)),
            (a.value, b.value),
            _normal(b.value - a.value, a.variance + b.variance, confidence),
        )
        for code, (a, b) in samples.items()
    ]
    counts = np.array([[len(a), len(b)] for a, b in samples.values()]).T
    return Adjusted(
        name,
        _normal(crude[1].value - crude[0].value, crude[0].variance + crude[1].variance, confidence),
        _normal(common, sum(of_arms), confidence),
        strata,
        association(counts).p_value or 0.0,
        _disagreement(differences, variances),
    )


def _summed(weights: Numbers, samples: list[Sample]) -> float:
    """The variance of a weighted sum of samples that may share units."""
    units = np.concatenate([each.units for each in samples])
    parts = np.concatenate([weight * each.influence for weight, each in zip(weights, samples, strict=True)])
    _, place = np.unique(units, return_inverse=True)
    return float((np.bincount(place, parts) ** 2).sum())


def _normal(value: float, variance: float, confidence: float) -> Estimate:
    error = sqrt(variance) if variance > 0 else 0.0
    width = z_of(confidence) * error
    p_value = erfc(abs(value) / error / sqrt(2)) if error else float(value == 0)
    return Estimate(value, value - width, value + width, p_value, "normal")


def _disagreement(differences: Numbers, variances: Numbers) -> float:
    """Cochran's Q of the strata's differences."""
    from scipy import special  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415

    known = variances > 0
    if known.sum() < 2:
        return 1.0
    precision = 1 / variances[known]
    common = float((precision * differences[known]).sum() / precision.sum())
    q = float((precision * (differences[known] - common) ** 2).sum())
    return float(special.chdtrc(int(known.sum()) - 1, q))
