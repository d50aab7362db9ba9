"""Findings of `model drift`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.model_errors import Example


@dataclass(frozen=True)
class DriftBin:
    """One of the bins in which both are counted: a value, or a range; and what it adds to the index."""

    name: str
    reference: int
    current: int
    contribution: float


@dataclass(frozen=True)
class Began:
    """When it changed: the first time of the new level, with its 95 % interval, ISO 8601."""

    time: str
    earliest: str
    latest: str


@dataclass(frozen=True)
class FeatureDrift:
    """How one feature is distributed now, against the reference.

    Args:
        feature: its name.
        kind: `input`, `prediction`, `confidence`, `rightness` or `segment`.
        is_drift: whether it is one: its false-discovery rate is at most the level, and the index, less what chance
            adds, at least the threshold.
        psi: the population stability index.
        psi_interval: its 95 % interval.
        psi_noise: what it would be on average without any change, of as many predictions in as many bins.
        psi_p_value: of as large an index without a change.
        jensen_shannon: the Jensen-Shannon divergence, in bits.
        distance: of a number the Kolmogorov-Smirnov statistic.
        p_value: by which it is tested: that of Kolmogorov and Smirnov for a number, of the index for values.
        q_value: the false-discovery rate among all features and groups.
        reference: predictions of the reference that have it.
        current: those of the other ones.
        bins: the bins, those first that add most to the index.
        began: null where no single moment can be told.
        first_time: of the first prediction that the scores are of; null without.
        scores: seconds since then, and how much the predictions from there on speak for the new distribution; of
            drifted features with known times.
    """

    feature: str
    kind: str
    is_drift: bool
    statement: str
    psi: float
    psi_interval: tuple[float, float]
    psi_noise: float
    psi_p_value: float
    jensen_shannon: float
    distance: float | None
    p_value: float
    q_value: float
    reference: int
    current: int
    bins: list[DriftBin]
    began: Began | None
    first_time: str | None
    scores: list[tuple[float, float]]
    examples: list[Example]
    evidence: Evidence


@dataclass(frozen=True)
class DriftGroup:
    """Predictions that are compared with the reference: all of them, or those with one value of a feature.

    Args:
        group: null for all; else `feature = value`.
        reference: how many predictions the reference has; of the same value where it has enough of these.
        against: whether the reference is that of the same `value`, or of `all`.
        features: drifted ones first, by the index.
    """

    group: str | None
    reference: int
    current: int
    against: str
    features: list[FeatureDrift]


@dataclass(frozen=True)
class ModelDrift:
    """What is distributed otherwise than in the reference.

    Args:
        about: which predictions.
        reference: which ones they are compared with.
        drifted: how many features are, over all groups.
        tests: how many were tested.
        threshold: the index that counts.
        level: the false-discovery rate.
    """

    about: str
    reference: str
    summary: str
    drifted: int
    tests: int
    threshold: float
    level: float
    groups: list[DriftGroup]
    notes: list[str]
    evidence: Evidence
