"""Whether an effect is that of something else: arms of different mixtures (Simpson's paradox, and what leads to it)."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.experiments.checks import ALARM, time_of
from infersight_analysis.experiments.effects import once
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import Labels, Numbers, Observations, Outcome
from infersight_analysis.experiments.samples import Rows, Sample
from infersight_analysis.stats import mantel_haenszel, means
from infersight_analysis.stats.contingency import association
from infersight_analysis.stats.estimate import Estimate

_special: Any = special  # scipy publishes no types

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
        return self.crude.opposes(self.adjusted)

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
    samples = _strata(rows, labels, arm)
    if len(samples) < 2:
        return None
    kept = rows.only(np.isin(labels.codes[rows.row], list(samples)))
    differences = [once(rows.metric, a, b, confidence) for a, b in samples.values()]
    strata = [
        Stratum(labels.names[code], (len(a), len(b)), (a.value, b.value), difference)
        for (code, (a, b)), difference in zip(samples.items(), differences, strict=True)
    ]
    tested = association(np.array([stratum.units for stratum in strata]).T).p_value
    return Adjusted(
        name,
        once(rows.metric, kept.sample(0), kept.sample(arm), confidence),
        _within(rows.metric, list(samples.values()), confidence),
        strata,
        1.0 if tested is None else tested,
        _disagreement(list(samples.values())),
    )


def _strata(rows: Rows, labels: Labels, arm: int) -> dict[int, tuple[Sample, Sample]]:
    """Both arms within each value of a segment that has enough of both."""
    codes = labels.codes[rows.row]
    found: dict[int, tuple[Sample, Sample]] = {}
    for code in np.unique(codes[codes >= 0]).tolist():
        part = rows.only(codes == code)
        both = part.sample(0), part.sample(arm)
        if min(map(len, both)) >= _LEAST_UNITS:
            found[code] = both
    return found


def _within(metric: Metric, samples: list[tuple[Sample, Sample]], confidence: float) -> Estimate:
    """The difference within strata."""
    every = [each for both in samples for each in both]
    units = np.concatenate([each.units for each in every])
    if not all(each.is_plain for each in every) or len(np.unique(units)) < len(units):
        return _of_units(samples, confidence)
    if metric.is_share:
        counts = [[(int(each.values.sum()), len(each)) for each in both] for both in samples]
        x, n, y, m = np.array(counts, np.int64).reshape(len(samples), 4).T
        return mantel_haenszel.difference(x, n, y, m, confidence=confidence)
    return means.stratified([(a.values, b.values) for a, b in samples], confidence)


def _of_units(samples: list[tuple[Sample, Sample]], confidence: float) -> Estimate:
    """The same where units may be in several strata: each unit's errors are summed first."""
    weights = np.array([len(a) * len(b) / (len(a) + len(b)) for a, b in samples])
    weights /= weights.sum()
    value = float(weights @ np.array([b.value - a.value for a, b in samples]))
    variances = [_summed(weights, [both[side] for both in samples]) for side in (0, 1)]
    sizes = [len(np.unique(np.concatenate([both[side].units for both in samples]))) for side in (0, 1)]
    return means.welch(value, variances, sizes, confidence, "Welch's t within strata, by unit")


def _summed(weights: Numbers, samples: list[Sample]) -> float:
    """The variance of a weighted sum of samples that may share units."""
    units = np.concatenate([each.units for each in samples])
    parts = np.concatenate([weight * each.influence for weight, each in zip(weights, samples, strict=True)])
    _, place = np.unique(units, return_inverse=True)
    return float((np.bincount(place, parts) ** 2).sum())


def _disagreement(samples: list[tuple[Sample, Sample]]) -> float:
    """Cochran's Q of the strata's differences."""
    differences = np.array([b.value - a.value for a, b in samples])
    variances = np.array([a.variance + b.variance for a, b in samples])
    known = variances > 0
    if known.sum() < 2:
        return 1.0
    precision = 1 / variances[known]
    common = float((precision * differences[known]).sum() / precision.sum())
    q = float((precision * (differences[known] - common) ** 2).sum())
    return float(_special.chdtrc(int(known.sum()) - 1, q))
