"""Groups beside a reference group: differences with intervals and tests, ratios, and the gaps of all groups."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.fairness.groups import MEASURES, Group, Share, groups_of, share
from infersight_analysis.fairness.wording import notes_of, statement_of
from infersight_analysis.findings import DisparateImpact, Evidence, Fairness, FairnessGap, GroupRate
from infersight_analysis.findings.numbers import finite
from infersight_analysis.quality.predictions import Feature, Predictions, counting
from infersight_analysis.stats import proportions, tables
from infersight_analysis.stats.discoveries import holm

ALPHA: Final = 0.05
FOUR_FIFTHS: Final = 0.8
"""The rule of thumb of the Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4 D, 1978)."""

_SHOWN: Final = 5
_GAPS: Final = {
    "demographic_parity": ("positive_rate",),
    "error_rate": ("error_rate",),
    "equalised_odds": ("true_positive_rate", "false_positive_rate"),
}


@dataclass(frozen=True)
class Question:
    """What is asked of predictions.

    Attributes:
        attribute: the name of the feature that tells groups apart.
        positive: the label that counts as yes.
        reference: the group to compare with; the largest one without it.
        cuts: where the ranges of a number begin.
        least: a rate of fewer is not given.
        margin: a difference that is smaller does not matter.
    """

    attribute: str
    positive: str | None = None
    reference: str | None = None
    cuts: Sequence[float] = ()
    least: int = 30
    margin: float = 0.0


def fairness_of(predictions: Predictions, question: Question) -> Fairness:
    """Compare the groups of predictions.

    Differences are tested each with the reference, and p values adjusted by Holm (Scandinavian Journal of Statistics
    6, 1979), so that where no group differs in anything one is found in one of twenty questions at most.

    Args:
        predictions: of a store or a table.
        question: what is asked.

    Raises:
        AnalysisError: there is no such attribute, group or label, or the attribute tells no groups apart.
    """
    if not len(predictions):
        return _of_nothing(question)
    feature = predictions.feature(question.attribute)
    groups = groups_of(predictions, feature, question.cuts)
    reference = _reference(groups, question)
    if question.positive is not None and question.positive not in predictions.classes:
        known = ", ".join(predictions.classes[:10]) or "none"
        raise AnalysisError(f"no prediction has the label {question.positive!r}; there are {known}")
    shares = _shares(predictions, groups, question)
    rates = [_rate(*each, shares, reference, question) for each in shares]
    rates = _tested(_with_ratios(rates, shares, reference), question.margin)
    differing = [rate.group for rate in rates if rate.verdict == "differs"]
    notes = notes_of(groups, rates, question.least, has_positive=question.positive is not None)
    return Fairness(
        attribute=feature.name,
        reference=reference,
        positive=question.positive,
        predictions=len(predictions),
        without_group=len(predictions) - sum(group.size for group in groups),
        groups={group.name: group.size for group in groups},
        least=question.least,
        margin=question.margin,
        rates=rates,
        gaps=list(_gaps(rates)),
        impact=_impact(rates),
        tests=sum(rate.p_value is not None for rate in rates),
        notes=[*predictions.notes, *notes],
        statement=statement_of(rates, reference, question.margin),
        evidence=_evidence(predictions, feature, [group for group in groups if group.name in differing]),
    )


def _of_nothing(question: Question) -> Fairness:
    return Fairness(
        attribute=question.attribute,
        reference=question.reference,
        positive=question.positive,
        predictions=0,
        without_group=0,
        groups={},
        least=question.least,
        margin=question.margin,
        rates=[],
        gaps=[],
        impact=[],
        tests=0,
        notes=[],
        statement="need more data: there are no predictions",
        evidence=Evidence([], []),
    )


def _reference(groups: Sequence[Group], question: Question) -> str | None:
    names = [group.name for group in groups]
    if question.reference is None:
        return names[0] if names else None
    if question.reference not in names:
        raise AnalysisError(f"no group of {question.attribute} is {question.reference!r}; there are {', '.join(names)}")
    return question.reference


def _shares(predictions: Predictions, groups: Sequence[Group], question: Question) -> dict[tuple[str, str], Share]:
    """What is counted, by measure and group."""
    found = {
        (measure, group.name): share(measure, predictions, group, question.positive)
        for measure in MEASURES
        for group in groups
    }
    return {key: counted for key, counted in found.items() if counted is not None}


def _rate(
    measure: str, group: str, shares: dict[tuple[str, str], Share], reference: str | None, question: Question
) -> GroupRate:
    """One rate, and its difference to the reference; not tested yet with all others."""
    own = shares[measure, group]
    unknown = GroupRate(measure, group, own.count, own.of)
    if own.of < question.least:
        return unknown
    low, high = proportions.wilson(own.count, own.of)
    known = replace(unknown, rate=own.count / own.of, low=low, high=high)
    if group == reference:
        return replace(known, verdict="reference")
    other = shares[measure, reference or ""]
    if other.of < question.least:
        return known
    difference = proportions.difference(other.count, other.of, own.count, own.of)
    return replace(
        known,
        difference=difference.value,
        difference_low=difference.low,
        difference_high=difference.high,
        p_value=difference.p_value,
        verdict="no difference found",
    )


def _with_ratios(
    rates: Sequence[GroupRate], shares: dict[tuple[str, str], Share], reference: str | None
) -> list[GroupRate]:
    """The rates with their ratios to the reference, whose intervals are found all at once."""
    compared = [rate for rate in rates if rate.difference is not None]
    others = [shares[rate.measure, reference or ""] for rate in compared]
    having, having_reference, of, of_reference = (
        np.array(column, np.int64)
        for column in (
            [rate.count for rate in compared],
            [other.count for other in others],
            [rate.of for rate in compared],
            [other.of for other in others],
        )
    )
    values = tables.risk_ratios(having, having_reference, of, of_reference)
    ends = tables.risk_ratio_intervals(having, having_reference, of, of_reference)
    by_rate = {(rate.measure, rate.group): each for rate, *each in zip(compared, values, *ends, strict=True)}

    def with_ratio(rate: GroupRate) -> GroupRate:
        if (found := by_rate.get((rate.measure, rate.group))) is None:
            return rate
        value, low, high = (finite(float(each)) for each in found)
        return replace(rate, ratio=value, ratio_low=low, ratio_high=high)

    return [with_ratio(rate) for rate in rates]


def _tested(rates: Sequence[GroupRate], margin: float) -> list[GroupRate]:
    """The rates with adjusted p values and what follows from them."""
    tested = [rate for rate in rates if rate.p_value is not None]
    adjusted = holm(np.array([rate.p_value for rate in tested], np.float64)).tolist()
    by_rate = {(rate.measure, rate.group): p for rate, p in zip(tested, adjusted, strict=True)}

    def judged(rate: GroupRate) -> GroupRate:
        p_adjusted = by_rate.get((rate.measure, rate.group))
        if p_adjusted is None or rate.difference is None:
            return rate
        matters = abs(rate.difference) >= margin
        verdict = rate.verdict if p_adjusted > ALPHA else "differs" if matters else "small"
        return replace(rate, p_adjusted=p_adjusted, verdict=verdict)

    return [judged(rate) for rate in rates]


def _gaps(rates: Sequence[GroupRate]) -> Iterator[FairnessGap]:
    for name, measures in _GAPS.items():
        known = {
            measure: [rate for rate in rates if rate.measure == measure and rate.rate is not None]
            for measure in measures
        }
        intervals = sum(map(len, known.values()))
        gaps = [_gap(name, of, 1 - ALPHA / intervals) for of in known.values() if len(of) > 1]
        if len(gaps) == len(measures):
            largest = max(gaps, key=lambda gap: gap.value)
            yield replace(largest, low=max(gap.low for gap in gaps), high=max(gap.high for gap in gaps))


def _gap(name: str, rates: Sequence[GroupRate], confidence: float) -> FairnessGap:
    """The largest difference of two groups.

    With as much confidence as is asked for each, all rates lie in their Wilson intervals together (Bonferroni), so the
    gap is at least from the highest lower end to the lowest upper one, and at most from end to end.
    """
    highest = max(rates, key=lambda rate: rate.rate or 0.0)
    lowest = min(rates, key=lambda rate: rate.rate or 0.0)
    intervals = [proportions.wilson(rate.count, rate.of, confidence) for rate in rates]
    low = max(low for low, _ in intervals) - min(high for _, high in intervals)
    high = max(high for _, high in intervals) - min(low for low, _ in intervals)
    value = (highest.rate or 0.0) - (lowest.rate or 0.0)
    return FairnessGap(name, value, max(0.0, low), high, highest.measure, highest.group, lowest.group)


def _impact(rates: Sequence[GroupRate]) -> list[DisparateImpact]:
    found = [
        DisparateImpact(rate.group, rate.ratio, rate.ratio_low, rate.ratio_high, _four_fifths(rate))
        for rate in rates
        if rate.measure == "positive_rate" and rate.ratio is not None and rate.ratio_low is not None
    ]
    return sorted(found, key=lambda each: each.ratio)


def _four_fifths(rate: GroupRate) -> str:
    if rate.ratio_high is not None and rate.ratio_high < FOUR_FIFTHS:
        return "below"
    return "may be below" if (rate.ratio_low or 0.0) < FOUR_FIFTHS else "not below"


def _evidence(predictions: Predictions, feature: Feature, differing: Sequence[Group]) -> Evidence:
    """Wrong predictions of the groups that differ, and queries that count."""
    sql: list[str] = []
    traces: list[str] = []
    ids: dict[str, list[str]] = {}
    for group in differing[:_SHOWN]:
        sql += counting(predictions.origin, "label", [group.where(feature)])
        wrong = np.flatnonzero(predictions.is_wrong & group.members)[:_SHOWN].tolist()
        traces += [trace for at in wrong if (trace := predictions.identity(at, "trace_id"))]
        ids[group.name] = [found for at in wrong if (found := predictions.identity(at, "prediction_id"))]
    return Evidence(traces, sql, {"wrong_predictions": ids} if any(ids.values()) else {})
