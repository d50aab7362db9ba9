"""Findings of `model fairness`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class GroupRate:
    """A rate in one group, and how it differs from that of the reference.

    Args:
        measure: `positive_rate`, `error_rate`, `true_positive_rate` or `false_positive_rate`.
        group: which one.
        count: how many have it.
        of: of how many.
        rate: `count` of `of`; null, as is all that follows, where there are too few.
        low: the lower end of the rate's 95 % Wilson interval.
        high: its upper end.
        difference: the rate less that of the reference; null, as is all that follows, for the reference itself, and
            where the reference has too few.
        difference_low: the lower end of its 95 % Newcombe interval.
        difference_high: its upper end.
        ratio: the rate over that of the reference; null where that is 0.
        ratio_low: the lower end of its 95 % Koopman interval.
        ratio_high: its upper end; null where it has none.
        p_value: of no difference.
        p_adjusted: the same after Holm, for all tests of all groups and measures together.
        verdict: `reference`, `differs`, `no difference found`, `small` (there is one, below the margin) or `too few`.
    """

    measure: str
    group: str
    count: int
    of: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    verdict: str = "too few"


@dataclass(frozen=True)
class FairnessGap:
    """How far the groups are apart in all.

    Args:
        name: `demographic_parity` (of the positive rates), `error_rate`, or `equalised_odds` (the larger one of the
            gaps of the true and of the false positive rates).
        value: the highest rate less the lowest.
        low: the lower end of its 95 % interval, which holds for all groups together.
        high: its upper end.
        measure: whose rates they are.
        highest: the group with the highest rate.
        lowest: the group with the lowest one.
    """

    name: str
    value: float
    low: float
    high: float
    measure: str
    highest: str
    lowest: str


@dataclass(frozen=True)
class DisparateImpact:
    """How often one group is told yes, beside the reference.

    Args:
        group: which one.
        ratio: of the positive rates.
        low: the lower end of its 95 % interval.
        high: its upper end; null where it has none.
        four_fifths: `below` (for sure), `may be below` (the interval holds 0.8) or `not below`.
    """

    group: str
    ratio: float
    low: float
    high: float | None
    four_fifths: str


@dataclass(frozen=True)
class Fairness:
    """Rates of groups of predictions, beside those of a reference group.

    Args:
        attribute: what tells the groups apart.
        reference: the group that the others are compared with; null without any.
        positive: the label that counts as yes; null where none was named.
        predictions: how many there are.
        without_group: how many have no value.
        groups: predictions by group, the largest first.
        least: a rate of fewer is not given.
        margin: a difference that is smaller does not matter.
        rates: by measure, the reference first.
        gaps: how far the groups are apart in all.
        impact: ratios of the positive rates, the lowest first.
        tests: how many were made.
        notes: what could not be judged, and why.
        statement: the outcome in a sentence.
    """

    attribute: str
    reference: str | None
    positive: str | None
    predictions: int
    without_group: int
    groups: dict[str, int]
    least: int
    margin: float
    rates: list[GroupRate]
    gaps: list[FairnessGap]
    impact: list[DisparateImpact]
    tests: int
    notes: list[str]
    statement: str
    evidence: Evidence
